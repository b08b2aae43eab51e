//! Parts and messages: how a batch is cut, and how parts share messages and wait for confirmation.

use shoreline_shared::lines::Lines;

/// Bytes of the events of a part at most: 96 KiB, so that a part and its envelope always fit a
/// queue message with room for another.
pub const MAX_PART_BYTES: usize = 96 * 1024;

/// Bytes of one stamped event at most, so that it fits a part with its two brackets.
pub const MAX_PART_EVENT_BYTES: usize = MAX_PART_BYTES - 2;

/// Bytes of parts in a message at most. The platform takes 128 KB (128,000 bytes, its own metadata
/// of about 100 included); the rest is for the message's envelope.
pub const MAX_MESSAGE_BYTES: usize = 124_000;

/// Bytes that a part takes in a message beside its events: id, time, count and punctuation.
pub const PART_ENVELOPE_BYTES: usize = 128;

/// Messages of a shard that may wait for confirmation at once, so that a stalled consumer does not
/// fill the queue with copies of the backlog.
pub const MAX_UNCONFIRMED_MESSAGES: usize = 64;

/// Messages that one run of the alarm sends at most: at 128 KB each they stay far below the
/// memory of an isolate, and the next run is due at once where more wait.
pub const MESSAGES_PER_RUN: usize = 8;

/// The resend delay stops doubling here: 2^5 × 2 minutes is about an hour.
const MAX_DOUBLINGS: u32 = 5;

/// A run of a batch's events, immutable once made: the unit of sending, ownership, landing and
/// confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// UUIDv7 of the edge's own.
    pub id: String,
    /// How many events.
    pub n: usize,
    /// A JSON array of stored events.
    pub events: String,
}

/// Cuts a batch at event boundaries into parts of at most [`MAX_PART_BYTES`], in order.
pub fn cut_parts(events: &Lines, mut fresh_id: impl FnMut() -> String) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let lengths = events.iter().map(|event| event.json.len());
    for range in runs(lengths, MAX_PART_BYTES.saturating_sub(2), 1) {
        let n = range.len();
        let mut json = String::from("[");
        for (index, event) in events.iter().skip(range.start).take(n).enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(event.json);
        }
        json.push(']');
        parts.push(Part {
            id: fresh_id(),
            n,
            events: json,
        });
    }
    parts
}

/// Packs parts of these sizes (bytes of events), in order, into messages of at most
/// [`MAX_MESSAGE_BYTES`].
pub fn pack_messages(sizes: &[usize]) -> Vec<std::ops::Range<usize>> {
    runs(
        sizes.iter().copied(),
        MAX_MESSAGE_BYTES,
        PART_ENVELOPE_BYTES,
    )
}

/// Cuts a sequence of lengths into the longest runs whose lengths, each with `overhead`, sum up to
/// `limit` at most. A single length over the limit is a run of its own.
fn runs(
    lengths: impl Iterator<Item = usize>,
    limit: usize,
    overhead: usize,
) -> Vec<std::ops::Range<usize>> {
    let mut runs = Vec::new();
    let (mut start, mut end, mut bytes) = (0_usize, 0_usize, 0_usize);
    for length in lengths {
        let cost = length.saturating_add(overhead);
        if bytes.saturating_add(cost) > limit && end > start {
            runs.push(start..end);
            (start, bytes) = (end, 0);
        }
        bytes = bytes.saturating_add(cost);
        end = end.saturating_add(1);
    }
    if end > start {
        runs.push(start..end);
    }
    runs
}

/// Milliseconds until a part that was sent `sends` times is sent again, unless it is confirmed.
pub fn resend_delay_ms(sends: u32, first_ms: i64) -> i64 {
    let doublings = sends.saturating_sub(1).min(MAX_DOUBLINGS);
    first_ms.saturating_mul(1_i64.checked_shl(doublings).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn resends_double_up_to_an_hour() {
        let minutes: Vec<i64> = (1..9)
            .map(|sends| resend_delay_ms(sends, 120_000) / 60_000)
            .collect();
        assert_eq!(minutes, [2, 4, 8, 16, 32, 64, 64, 64]);
        assert_eq!(resend_delay_ms(0, 120_000), 120_000);
    }

    proptest! {
        #[test]
        fn packing_keeps_every_part_once_in_order_within_the_limit(
            sizes in prop::collection::vec(1_usize..MAX_PART_BYTES, 0..60),
        ) {
            let messages = pack_messages(&sizes);
            let flat: Vec<usize> = messages.iter().flat_map(|run| run.clone()).collect();
            prop_assert_eq!(flat, (0..sizes.len()).collect::<Vec<_>>());
            for run in &messages {
                let bytes: usize = sizes[run.clone()].iter().map(|s| s + PART_ENVELOPE_BYTES).sum();
                prop_assert!(bytes <= MAX_MESSAGE_BYTES);
                prop_assert!(!run.is_empty());
            }
            // No message could have taken the first part of the next one.
            for pair in messages.windows(2) {
                let bytes: usize = sizes[pair[0].clone()].iter().map(|s| s + PART_ENVELOPE_BYTES).sum();
                prop_assert!(bytes + sizes[pair[1].start] + PART_ENVELOPE_BYTES > MAX_MESSAGE_BYTES);
            }
        }
    }
}
