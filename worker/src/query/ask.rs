//! The question: the body of the call, read and checked.

use serde_json::{Map, Value};

use super::field::{Field, Fields};
use super::filter::{Filter, Reader};
use super::metric::ENGAGED;
use super::panel::Panel;
use super::range::{Compare, Range, Span};
use super::wrong;
use crate::http::error::Fault;
use crate::http::fields::object;
use shoreline_shared::event_type::{PAGE_VIEW, TrackerType};

/// Fields of the body.
pub const FIELDS: &[&str] = &[
    "metrics",
    "dimensions",
    "filters",
    "goal",
    "range",
    "timeZone",
    "compare",
    "orderBy",
    "limit",
    "cursor",
];

/// Fields of the body of several questions about the same events.
pub const PANELS_FIELDS: &[&str] = &[
    "panels",
    "panels.metrics",
    "panels.dimensions",
    "panels.filters",
    "panels.goal",
    "panels.orderBy",
    "panels.limit",
    "panels.cursor",
    "filters",
    "range",
    "timeZone",
    "compare",
];

/// Questions that are asked at once at most: the tables of a dashboard's view.
const MAX_PANELS: usize = 20;

/// Characters of a zone's name at most.
const MAX_ZONE_CHARS: usize = 64;

/// What a field is asked for, as bits: by the filter, by what users did, by sessions as a whole, by rows.
pub(super) const OF_FILTER: u8 = 1;
pub(super) const OF_DIDS: u8 = 2;
pub(super) const OF_VISITS: u8 = 4;
pub(super) const OF_ROWS: u8 = 8;

/// What is kept of the views at a session's ends: page, source, channel.
pub(super) const KEPT: usize = 3;

/// A checked question, or several about the same events.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// All that is asked of events; what follows names them by their places.
    pub(super) fields: Fields,
    pub(super) filter: Option<Filter>,
    pub(super) dids: Vec<Filter>,
    pub(super) panels: Vec<Panel>,
    /// The field that tells how long a page was looked at, where sessions are looked at as a whole.
    pub(super) engaged: Option<usize>,
    /// The fields that are kept of the views at a session's ends, where they are asked for.
    pub(super) kept: [Option<usize>; KEPT],
    /// Whether it asks what the first, and what the last view of a session has.
    pub(super) has_ends: [bool; 2],
    /// Whether sessions must be known before events are filtered and grouped.
    pub(super) by_session: bool,
    /// Whether bounces or durations are asked for.
    pub(super) counts_visits: bool,
    /// The range.
    pub range: Range,
    /// What it is compared with.
    pub compare: Option<Compare>,
    /// The zone, as it was written.
    pub time_zone: String,
    /// By field, what it is asked for.
    uses: Vec<u8>,
}

impl Question {
    /// Reads the body of one question.
    ///
    /// # Errors
    /// With the path of what is wrong; [`Fault::Malformed`] for what is no object.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        let body = object(body, FIELDS)?;
        Self::of(&body, std::slice::from_ref(&body), None, Field::Page)
    }

    /// Reads the body of several questions, each with a filter of its own beside the common one.
    ///
    /// # Errors
    /// As [`Question::parse`].
    pub fn parse_panels(body: &[u8]) -> Result<Self, Fault> {
        Self::parse_panels_of(body, Field::Page)
    }

    /// The same, where `page` is what an event's page is.
    ///
    /// # Errors
    /// As [`Question::parse`].
    pub(super) fn parse_panels_of(body: &[u8], page: Field) -> Result<Self, Fault> {
        let body = object(body, PANELS_FIELDS)?;
        let detail = "panels are 1 to 20 questions, each an object.";
        let panels = body.get("panels").and_then(Value::as_array);
        let panels = panels.filter(|panels| (1..=MAX_PANELS).contains(&panels.len()));
        let panels = panels.ok_or_else(|| wrong("panels", detail))?;
        let mut objects = Vec::new();
        for (at, panel) in panels.iter().enumerate() {
            let panel = panel.as_object().cloned();
            objects.push(panel.ok_or_else(|| wrong(&format!("panels[{at}]"), detail))?);
        }
        Self::of(&body, &objects, body.get("filters"), page)
    }

    fn of(
        body: &Map<String, Value>,
        panels: &[Map<String, Value>],
        common: Option<&Value>,
        page: Field,
    ) -> Result<Self, Fault> {
        let is_alone = !body.contains_key("panels");
        let mut fields = Fields::default();
        let mut reader = Reader::new(&mut fields, page);
        let mut filter = reader.root(common, "filters")?;
        let mut read = Vec::new();
        for (at, panel) in panels.iter().enumerate() {
            let path = if is_alone {
                String::new()
            } else {
                format!("panels[{at}].")
            };
            read.push(Panel::read(panel, &path, &mut reader)?);
        }
        let dids = reader.dids;
        if let (true, Some(panel)) = (is_alone, read.first_mut()) {
            filter = panel.filter.take();
        }
        let mut question = Self {
            fields,
            filter,
            dids,
            counts_visits: read.iter().any(|panel| panel.counted.visits),
            panels: read,
            engaged: None,
            kept: [None; KEPT],
            has_ends: [false; 2],
            by_session: false,
            range: Range::parse(body.get("range"))?,
            compare: Compare::parse(body.get("compare"))?,
            time_zone: zone(body.get("timeZone"))?,
            uses: Vec::new(),
        };
        question.look_at_sessions();
        question.note_uses();
        Ok(question)
    }

    /// Adds the fields that sessions are known by.
    fn look_at_sessions(&mut self) {
        let fields = &mut self.fields;
        let has =
            |fields: &Fields, wanted: &[Field]| fields.0.iter().any(|field| wanted.contains(field));
        self.by_session = fields.0.iter().any(Field::is_of_session);
        if !self.by_session && !self.counts_visits {
            return;
        }
        let of_first = [Field::EntryPage, Field::Source, Field::Channel];
        self.has_ends = [has(fields, &of_first), has(fields, &[Field::ExitPage])];
        let left = Some(TrackerType::PageLeave.as_str());
        self.engaged = Some(fields.place(Field::Property(ENGAGED.to_owned(), left)));
        let ends: [(&[Field], Field); KEPT] = [
            (&[Field::EntryPage, Field::ExitPage], Field::VIEWED),
            (
                &[Field::Source],
                Field::Property(SOURCE.to_owned(), Some(PAGE_VIEW)),
            ),
            (&[Field::Channel], Field::ViewChannel),
        ];
        for (kept, (wanted, of_view)) in self.kept.iter_mut().zip(ends) {
            if has(fields, wanted) {
                *kept = Some(fields.place(of_view));
            }
        }
    }

    fn note_uses(&mut self) {
        let mut uses = vec![0_u8; self.fields.0.len()];
        let mut note = |place: usize, flag: u8| {
            if let Some(uses) = uses.get_mut(place) {
                *uses |= flag;
            }
        };
        let of = |filters: &mut dyn Iterator<Item = &Filter>, note: &mut dyn FnMut(usize)| {
            filters.for_each(|filter| filter.note_fields(note));
        };
        of(&mut self.filter.iter(), &mut |place| note(place, OF_FILTER));
        of(&mut self.dids.iter(), &mut |place| note(place, OF_DIDS));
        for panel in &self.panels {
            let filters = panel.filter.iter().chain(&panel.goal);
            of(&mut filters.into_iter(), &mut |place| note(place, OF_ROWS));
            let measured = panel.counted.measures.iter().map(|measure| measure.field);
            for place in panel.dimensions.iter().copied().chain(measured) {
                note(place, OF_ROWS);
            }
        }
        for place in self
            .engaged
            .into_iter()
            .chain(self.kept.into_iter().flatten())
        {
            note(place, OF_VISITS);
            if self.counts_visits && !self.by_session {
                note(place, OF_ROWS);
            }
        }
        self.uses = uses;
    }

    /// Within which moments the offsets of its zone must be known.
    pub fn window(&self, now_ms: i64) -> Span {
        self.range.window(now_ms, self.compare.is_some())
    }

    /// Whether a field is asked for by what a flag stands for.
    pub(super) fn uses(&self, place: usize, flag: u8) -> bool {
        self.uses.get(place).is_some_and(|uses| uses & flag != 0)
    }
}

/// What a report calls the source of a view.
const SOURCE: &str = "referrerSource";

/// Puts the site's time zone into a body that names none; whether it did.
pub fn put_zone(body: &mut Map<String, Value>, zone: Option<&str>) -> bool {
    let is_named = body.get("timeZone").is_some_and(|value| !value.is_null());
    match zone {
        Some(zone) if !is_named => {
            body.insert("timeZone".to_owned(), zone.into());
            true
        }
        _ => false,
    }
}

fn zone(value: Option<&Value>) -> Result<String, Fault> {
    let zone = match value {
        None | Some(Value::Null) => Some("UTC"),
        Some(value) => value.as_str(),
    };
    let zone = zone.filter(|zone| (1..=MAX_ZONE_CHARS).contains(&zone.len()));
    zone.map(str::to_owned)
        .ok_or_else(|| wrong("timeZone", NO_ZONE))
}

/// What a name is told that the platform does not know.
pub(super) const NO_ZONE: &str =
    "timeZone is the name of an IANA time zone, such as Europe/Berlin.";
