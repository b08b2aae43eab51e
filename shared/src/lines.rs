//! Stored events as they travel and land: lines of JSON in one buffer, and what is counted of each.

use core::ops::Range;

use crate::privacy::path_part;
use crate::stamp::StampedEvent;

/// Stored events of one batch: one line of JSON each, every line with its line break, and beside the
/// text where the facts of each event stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    text: String,
    /// Facts that do not stand in the text as they are: an escaped user id, the path of a URL.
    beside: String,
    places: Vec<Places>,
}

/// Bytes of what an event has beside its line, about: the path of its page.
const PAGE_BYTES: usize = 32;

/// Where the facts of one event stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) line: Range<usize>,
    pub(crate) timestamp: i64,
    pub(crate) received_at: i64,
    pub(crate) event_id: Place,
    pub(crate) event_type: Place,
    pub(crate) source: Place,
    pub(crate) user_id: Option<Place>,
    pub(crate) page: Option<Place>,
    pub(crate) feature: Option<Place>,
}

/// A piece of one of the two buffers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Text(Range<usize>),
    Beside(Range<usize>),
}

/// How long [`Lines`] were, so that what was added since can be taken away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    text: usize,
    beside: usize,
    places: usize,
}

/// One stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The stored event: one JSON object, without a line break.
    pub json: &'a str,
    /// Its id, a lowercase UUID.
    pub event_id: &'a str,
    /// Its type's name.
    pub event_type: &'a str,
    /// Where it comes from: `tracker`, or a service's name.
    pub source: &'a str,
    /// When it happened, Unix milliseconds.
    pub timestamp: i64,
    /// When it was received, Unix milliseconds.
    pub received_at: i64,
    /// The user, or the id that stands for them.
    pub user_id: Option<&'a str>,
    /// As [`StampedEvent::page`].
    pub page: Option<&'a str>,
    /// As [`StampedEvent::feature`].
    pub feature: Option<&'a str>,
}

impl Lines {
    /// Adds an event that was stamped by itself.
    pub fn push(&mut self, event: &StampedEvent) {
        let start = self.text.len();
        self.text.push_str(event.json());
        let line = start..self.text.len();
        self.text.push('\n');
        let places = Places {
            line,
            timestamp: event.timestamp(),
            received_at: event.received_at(),
            event_id: self.beside(event.event_id()),
            event_type: self.beside(event.event_type()),
            source: self.beside(event.source()),
            user_id: event.user_id().map(|text| self.beside(text)),
            page: event.page().map(|text| self.beside(text)),
            feature: event.feature().map(|text| self.beside(text)),
        };
        self.places.push(places);
    }

    /// Keeps a fact beside the text.
    pub(crate) fn beside(&mut self, text: &str) -> Place {
        let start = self.beside.len();
        self.beside.push_str(text);
        Place::Beside(start..self.beside.len())
    }

    /// Keeps the page beside the text, which is part of what stands at `place` under `key`, if any.
    pub(crate) fn page_beside(&mut self, key: &str, place: Range<usize>) -> Option<Place> {
        let path = path_part(key, self.text.get(place)?)?;
        let start = self.beside.len();
        self.beside.push_str(&path);
        Some(Place::Beside(start..self.beside.len()))
    }

    /// The text, to write one more line at its end.
    pub(crate) fn text_mut(&mut self) -> &mut String {
        &mut self.text
    }

    /// Ends the line that was written.
    pub(crate) fn end(&mut self, places: Places) {
        self.text.push('\n');
        self.places.push(places);
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            text: self.text.len(),
            beside: self.beside.len(),
            places: self.places.len(),
        }
    }

    pub(crate) fn reset(&mut self, mark: Mark) {
        self.text.truncate(mark.text);
        self.beside.truncate(mark.beside);
        self.places.truncate(mark.places);
    }

    /// Room for the lines of events of so many bytes.
    pub fn reserve(&mut self, events: usize, bytes: usize) {
        self.text.reserve(bytes);
        self.beside.reserve(events.saturating_mul(PAGE_BYTES));
        self.places.reserve(events);
    }

    /// The event that was added last.
    pub fn last(&self) -> Option<Line<'_>> {
        self.places.last().map(|places| self.line(places))
    }

    /// Takes away the event that was added last.
    pub fn pop(&mut self) {
        if let Some(places) = self.places.pop() {
            self.text.truncate(places.line.start);
        }
    }

    /// All lines, each with its line break.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The events, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Line<'_>> + Clone {
        self.places.iter().map(|places| self.line(places))
    }

    fn line(&self, places: &Places) -> Line<'_> {
        Line {
            json: self.text.get(places.line.clone()).unwrap_or_default(),
            event_id: self.at(&places.event_id),
            event_type: self.at(&places.event_type),
            source: self.at(&places.source),
            timestamp: places.timestamp,
            received_at: places.received_at,
            user_id: places.user_id.as_ref().map(|place| self.at(place)),
            page: places.page.as_ref().map(|place| self.at(place)),
            feature: places.feature.as_ref().map(|place| self.at(place)),
        }
    }

    fn at(&self, place: &Place) -> &str {
        let (buffer, range) = match place {
            Place::Text(range) => (&self.text, range),
            Place::Beside(range) => (&self.beside, range),
        };
        buffer.get(range.clone()).unwrap_or_default()
    }
}

impl StampedEvent {
    /// The event as one of [`Lines`].
    pub fn line(&self) -> Line<'_> {
        Line {
            json: self.json(),
            event_id: self.event_id(),
            event_type: self.event_type(),
            source: self.source(),
            timestamp: self.timestamp(),
            received_at: self.received_at(),
            user_id: self.user_id(),
            page: self.page(),
            feature: self.feature(),
        }
    }
}

impl<'a> FromIterator<&'a StampedEvent> for Lines {
    fn from_iter<I: IntoIterator<Item = &'a StampedEvent>>(events: I) -> Self {
        let mut lines = Self::default();
        events.into_iter().for_each(|event| lines.push(event));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_give_back_what_was_pushed() {
        let texts = [
            r#"{"eventId":"a","eventType":"page_view","source":"tracker","receivedAt":5,"userId":"u\"1","eventData":{"url":"https://a.example/x?utm_source=b"}}"#,
            r#"{"eventId":"b","eventType":"feature_use","source":"s","receivedAt":6,"eventData":{"feature":"f"}}"#,
        ];
        let events = texts.map(|text| StampedEvent::from_json(text).unwrap());
        let lines: Lines = events.iter().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines.text(), format!("{}\n{}\n", texts[0], texts[1]));
        for (line, event) in lines.iter().zip(&events) {
            assert_eq!(line, event.line());
        }
        assert!(Lines::default().is_empty());
    }
}
