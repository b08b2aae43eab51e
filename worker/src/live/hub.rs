//! When a round is due, and the frames of one.

use serde::Serialize;

use super::delta::Delta;
use crate::log::LEASE_LEFT_MS;
use crate::read::live::Live;

/// A frame is sent this long after the one before it at the earliest.
const FRAME_MS: i64 = 1_000;

/// How long after a round the next comes by itself while something is in the window: users stop being
/// active and minutes fall out by time alone.
const REFRESH_MS: i64 = 5_000;

/// How long after a round the next comes while nothing is in the window, and so nothing can change but
/// by an event, which the shards tell: in time to renew their leases.
const RENEW_MS: i64 = LEASE_LEFT_MS.saturating_sub(15_000);

/// How long after a round that failed the next is tried.
const RETRY_MS: i64 = 2_000;

/// How long a round may wait for the shards, in milliseconds.
pub const ROUND_DEADLINE_MS: u64 = 5_000;

/// What an instance of the object knows; another begins with nothing, and sends states.
#[derive(Debug, Default)]
pub struct Hub {
    last: Option<Live>,
    /// The number of the last frame.
    seq: u64,
    /// Somebody waits for a frame.
    wanted: bool,
    /// No round before this time.
    not_before: i64,
}

/// The frames of a round, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frames {
    /// Their number.
    pub seq: u64,
    /// For those that had the last frame.
    delta: Option<String>,
    /// For all others; empty where there are none.
    state: String,
}

impl Frames {
    /// The frame of a socket whose last one had this number.
    pub fn after(&self, seq: Option<u64>) -> &str {
        match &self.delta {
            Some(delta) if follows(self.seq, seq) => delta,
            _ => &self.state,
        }
    }
}

/// Whether the frame `seq` is the next one of a socket that had the frame `had`.
fn follows(seq: u64, had: Option<u64>) -> bool {
    had.is_some_and(|had| had.saturating_add(1) == seq)
}

impl Hub {
    /// A shard has changed, or a socket has opened: a round is wanted.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// When the next round is due, by what is known at `now_ms`.
    pub fn due(&self, now_ms: i64) -> i64 {
        let rest = match &self.last {
            Some(live) if !self.wanted && live.is_empty() => live.as_of.saturating_add(RENEW_MS),
            Some(live) if !self.wanted => live.as_of.saturating_add(REFRESH_MS),
            _ => 0,
        };
        rest.max(self.not_before).max(now_ms)
    }

    /// A round begins: what is wanted from here on, wants the next one.
    pub fn begin(&mut self) {
        self.wanted = false;
    }

    /// The round failed.
    pub fn fail(&mut self, now_ms: i64) {
        self.wanted = true;
        self.not_before = now_ms.saturating_add(RETRY_MS);
    }

    /// Nobody is there any more.
    pub fn forget(&mut self) {
        self.last = None;
        self.wanted = false;
    }

    /// The time of a view that is made at `now_ms`: never before the last one's.
    pub fn view_time(&self, now_ms: i64) -> i64 {
        self.last
            .as_ref()
            .map_or(now_ms, |last| last.as_of.max(now_ms))
    }

    /// The frames that tell `live`, for sockets whose last frames had these numbers.
    pub fn frames(&mut self, live: Live, had: &[Option<u64>]) -> Frames {
        // Numbers go on where the instance before this one stopped: its sockets know.
        let newest = had.iter().flatten().copied().max().unwrap_or(0);
        let seq = self.seq.max(newest).saturating_add(1);
        let delta = self.last.as_ref().map(|last| {
            let data = Delta::between(last, &live);
            frame("delta", seq, &data)
        });
        let all_follow = delta.is_some() && had.iter().all(|had| follows(seq, *had));
        let state = if all_follow {
            String::new()
        } else {
            frame("state", seq, &live)
        };
        self.seq = seq;
        self.not_before = live.as_of.saturating_add(FRAME_MS);
        self.last = Some(live);
        Frames { seq, delta, state }
    }
}

fn frame<T: Serialize>(kind: &'static str, seq: u64, data: &T) -> String {
    #[derive(Serialize)]
    struct Frame<'a, T> {
        r#type: &'static str,
        seq: u64,
        data: &'a T,
    }
    let r#type = kind;
    // Structs of strings, numbers and lists of them always serialize.
    serde_json::to_string(&Frame { r#type, seq, data }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::delta::tests::{any_live, apply};
    use super::*;
    use crate::log::Snapshot;
    use crate::read::live::unite;
    use crate::testing::NOW;

    fn users(n: usize, at: i64) -> Live {
        let visitors = (0..n).map(|user| user.to_string()).collect();
        let snapshot = Snapshot {
            visitors,
            ..Snapshot::default()
        };
        unite(vec![snapshot], at)
    }

    #[test]
    fn a_round_is_due_at_once_then_each_second_and_later_by_itself() {
        let mut hub = Hub::default();
        hub.want();
        assert_eq!(hub.due(NOW), NOW);
        hub.begin();
        hub.frames(users(1, NOW), &[None]);
        // Something is in the window: time alone changes it.
        assert_eq!(hub.due(NOW + 1), NOW + REFRESH_MS);
        hub.want();
        hub.want();
        assert_eq!(hub.due(NOW + 1), NOW + FRAME_MS);
        assert_eq!(hub.due(NOW + 1_500), NOW + 1_500);
        hub.begin();
        hub.frames(users(0, NOW + 1_500), &[Some(1)]);
        // Nothing is: it rests, but not longer than the leases last.
        assert_eq!(hub.due(NOW + 1_501), NOW + 1_500 + RENEW_MS);
        const { assert!(RENEW_MS < LEASE_LEFT_MS) };
        hub.want();
        assert_eq!(hub.due(NOW + 9_000), NOW + 9_000);
    }

    #[test]
    fn a_change_during_a_round_wants_another() {
        let mut hub = Hub::default();
        hub.want();
        hub.begin();
        hub.want();
        hub.frames(users(0, NOW), &[None]);
        assert_eq!(hub.due(NOW), NOW + FRAME_MS);
    }

    #[test]
    fn a_round_that_failed_is_tried_again_after_a_while() {
        let mut hub = Hub::default();
        hub.frames(users(0, NOW), &[None]);
        hub.begin();
        hub.fail(NOW + 50_000);
        assert_eq!(hub.due(NOW + 50_000), NOW + 50_000 + RETRY_MS);
    }

    #[test]
    fn a_new_instance_sends_a_state_to_all_and_counts_on() {
        let mut hub = Hub::default();
        assert_eq!(hub.due(NOW), NOW, "it knows nothing");
        let frames = hub.frames(users(1, NOW), &[Some(41), Some(41), None]);
        assert_eq!(frames.seq, 42);
        for had in [Some(41), None] {
            assert!(
                frames
                    .after(had)
                    .starts_with(r#"{"type":"state","seq":42,"#)
            );
        }
    }

    #[test]
    fn time_never_goes_back() {
        let mut hub = Hub::default();
        assert_eq!(hub.view_time(NOW), NOW);
        hub.frames(users(0, NOW), &[]);
        assert_eq!(hub.view_time(NOW - 5_000), NOW);
        assert_eq!(hub.view_time(NOW + 1), NOW + 1);
    }

    proptest! {
        /// Sockets come and go, the instance is replaced: who applies what it gets has the newest view, and
        /// its numbers have no gap.
        #[test]
        fn whoever_follows_the_frames_has_the_newest_view(
            mut views in prop::collection::vec((any_live(), any::<bool>(), any::<bool>()), 1..12),
        ) {
            views.sort_by_key(|(live, ..)| live.as_of);
            let mut hub = Hub::default();
            let mut clients: Vec<(Option<u64>, Value)> = Vec::new();
            for (live, joins, evicted) in views {
                if evicted {
                    hub = Hub::default();
                }
                if joins || clients.is_empty() {
                    clients.push((None, Value::Null));
                }
                let want = serde_json::to_value(&live).unwrap();
                let had: Vec<Option<u64>> = clients.iter().map(|(seq, _)| *seq).collect();
                let frames = hub.frames(live, &had);
                for (seq, state) in &mut clients {
                    let frame: Value = serde_json::from_str(frames.after(*seq)).unwrap();
                    prop_assert!(seq.is_none_or(|seq| frame["seq"] == seq + 1));
                    prop_assert_eq!(frame["seq"].as_u64(), Some(frames.seq));
                    if frame["type"] == "state" {
                        *state = frame["data"].clone();
                    } else {
                        prop_assert!(seq.is_some() && !evicted, "a delta needs a state before it");
                        apply(state, &frame["data"]);
                    }
                    *seq = Some(frames.seq);
                    prop_assert_eq!(&*state, &want);
                }
            }
        }
    }
}
