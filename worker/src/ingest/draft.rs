//! What a request brings, whatever its protocol: items that may become events.
//!
//! An adapter turns a foreign payload into drafts and nothing else: it validates nothing, cleans
//! nothing, and knows neither site nor clock. All drafts go the same way from here.

use serde_json::{Map, Value};
use shoreline_shared::event::{RawEvent, Rejection};
use shoreline_shared::pass::Tape;

use crate::ingest::history::History;

/// One item of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Draft<'a> {
    /// An event in Shoreline's own form, still text.
    Text(&'a str),
    /// The same, and scanned already: `place` is where it stands on the tape of [`Body`].
    Scanned {
        /// Its JSON.
        text: &'a str,
        /// [`shoreline_shared::pass::Scanned::place`].
        place: usize,
    },
    /// An event that an adapter made.
    Made(Made),
    /// An item of a shape that no adapter knows: left out, counted, and logged with the forms of its keys only.
    Unknown {
        /// What the item's own keys look like (the first of them, cut), never its values.
        keys: Vec<String>,
    },
    /// An item that its adapter refuses: of a known shape, and broken.
    Refused(Rejection),
}

/// An event made of a foreign payload.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made {
    /// The event's fields, as a sender of `/v1/ingest` would write them: `eventType`, `source`,
    /// `userId`, `sessionId`, `timestamp`, `tenantId`, `eventData`, `metadata`, `eventId` (UUID).
    pub fields: Map<String, Value>,
    /// What its sender calls it, where that is no UUID of ours: namespaced (`segment:…`,
    /// `cloudevents:<source>\n<id>`), hashed with the site into the event's id.
    pub foreign_id: Option<String>,
    /// When its sender sent it, by the same clock as its timestamp, Unix milliseconds; where items
    /// of one request may differ in it. What is here goes before [`Delivery::sent_at`].
    pub sent_at: Option<i64>,
    /// It says who somebody is and nothing else: left out of the visit of somebody who asked not to
    /// be followed.
    pub tells_who: bool,
    /// Of a line of an import: what is known of its receipt, which is not now.
    pub history: Option<History>,
}

/// A request's items, and what holds for all of them.
#[derive(Debug, Default)]
pub struct Delivery<'a> {
    /// The sender's own name of the whole: a `batchId` or an `Idempotency-Key`.
    pub batch_id: Option<String>,
    /// When it was sent, by the sender's clock, Unix milliseconds.
    pub sent_at: Option<i64>,
    /// How many events the sender says it had to drop since its last delivery.
    pub dropped: u32,
    /// The items, in the sender's order.
    pub drafts: Vec<Draft<'a>>,
    /// The text of each, where it has one of its own: to be kept where it is refused.
    pub texts: Vec<&'a str>,
    /// What those of them stand in that were scanned.
    pub body: Body<'a>,
}

impl<'a> Delivery<'a> {
    /// The session that a page's batch is of: a batch has one page's events, and its first event tells.
    pub fn session(&self) -> Option<&'a str> {
        let Draft::Scanned { place, .. } = self.drafts.first()? else {
            return None;
        };
        let event = self.body.tape.value(self.body.text, *place);
        let mut fields = event.children();
        fields
            .find(|field| field.key() == Some("sessionId"))?
            .plain()
    }
}

/// A body that was scanned as a whole.
#[derive(Debug, Default)]
pub struct Body<'a> {
    /// Its JSON.
    pub text: &'a str,
    /// Where its values stand.
    pub tape: Tape,
}

/// A draft that is an event, whoever made it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawDraft {
    /// The event.
    pub event: RawEvent,
    /// As in [`Made`].
    pub foreign_id: Option<String>,
    /// As in [`Made`].
    pub sent_at: Option<i64>,
    /// As in [`Made`].
    pub history: Option<History>,
}

impl Draft<'_> {
    /// The event; `None` of an item that is left out.
    ///
    /// # Errors
    /// What [`RawEvent::parse`] or the adapter refuses.
    pub fn into_raw(self) -> Result<Option<RawDraft>, Rejection> {
        match self {
            Self::Text(text) | Self::Scanned { text, .. } => Ok(Some(RawDraft {
                event: RawEvent::parse(text)?,
                foreign_id: None,
                sent_at: None,
                history: None,
            })),
            Self::Made(made) => Ok(Some(RawDraft {
                event: RawEvent::from_value(Value::Object(made.fields))?,
                foreign_id: made.foreign_id,
                sent_at: made.sent_at,
                history: made.history,
            })),
            Self::Unknown { .. } => Ok(None),
            Self::Refused(rejection) => Err(rejection),
        }
    }
}
