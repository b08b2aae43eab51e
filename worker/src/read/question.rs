//! What the `POST /v1/analytics/query/…` calls have in common: a JSON body that becomes a question to the
//! archive, whose shards each answer a part.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::archive::scan::{Asked, Part, Walk};
use crate::base::time::date;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::params::Params;

/// A question.
pub trait Question: Sized {
    /// What a shard answers.
    type Found: DeserializeOwned;
    /// The answer.
    type Answer: Serialize;
    /// Checks the body.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] with the field, [`Fault::Malformed`] for what is no object.
    fn parse(body: &[u8], now_ms: i64) -> Result<Self, Fault>;
    /// What each shard of the archive is asked.
    fn asked(&self) -> Ask;
    /// The answer from what the shards found; `meta` of what was asked of events that are picked.
    fn answer(&self, found: Vec<Told<Self::Found>>, meta: Option<Meta>) -> Self::Answer;
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// By the archive itself.
    Archive(Asked),
    /// By events that are picked.
    Events(OfEvents),
}

#[cfg(test)]
impl Ask {
    /// What the archive itself is asked.
    pub(crate) fn of_archive(self) -> Asked {
        match self {
            Self::Archive(asked) => asked,
            Self::Events(_) => panic!("it takes events that are picked"),
        }
    }
}

/// A question about events that are picked.
#[derive(Debug, Clone, PartialEq)]
pub struct OfEvents {
    /// What picks them, as the body of several questions: an event that counts in one of them is picked.
    pub body: Map<String, Value>,
    /// What becomes of them.
    pub walk: Walk,
}

/// What a shard found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told<T> {
    /// As the archive tells it.
    pub found: T,
    /// The values of which it tells numbers, the first that of number 1.
    pub values: Vec<String>,
    /// Users by their hashes in order, with their ids; none of who was erased.
    pub names: Vec<(u64, Option<String>)>,
}

impl<T> Told<T> {
    /// What has neither values nor names.
    pub fn plain(found: T) -> Self {
        Self {
            found,
            values: Vec::new(),
            names: Vec::new(),
        }
    }
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = EventsMeta))]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// Unix milliseconds.
    pub from: i64,
    /// The first moment after it.
    pub to: i64,
    /// The zone whose clocks dates and days are of.
    pub time_zone: String,
    /// From when on events are kept, where that is later than `from`.
    pub covered_from: i64,
    /// The first and the last local day, since 1970.
    #[serde(skip)]
    pub days: (i64, i64),
    /// The local day now.
    #[serde(skip)]
    pub today: i64,
}

/// Fields and parameters that ask for events that are picked.
const OF_EVENTS: [&str; 3] = ["filters", "range", "timeZone"];

/// Whether a body asks for events that are picked.
pub(super) fn is_of_events(fields: &Map<String, Value>) -> bool {
    OF_EVENTS.iter().any(|name| given(fields, name).is_some())
}

/// The body that picks events: those that pass `filters` in the range of a body, and some panel.
///
/// # Errors
/// Where the body has two ranges.
pub(super) fn picking(
    fields: &Map<String, Value>,
    days: Days,
    panels: Vec<Value>,
) -> Result<Map<String, Value>, Fault> {
    let mut body = Map::new();
    for name in ["filters", "timeZone"] {
        if let Some(value) = given(fields, name) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    body.insert("range".to_owned(), range_of(fields, days)?);
    body.insert("panels".to_owned(), panels.into());
    Ok(body)
}

fn given<'f>(fields: &'f Map<String, Value>, name: &str) -> Option<&'f Value> {
    fields.get(name).filter(|value| !value.is_null())
}

/// The range of a body, or else its first and last date.
///
/// # Errors
/// Where the body has both.
pub fn range_of(fields: &Map<String, Value>, days: Days) -> Result<Value, Fault> {
    let Some(range) = given(fields, "range") else {
        return Ok(json!([date(days.first), date(days.last)]));
    };
    for name in ["startDate", "endDate"] {
        if given(fields, name).is_some() {
            return Err(Fault::InvalidParameter {
                name,
                detail: "Either range or startDate and endDate say when.",
            });
        }
    }
    Ok(range.clone())
}

/// A panel that all events pass.
pub(super) fn panel() -> Value {
    json!({"metrics": ["events"]})
}

/// The parameters of a query that ask for events that are picked, as fields of a body; none where there are none.
///
/// # Errors
/// Where filters are no JSON.
pub fn fields_of(params: &Params) -> Result<Option<Map<String, Value>>, Fault> {
    if OF_EVENTS.iter().all(|name| params.get(name).is_none()) {
        return Ok(None);
    }
    let mut fields = Map::new();
    for name in ["timeZone", "startDate", "endDate"] {
        if let Some(text) = params.get(name) {
            fields.insert(name.to_owned(), text.into());
        }
    }
    if let Some(text) = params.get("filters") {
        let filters = crate::base::json::read::<Vec<Value>>(text.as_bytes());
        let filters = filters.map_err(|_| Fault::InvalidParameter {
            name: "filters",
            detail: "filters are a filter as JSON, percent-encoded.",
        })?;
        fields.insert("filters".to_owned(), filters.into());
    }
    if let Some(range) = params.get("range") {
        let range = match range.split_once(',') {
            Some((first, last)) => json!([first, last]),
            None => range.into(),
        };
        fields.insert("range".to_owned(), range);
    }
    Ok(Some(fields))
}

/// Refuses what a metric of first events and rolling weeks has no meaning for.
///
/// # Errors
/// With the first such parameter.
pub(super) fn of_sums_alone(params: &Params) -> Result<(), Fault> {
    let given = OF_EVENTS.iter().find(|name| params.get(name).is_some());
    given.map_or(Ok(()), |name| {
        Err(Fault::InvalidParameter {
            name,
            detail: "The platform's figures are of first events ever and of weeks and months that reach back beyond \
                a range, in UTC: of some events alone they have no meaning. POST /v1/analytics/query answers users, \
                sessions, durations and sums of events that pass filters.",
        })
    })
}

/// What shards found, and the segments that none of them could read, which are not in it.
pub fn found<T>(parts: Vec<Part<T>>) -> (Vec<T>, i64) {
    let unreadable = parts.iter().map(|part| part.unreadable);
    let unreadable = unreadable.fold(0, i64::saturating_add);
    (
        parts.into_iter().map(|part| part.found).collect(),
        unreadable,
    )
}

/// An answer, a JSON object, that says how many segments are missing in it, where any are.
pub fn with_missing(mut json: String, segments: i64) -> String {
    if segments > 0 && json.pop() == Some('}') {
        json.push_str(&format!(",\"unreadableSegments\":{segments}}}"));
    }
    json
}
