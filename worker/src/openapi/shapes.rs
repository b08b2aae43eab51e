//! Shapes of what the worker reads field by field, or writes as text: bodies whose every field is
//! looked at by itself, and answers with stored events, which go out as they are stored.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::admin::users::Profile;
use crate::admin::{ListedKey, NewSite};
use crate::dead_letter::Row;
use crate::read::health::{Condition, Details};

/// A moment: Unix milliseconds, or RFC 3339.
#[derive(ToSchema, Serialize)]
#[serde(untagged)]
#[allow(dead_code)]
pub(super) enum Moment {
    /// Unix milliseconds.
    Ms(i64),
    /// RFC 3339.
    #[schema(title = "RFC 3339")]
    Text(String),
}

/// An origin of a site's pages: `https://host`, `https://*.host`, `http://host:*`.
#[derive(ToSchema, Serialize)]
#[schema(
    pattern = r"^[Hh][Tt][Tt][Pp][Ss]?://(\*\.)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:([0-9]{1,4}|[1-5][0-9]{4}|\*))?$"
)]
pub(crate) struct Origin(String);

/// An event as a sender sends it. Each is judged by itself, and told in the answer if it was not
/// accepted: docs/EVENTS.md has the rules.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewEvent {
    /// The sender's own id, a UUID: what the event is known by if it comes again.
    event_id: Option<String>,
    /// A tracker type such as `page_view`; with a source key also the name of a domain event.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,100}$")]
    event_type: String,
    /// What sends it; required of domain events.
    source: Option<String>,
    /// The user; required of tracker types.
    user_id: Option<String>,
    /// The session; required of tracker types.
    session_id: Option<String>,
    /// When it happened; without it the moment of receipt.
    timestamp: Option<Moment>,
    /// The tenant.
    tenant_id: Option<String>,
    /// What the type brings.
    event_data: Option<Map<String, Value>>,
    /// Facts of the sender: `platform`, and from services `userAgent` and `ipAddress`.
    metadata: Option<Map<String, Value>>,
}

/// A batch of events.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Batch {
    /// The same for every try.
    #[schema(
        pattern = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[1-79][0-9A-Fa-f]{3}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
    )]
    batch_id: Option<String>,
    /// The sender's clock at this very try.
    sent_at: Option<Moment>,
    /// How many events the sender had to drop before.
    #[schema(minimum = 0)]
    dropped: Option<u32>,
    /// The events.
    #[schema(min_items = 1, max_items = 100)]
    events: Vec<NewEvent>,
}

/// A message of Segment's tracking API.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SegmentMessage {
    /// Its kind, where the path does not tell it.
    r#type: Option<String>,
    /// The sender's id of it.
    message_id: Option<String>,
    user_id: Option<String>,
    anonymous_id: Option<String>,
    /// What happened, of a `track`.
    event: Option<String>,
    properties: Option<Map<String, Value>>,
    traits: Option<Map<String, Value>>,
    context: Option<Map<String, Value>>,
    /// The write key, where no header tells it.
    write_key: Option<String>,
}

/// Several messages.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SegmentBatch {
    #[schema(min_items = 1, max_items = 1000)]
    batch: Vec<SegmentMessage>,
    /// The write key, where no header tells it.
    write_key: Option<String>,
}

/// An event of Plausible's script.
#[derive(ToSchema, Serialize)]
pub(super) struct PlausibleEvent {
    /// Its name: `pageview`, or another.
    n: Option<String>,
    /// The page.
    u: Option<String>,
    /// The site's domain; without one the page's host.
    #[schema(pattern = "^[A-Za-z0-9._/-]{1,250}$")]
    d: String,
    /// The referrer.
    r: Option<String>,
}

/// A new import.
#[derive(ToSchema, Serialize)]
pub(super) struct NewImport {
    /// How many parts there will be.
    #[schema(minimum = 1, maximum = 9999)]
    parts: Option<i64>,
}

/// A page of stored events.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Events {
    /// The events as they are stored, newest first.
    #[schema(value_type = Vec<Event>)]
    events: Vec<Value>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// All that is known of a user.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Export {
    /// The user.
    user_id: String,
    profile: Profile,
    #[serde(flatten)]
    events: Events,
}

/// Stands for the stored event, which has a schema of its own (`docs/schemas/event.schema.json`).
#[derive(ToSchema, Serialize)]
pub(super) struct Event {}

/// All sites.
#[derive(ToSchema, Serialize)]
pub(super) struct Sites {
    sites: Vec<NewSite>,
}

/// A site's keys.
#[derive(ToSchema, Serialize)]
pub(super) struct Keys {
    keys: Vec<ListedKey>,
}

/// A page of dead letters.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeadLetters {
    dead_letters: Vec<Row>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// What everybody is told.
#[derive(ToSchema, Serialize)]
pub(super) struct PublicHealth {
    /// The worst of the services.
    status: Condition,
}

/// What the holder of a read token is told.
#[derive(ToSchema, Serialize)]
pub(super) struct FullHealth {
    /// The worst of the services.
    status: Condition,
    #[serde(flatten)]
    details: Details,
}

/// A step of a funnel: by type, page and feature, or by the name of a goal.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FunnelQuestionStep {
    event_type: Option<String>,
    page: Option<String>,
    feature: Option<String>,
    /// The name or the id of a goal of the site, and nothing else.
    goal: Option<String>,
}

/// A step of whatever kind.
#[derive(ToSchema, Serialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes what is read as JSON")]
pub(super) enum AnyStep {
    Named(FunnelQuestionStep),
    Filter(Vec<Value>),
}

/// How many users did these steps.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FunnelQuestion {
    /// Each by type, page and feature, by the name of a goal, or by a filter.
    #[schema(min_items = 1, max_items = 10, inline)]
    steps: Vec<AnyStep>,
    /// The last step within so many hours of the first.
    #[schema(minimum = 1, maximum = 2160, default = 168)]
    window_hours: Option<i64>,
    /// `strict`: nothing between the steps; `any`: in any order.
    #[schema(pattern = "^(sequence|strict|any)$", default = "sequence")]
    order: Option<String>,
    /// A dimension: users by the value of their first event that is the first step.
    by: Option<String>,
    /// Tells the ids of users who came through so many steps and not through the next.
    #[schema(minimum = 1, maximum = 9)]
    dropped_after: Option<i64>,
    /// So many ids at most.
    #[schema(minimum = 1, maximum = 100, default = 50)]
    limit: Option<i64>,
    /// The `nextCursor` of the page of ids before.
    #[schema(pattern = "^[0-9]{1,19}$")]
    cursor: Option<String>,
    #[serde(flatten)]
    of: OfEvents,
}

/// Which events, and when.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfEvents {
    /// Only events that pass.
    #[schema(value_type = Option<Vec<Value>>)]
    filters: Option<Value>,
    /// A preset, or the first and the last date, both included; instead of `startDate` and `endDate`.
    #[schema(value_type = Value, required = false)]
    range: Option<Value>,
    /// An IANA zone.
    #[schema(min_length = 1, max_length = 64, default = "UTC")]
    time_zone: Option<String>,
    #[schema(format = Date, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    start_date: Option<String>,
    #[schema(format = Date, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    end_date: Option<String>,
}

/// Who comes again.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RetentionQuestion {
    #[schema(pattern = "^(day|week)$")]
    period: Option<String>,
    #[schema(minimum = 1, maximum = 90)]
    periods: Option<i64>,
    /// Cohorts by the first conversion in the range: the name or the id of a goal of the site, or a filter.
    #[schema(value_type = Value, required = false)]
    goal: Option<Value>,
    #[serde(flatten)]
    of: OfEvents,
}

/// The paths that most sessions begin with, or that begin or end with a page.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JourneysQuestion {
    /// Steps of a path.
    #[schema(minimum = 1, maximum = 10, default = 5)]
    depth: Option<i64>,
    /// Paths.
    #[schema(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The page that paths begin with, by its path.
    from: Option<String>,
    /// The page that paths end with; not beside `from`.
    to: Option<String>,
    #[serde(flatten)]
    of: OfEvents,
}

/// A step of a rebuild.
#[derive(ToSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RebuildCall {
    #[schema(format = Date, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    start_date: String,
    #[schema(format = Date, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    end_date: String,
    cursor: Option<crate::upkeep::rebuild::Cursor>,
}
