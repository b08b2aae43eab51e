//! The calls: one for each path and method, each with one handler in `shell/http/router.rs`. A call without a handler
//! does not compile, nor does a line of the table without a call.

use crate::ingest::adapters::SegmentCall;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Events come; any page may read the answer.
    Events(Way),
    /// Something else is asked.
    Asked(Asked),
}

/// In which form events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A tracker's batch.
    Batch,
    /// A service's events.
    Commands,
    /// One of Segment's calls.
    Segment(SegmentCall),
    /// Plausible's.
    Plausible,
}

/// What is asked, by who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The settings that a browser SDK fetches first.
    SdkSettings(SdkCall),
    /// Imports.
    Import(ImportCall),
    /// What one question without a body tells.
    Read(ReadCall),
    /// Calls that were made with a site's keys.
    Operations,
    /// Whether the service is well.
    Health,
    /// A ticket for a live stream.
    Ticket,
    /// A live stream, a WebSocket.
    Stream,
    /// Shoreline's own metrics, for a scraper.
    Prometheus,
    /// A metric of days.
    Metric(MetricCall),
    /// A question with a body of its own form.
    Question(QuestionCall),
    /// Any question, or several.
    Query(QueryCall),
    /// The goals of the token's site.
    Goals,
    /// What a token is told of its site.
    About,
    /// The page that a shared link opens.
    SharedPage,
    /// The shared links of a site.
    Links(LinksCall),
    /// Which properties events have.
    Properties,
    /// A user.
    User(UserCall),
    /// Sites, their keys and their goals.
    Admin(AdminCall),
    /// How many archives a site has.
    Archives(ArchivesCall),
    /// Dead letters, and repairs.
    DeadLetters(DeadLetterCall),
    /// A rebuild of D1 from the lake.
    Rebuild,
}

/// Whose SDK fetches its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SdkCall {
    /// Segment's.
    Segment,
    /// RudderStack's.
    RudderStack,
}

/// A call of imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportCall {
    /// Begins one.
    Create,
    /// Tells how far one is.
    Progress,
    /// Brings a part.
    Part,
    /// Says that all parts are there.
    Complete,
}

/// A question without a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadCall {
    /// The live counts.
    Live,
    /// The latest events.
    Recent,
    /// How events ended.
    Outcomes,
    /// Where the events of each hour are.
    Reconciliation,
    /// Counts of some minutes.
    Summary,
}

/// A metric of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricCall {
    /// Users, sessions and events.
    Platform,
    /// Uses of features.
    Features,
    /// How long and how often.
    Engagement,
    /// Content and AI requests.
    Products,
    /// Views by a dimension.
    Breakdown,
    /// Web Vitals.
    Vitals,
}

/// A question with a body of its own form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionCall {
    /// A funnel.
    Funnel,
    /// Retention.
    Retention,
    /// Journeys.
    Journeys,
}

/// Any question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryCall {
    /// One.
    One,
    /// Several, answered by one scan.
    Panels,
}

/// A call about a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCall {
    /// Their events, for a read token.
    Events,
    /// All that is kept of them, for the admin.
    Export,
    /// They are forgotten.
    Erase,
}

/// A call about sites, their keys and their goals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminCall {
    /// All sites.
    ListSites,
    /// A new site.
    MakeSite,
    /// A site with other settings.
    ReplaceSite,
    /// A site's keys.
    ListKeys,
    /// A new key.
    MakeKey,
    /// A key ends.
    EndKey,
    /// A site's goals.
    ListGoals,
    /// A new goal.
    MakeGoal,
    /// A goal with other contents.
    ReplaceGoal,
    /// A goal is deleted.
    DeleteGoal,
}

/// A call about a site's shared links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinksCall {
    /// All of them.
    List,
    /// A new one.
    Make,
    /// One ends.
    Delete,
}

/// A call about the number of a site's archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchivesCall {
    /// How many it has, and what is under way.
    Tell,
    /// It gets another number.
    Change,
    /// It keeps the number that it has.
    Cancel,
}

/// A call about dead letters, or repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterCall {
    /// They are listed.
    List,
    /// They are sent again.
    Replay,
    /// Repairs are listed.
    Repairs,
}
