//! A batch, once sealed, never changes.

use alloc::string::String;

use crate::text::{cut, push_all, push_number};

/// What a body holds beside the events, bytes: `{"batchId":"…","sentAt":…,"events":[…]}` with an
/// id of 36 and a time of 13 digits is 85. Times are below 2⁵³, which has 16 digits: 88.
pub const ENVELOPE_BYTES: usize = 88;

/// What stands between two events. `JSON.stringify` writes no line breaks, so a break in the text
/// is always the end of an event, and a batch can be split without being parsed.
const SEPARATOR: &str = ",\n";

/// Serialized events, one after the other.
#[derive(Debug, Default)]
pub struct Events {
    text: String,
    count: usize,
}

impl Events {
    /// No events.
    pub const fn new() -> Self {
        Self {
            text: String::new(),
            count: 0,
        }
    }

    /// Takes them all; none are left.
    pub fn take(&mut self) -> Self {
        core::mem::replace(self, Self::new())
    }

    /// Adds a serialized event.
    pub fn push(&mut self, event: &str) {
        if self.count > 0 {
            self.text.push_str(SEPARATOR);
        }
        self.text.push_str(event);
        self.count = self.count.wrapping_add(1);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How long a body with these events, and one more of `more` bytes, would be.
    pub fn body_bytes_with(&self, more: usize) -> usize {
        // Wrapping, here and elsewhere where bytes in memory are added up: they are fewer than
        // there are numbers.
        self.text
            .len()
            .wrapping_add(more)
            .wrapping_add(SEPARATOR.len())
            .wrapping_add(ENVELOPE_BYTES)
    }
}

/// Events that travel together under one id.
///
/// The collector knows a batch by its id and counts it once, however often it comes. That holds
/// only if the same id always means the same events: so there is no way to change one.
#[derive(Debug)]
pub struct SealedBatch {
    id: String,
    events: Events,
}

impl SealedBatch {
    /// Seals events under an id.
    pub fn seal(id: String, events: Events) -> Self {
        Self { id, events }
    }

    /// The id by which the collector recognizes the batch.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many events there are.
    pub fn count(&self) -> usize {
        self.events.count
    }

    /// The length of a body, or a little more.
    pub fn bytes(&self) -> usize {
        self.events.body_bytes_with(0)
    }

    /// What is posted at `now`. Only `sentAt` differs from one attempt to the next: the collector
    /// tells by it how far this device's clock is off.
    pub fn body(&self, now: f64) -> String {
        let mut out = String::new();
        push_all(&mut out, &["{\"batchId\":\"", &self.id, "\",\"sentAt\":"]);
        push_number(&mut out, now);
        push_all(&mut out, &[",\"events\":[", &self.events.text, "]}"]);
        out
    }

    /// The two halves, for a collector that found the whole too large; none if there is one event
    /// only. The events keep their ids, so that what was taken after all is known again.
    pub fn halves(&self) -> Option<[Events; 2]> {
        let Events { text, count } = &self.events;
        let half = count / 2;
        let mut at: usize = 0;
        for _ in 0..half {
            let (event, _) = cut(text.get(at..)?, b'\n');
            at = at.wrapping_add(event.len()).wrapping_add(1);
        }
        // With no event in the first half this wraps, and there is no such part of the text.
        let front = text.get(..at.wrapping_sub(SEPARATOR.len()))?;
        Some([
            Events {
                text: String::from(front),
                count: half,
            },
            Events {
                text: String::from(text.get(at..)?),
                count: count.wrapping_sub(half),
            },
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(events: &[&str]) -> SealedBatch {
        let mut all = Events::new();
        for event in events {
            all.push(event);
        }
        SealedBatch::seal("0198c1d2-0000-7000-8000-000000000001".into(), all)
    }

    #[test]
    fn a_body_is_json() {
        let body = batch(&["{\"n\":1}", "{\"n\":2}"]).body(1_705_334_400_000.0);
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        let expected = serde_json::json!({
            "batchId": "0198c1d2-0000-7000-8000-000000000001",
            "sentAt": 1_705_334_400_000_u64,
            "events": [{"n": 1}, {"n": 2}],
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn a_body_is_no_longer_than_said() {
        let batch = batch(&["{\"n\":1}"]);
        assert!(batch.body(9_007_199_254_740_991.0).len() <= batch.bytes());
    }

    #[test]
    fn halves_hold_all_events_in_order() {
        for count in 2..8 {
            let texts: Vec<String> = (0..count).map(|n| format!("{{\"n\":{n}}}")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let [front, back] = batch(&texts).halves().unwrap();
            assert_eq!(front.count() + back.count(), texts.len());
            assert_eq!(front.count(), texts.len() / 2);
            let both = format!("{}{SEPARATOR}{}", front.text, back.text);
            assert_eq!(both, texts.join(SEPARATOR));
        }
    }

    #[test]
    fn one_event_has_no_halves() {
        assert!(batch(&["{}"]).halves().is_none());
    }
}
