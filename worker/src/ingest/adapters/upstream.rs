//! The emissions of a platform's own services (identity, community, challenges …): recognized by name or by their
//! fields.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use shoreline_shared::event::{Code, Rejection};

use super::fields::{
    Fields, Shaped, first, identifier, missing, name_by, present, refuse, required_id,
};
use super::moment::Moment;
use crate::ingest::draft::Made;

/// What a service tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Emission {
    /// `{id|userId, username, email?, registeredAt}`.
    IamRegistered,
    /// `{guideId, challengeId, occurredAt}`.
    GuidesChallenges,
    /// `{executionId, language, status, executedAt}`.
    ExecutionAnalytics,
    /// `{userId, username, profileUrl}`: null on a registration, a string on an update. The flag
    /// says that it was named an update.
    Community { update: bool },
    /// `{challengeId, userId|studentId, experience|score, occurredOn}`.
    ChallengeCompletion,
}

impl Emission {
    /// What this is, if any of these.
    pub(super) fn of(fields: &Fields) -> Option<Self> {
        // What says its type in our words is told by that: it may hold such fields by chance. But
        // where it has no data of its own, they are what was told.
        if let Some(name) = fields.get("eventType") {
            let bare =
                present(fields, "eventData").is_none() && present(fields, "payload").is_none();
            let named = name.as_str().filter(|_| bare).and_then(Self::named)?;
            let alike =
                |found: &Self| std::mem::discriminant(found) == std::mem::discriminant(&named);
            return Self::of_fields(fields).filter(alike).map(|_| named);
        }
        let mut names = ["type", "topic"].iter();
        let named = names.find_map(|name| fields.get(*name)?.as_str().and_then(Self::named));
        named.or_else(|| Self::of_fields(fields))
    }

    fn of_fields(fields: &Fields) -> Option<Self> {
        let has = |name: &str| fields.contains_key(name);
        let someone = present(fields, "userId").is_some() || present(fields, "studentId").is_some();
        let result = has("experience") || has("score");
        if has("guideId") && has("challengeId") && has("occurredAt") {
            Some(Self::GuidesChallenges)
        } else if has("executionId") && has("executedAt") {
            Some(Self::ExecutionAnalytics)
        } else if has("challengeId") && has("occurredOn") && someone && result {
            Some(Self::ChallengeCompletion)
        } else if has("registeredAt") && has("username") && (has("id") || has("userId")) {
            Some(Self::IamRegistered)
        } else if has("profileUrl") && has("username") && has("userId") {
            Some(Self::Community { update: false })
        } else {
            None
        }
    }

    /// The emission of this name, however it is written: `iam registered`, `iam.registered`, or the
    /// canonical event type.
    fn named(name: &str) -> Option<Self> {
        let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
        let plain: Vec<u8> = letters.take(64).map(|c| c.to_ascii_lowercase()).collect();
        match plain.as_slice() {
            b"iamregistered" | b"iamuserregistered" => Some(Self::IamRegistered),
            b"guideschallenges" | b"guideschallengelinked" => Some(Self::GuidesChallenges),
            // The second is how the service's own documents spell it.
            b"executionanalytics" | b"excecutionanalytics" => Some(Self::ExecutionAnalytics),
            b"communityregistration" | b"communityregistered" | b"communityuserregistered" => {
                Some(Self::Community { update: false })
            }
            b"communityprofileupdated" => Some(Self::Community { update: true }),
            b"challengescompletionanalytics"
            | b"challengescompletion"
            | b"challengessolutioncompleted" => Some(Self::ChallengeCompletion),
            _ => None,
        }
    }

    /// Makes the event. `text` is the item's own, for a number that must stay exact.
    pub(super) fn make(self, mut fields: Fields, text: Option<&str>) -> Shaped {
        // A message with its topic: what was told is inside.
        let inner = ["payload", "value", "data"].iter().find_map(|name| {
            let is_object = fields.get(*name).is_some_and(Value::is_object);
            is_object.then(|| fields.remove(*name)).flatten()
        });
        let (told, text) = match inner {
            Some(Value::Object(inner)) => (inner, None),
            _ => (fields, text),
        };
        match self {
            Self::IamRegistered => {
                let user = match present(&told, "userId") {
                    Some(_) => required_id(&told, "userId")?,
                    None => required_id(&told, "id")?,
                };
                let at = required_moment(&told, "registeredAt")?;
                let event = Event::new("iam.user-registered", "iam-service", told);
                Ok(event.user(&user).at("registeredAtIso", at).named(&[&user]))
            }
            Self::GuidesChallenges => {
                let guide = required_id(&told, "guideId")?;
                let challenge = required_id(&told, "challengeId")?;
                let exact = text.and_then(exact_occurred_at);
                let at = exact.map_or_else(|| required_moment(&told, "occurredAt"), Ok)?;
                let event = Event::new("guides.challenge-linked", "guides-service", told);
                Ok(event.at("occurredAtIso", at).named(&[&guide, &challenge]))
            }
            Self::ExecutionAnalytics => {
                let execution = required_id(&told, "executionId")?;
                let at = required_moment(&told, "executedAt")?;
                let status = told
                    .get("status")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                let user = super::fields::person(&told);
                let mut event = Event::new("execution.analytics", "execution-service", told);
                if let Some(user) = user {
                    event = event.user(&user);
                }
                Ok(event.at("executedAtIso", at).named(&[&execution, &status]))
            }
            Self::Community { update } => community(told, update),
            Self::ChallengeCompletion => {
                let challenge = required_id(&told, "challengeId")?;
                let user = match present(&told, "userId") {
                    Some(_) => required_id(&told, "userId")?,
                    None => required_id(&told, "studentId")?,
                };
                first(&told, &["experience", "score"]).ok_or_else(|| missing("score"))?;
                let at = required_moment(&told, "occurredOn")?;
                let event = Event::new("challenges.solution-completed", "challenges-service", told);
                Ok(event
                    .user(&user)
                    .at("occurredOnIso", at)
                    .named(&[&challenge, &user]))
            }
        }
    }
}

/// Without a moment of its own; so two equal ones cannot be told from one sent twice.
fn community(told: Fields, named_update: bool) -> Shaped {
    let user = required_id(&told, "userId")?;
    let name = match told.get("profileUrl") {
        None | Some(Value::Null) if named_update => return Err(missing("profileUrl")),
        None | Some(Value::Null) => "community.user-registered",
        Some(Value::String(_)) => "community.profile-updated",
        Some(_) => {
            let must = "must be null (a registration) or a string (an update)";
            return Err(refuse(Code::WrongType, "profileUrl", must));
        }
    };
    Ok(Event::new(name, "community-service", told).user(&user).0)
}

fn required_moment(fields: &Fields, name: &'static str) -> Result<Moment, Rejection> {
    let value = present(fields, name).ok_or_else(|| missing(name))?;
    Moment::read(value, name)
}

/// `occurredAt` where it is a number, from its digits: as a double it may be of another microsecond.
fn exact_occurred_at(text: &str) -> Option<Moment> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Times<'a> {
        #[serde(borrow)]
        occurred_at: Option<&'a RawValue>,
    }
    let times: Times<'_> = serde_json::from_str(text).ok()?;
    Moment::from_epoch(times.occurred_at?.get())
}

/// An event in the making: all that was told is kept as it is.
struct Event(Made);

impl Event {
    fn new(name: &str, source: &str, told: Fields) -> Self {
        let mut fields = Fields::new();
        fields.insert("eventType".to_owned(), name.into());
        fields.insert("source".to_owned(), source.into());
        if let Some(tenant) = super::fields::text(&told, "tenantId") {
            fields.insert("tenantId".to_owned(), tenant.into());
        }
        let told_id = told.get("eventId").and_then(identifier);
        fields.insert("eventData".to_owned(), told.into());
        let mut made = Made {
            fields,
            ..Made::default()
        };
        name_by(&mut made, told_id, "payload");
        Self(made)
    }

    fn user(mut self, user: &str) -> Self {
        self.0.fields.insert("userId".to_owned(), user.into());
        self
    }

    /// The moment it happened, also beside the form in which it was told.
    fn at(mut self, iso_name: &str, at: Moment) -> Self {
        self.0
            .fields
            .insert("occurredAt".to_owned(), at.iso().into());
        if let Some(Value::Object(data)) = self.0.fields.get_mut("eventData") {
            data.insert(iso_name.to_owned(), at.iso().into());
        }
        self
    }

    /// A name by what happened, to whom and when, so that a message delivered twice counts once.
    fn named(mut self, whom: &[&str]) -> Made {
        let field = |name: &str| {
            self.0
                .fields
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let name = format!(
            "upstream:{}\n{}\n{}",
            field("eventType"),
            whom.join("\n"),
            field("occurredAt")
        );
        self.0.foreign_id.get_or_insert(name);
        self.0
    }
}

#[cfg(test)]
mod tests;
