//! The way that nearly all events take: from the bytes of a batch to the stored lines, without a
//! tree.
//!
//! A [`Tape`] notes in one scan where the values of a text stand. [`Pass::event`] reads one event
//! from it, checks it, cleans it and writes its line, borrowing what it can. Whatever is unusual
//! (an escape in a key, a key that comes twice or needs cleaning, half a surrogate pair, anything
//! that `validate` would refuse) it leaves to the slow way, `RawEvent` ▸ `ValidEvent` ▸ `CleanEvent`
//! ▸ `StampedEvent`, which also words refusals. Both ways write the same line for every event.

use crate::event_type::TrackerType;
use crate::id::{is_derived, uuid_bits};
use crate::limits::MAX_EVENT_BYTES;
use crate::lines::{Lines, Place, Places};
use crate::privacy::path_part;
use crate::sanitize::Privacy;
use crate::validate::{Rules, Sender, is_dots};

mod content;
mod fields;
mod keys;
mod line;
mod metadata;
mod origin;
mod scan;
mod tape;
mod text;
mod view;

use content::{Content, Found, Scratch, Watch};
use fields::{Fields, Identifier, Type, is_told, present};
use line::{Fixed, Head};
use metadata::{Edge, Metadata};
pub use scan::Tape;
use tape::Pair;
pub use tape::{Kind, Scanned};
pub use view::{
    Change, Origin, Own, PAGE_KEYS, PARAMETERS, REFERRER, REFERRER_HOST, REFERRER_SOURCE, Told,
    parameter,
};

/// What holds for all events of a request.
#[derive(Debug, Clone, Copy)]
pub struct Common<'a> {
    /// Who sends.
    pub sender: Sender<'a>,
    /// The moment, which is also that of receipt, and how old an event may be.
    pub rules: Rules,
    /// How private events are made.
    pub privacy: &'a Privacy,
    /// The site.
    pub site_id: &'a str,
    /// The source of an event that names none.
    pub source: &'a str,
    /// The batch's id as it is stored.
    pub batch_id: Option<&'a str>,
    /// By the edge's own data.
    pub country: Option<&'a str>,
    /// Likewise.
    pub region: Option<&'a str>,
    /// Of a page, what its user agent tells; a service's events each have one of their own.
    pub agent: Option<Agent>,
}

/// Browser, operating system and class of device, as far as a user agent tells them.
pub type Agent = [Option<&'static str>; 3];

/// What the collector knows how to do for an event.
pub trait Collector {
    /// An id for the event with this index, which has none.
    fn event_id(&self, index: usize) -> String;
    /// An event's time, given by its sender's clock, by ours.
    fn timestamp(&self, told: i64) -> i64;
    /// What a user agent tells.
    fn agent(&self, user_agent: &str) -> Agent;
    /// Where the visitor of a page view came from; `None` where the slow way shall look at it.
    fn origin<'t>(&self, told: &'t Told<'_>) -> Option<Origin<'t>>;
}

/// The pass over the events of one request.
pub struct Pass<'a, C> {
    common: Common<'a>,
    collector: C,
    fixed: Fixed,
    edge: Option<Edge>,
    scratch: Scratch<'a>,
    metadata: Metadata<'a>,
}

impl<'a, C: Collector> Pass<'a, C> {
    /// For the events of one request; `None` where all of them have to take the slow way.
    pub fn new(common: Common<'a>, collector: C) -> Option<Self> {
        Some(Self {
            fixed: Fixed::of(&common),
            edge: Edge::of(&common)?,
            common,
            collector,
            scratch: Scratch::new(),
            metadata: Metadata::default(),
        })
    }

    /// Writes the line of one event, the `index`th of its batch, and gives its id's bits; `None`,
    /// and nothing written, where it has to take the slow way.
    pub fn event(
        &mut self,
        event: Scanned<'a, '_>,
        index: usize,
        lines: &mut Lines,
    ) -> Option<u128> {
        let mark = lines.mark();
        let id = self.write(event, index, lines);
        if id.is_none() {
            lines.reset(mark);
            self.scratch.members.clear();
        }
        id
    }

    fn write(&mut self, event: Scanned<'a, '_>, index: usize, lines: &mut Lines) -> Option<u128> {
        if event.kind() != Kind::Object || event.raw().len() > MAX_EVENT_BYTES {
            return None;
        }
        let fields = Fields::of(event)?;
        let sender = &self.common.sender;
        let event_type = fields::event_type(&fields, sender)?;
        let source = fields::source(&fields, sender, event_type)?;
        let person = |field| match event_type.tracker {
            Some(_) => fields::required(field).map(Some),
            None => fields::optional(field),
        };
        let (user_id, session_id) = (person(fields.user_id)?, person(fields.session_id)?);
        if user_id.as_ref().is_some_and(|id| is_dots(id.text())) {
            return None;
        }
        let own_id = fields::event_id(&fields)?;
        if self.edge.is_some() && own_id.is_some_and(is_derived) {
            return None;
        }
        let timestamp = fields::timestamp(&fields, &self.common.rules)?;
        let timestamp = self.collector.timestamp(timestamp);
        let tenant_id = fields::optional(fields.tenant_id)?;
        self.settle_metadata(event, &fields, event_type)?;
        let made_id;
        let event_id = match own_id {
            Some(own) => own,
            None => {
                made_id = self.collector.event_id(index);
                &made_id
            }
        };
        let bits = uuid_bits(event_id)?;
        let is_plain = matches!(
            (&user_id, &session_id),
            (Some(Identifier::Plain(_)), Some(Identifier::Plain(_)))
        );
        let start = lines.text().len();
        let heads = self.fixed.write_head(
            lines,
            &Head {
                event_id,
                event_type: event_type.name,
                source: source.as_ref(),
                tenant_id: tenant_id.as_ref(),
                user_id: user_id.as_ref(),
                session_id: session_id.as_ref(),
                name: pair(own_id.and(fields.event_id), fields.event_type),
                person: pair(fields.user_id, fields.session_id).filter(|_| is_plain),
                timestamp,
                middle: self.metadata.middle(),
            },
        )?;
        let (page, feature) = self.write_data(event, &fields, event_type, lines)?;
        let out = lines.text_mut();
        out.push_str(self.metadata.tail());
        let line = start..out.len();
        lines.end(Places {
            line,
            timestamp,
            received_at: self.common.rules.now_ms,
            event_id: heads.event_id,
            event_type: heads.event_type,
            source: heads.source,
            user_id: heads.user_id,
            page,
            feature,
        });
        Some(bits)
    }

    /// Has the event's metadata written, unless the last event's was the same.
    fn settle_metadata(
        &mut self,
        event: Scanned<'a, '_>,
        fields: &Fields<'a, '_>,
        event_type: Type<'_>,
    ) -> Option<()> {
        let metadata = present(fields.metadata);
        let of_tracker = event_type.tracker.is_some();
        if self.metadata.is_of(metadata, of_tracker) {
            return Some(());
        }
        let content = Content::of(event, &mut self.scratch, self.common.privacy.hash_routing);
        let written = self.metadata.write(
            metadata,
            of_tracker,
            self.edge.as_ref(),
            &self.fixed,
            content,
            &self.collector,
        );
        if written.is_none() {
            self.metadata = Metadata::default();
        }
        written
    }

    /// Writes `eventData`; gives the page and the feature that it names.
    fn write_data(
        &mut self,
        event: Scanned<'a, '_>,
        fields: &Fields<'a, '_>,
        event_type: Type<'_>,
        lines: &mut Lines,
    ) -> Option<(Option<Place>, Option<Place>)> {
        let mut content = Content::of(event, &mut self.scratch, self.common.privacy.hash_routing);
        if let Some(data) = present(fields.event_data) {
            if data.kind() != Kind::Object {
                return None;
            }
            content.gather(data.place())?;
        }
        match event_type.tracker {
            Some(TrackerType::PageView) => {
                let told = content.told()?;
                content.put(&self.collector.origin(&told)?);
                let keys = ["path", "url", "page"];
                let mut watch = Watch::of(keys);
                content.write(lines.text_mut(), 0, &mut watch)?;
                let mut found = keys.into_iter().zip(watch.found());
                let page = found.find_map(|(key, found)| page(lines, key, found?));
                Some((page, None))
            }
            Some(TrackerType::FeatureUse) => {
                let data = present(fields.event_data)?;
                let mut fields = data.children();
                if !is_told(fields.find(|field| field.key() == Some("feature"))) {
                    return None;
                }
                let mut watch = Watch::of(["feature"]);
                content.write(lines.text_mut(), 0, &mut watch)?;
                let [feature] = watch.found();
                Some((None, feature.map(|found| fact(lines, found))))
            }
            // It says who somebody is: few do, and the slow way cleans that as it does a user's id.
            Some(TrackerType::Identify) => None,
            _ => {
                content.write(lines.text_mut(), 0, &mut Watch::of([]))?;
                Some((None, None))
            }
        }
    }
}

/// Two fields as they stand in the event, if they are texts and stand together.
fn pair<'a>(first: Option<Scanned<'a, '_>>, second: Option<Scanned<'a, '_>>) -> Option<Pair<'a>> {
    Pair::of(first?, second?)
}

fn page(lines: &mut Lines, key: &str, found: Found) -> Option<Place> {
    match found {
        Found::Place(place) => lines.page_beside(key, place),
        Found::Text(url) => path_part(key, &url).map(|path| lines.beside(&path)),
    }
}

fn fact(lines: &mut Lines, found: Found) -> Place {
    match found {
        Found::Place(place) => Place::Text(place),
        Found::Text(text) => lines.beside(&text),
    }
}
