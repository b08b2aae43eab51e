//! How long a run of a reshard goes on, and how long it rests then.

use super::Phase;

/// How long a run of the alarm goes on with it, in milliseconds: the archive's own sinks wait meanwhile.
const RUN_MS: i64 = 5_000;

/// Rounds of a run at most: each is a call of sixteen archives at most, of the 1,000 of the smaller plans.
const MOST_ROUNDS: usize = 40;

/// How long it rests where a step is not done, in milliseconds: sinks and D1 get their turn.
pub const REST_MS: i64 = 500;

/// A run under way.
#[derive(Debug)]
pub struct Pace {
    start: i64,
    rounds: usize,
}

impl Pace {
    /// A run that begins, at a moment in Unix milliseconds.
    pub fn new(now_ms: i64) -> Self {
        Self {
            start: now_ms,
            rounds: 0,
        }
    }

    /// Whether the run goes on after a round of a phase, which is `done` or not.
    pub fn goes_on(&mut self, phase: Phase, done: bool, now_ms: i64) -> bool {
        self.rounds = self.rounds.saturating_add(1);
        // What others do, asking again at once does not hasten.
        let waits = matches!(phase, Phase::Settling | Phase::Checking);
        (done || !waits) && self.rounds < MOST_ROUNDS && now_ms.saturating_sub(self.start) <= RUN_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_until_its_time_or_its_rounds_are_over() {
        let mut pace = Pace::new(1_000);
        assert!(pace.goes_on(Phase::Copying, false, 6_000));
        assert!(!pace.goes_on(Phase::Copying, false, 6_001));
        let mut pace = Pace::new(0);
        let rounds = (0..100).take_while(|_| pace.goes_on(Phase::Copying, false, 0));
        assert_eq!(rounds.count(), MOST_ROUNDS - 1);
    }

    #[test]
    fn what_others_have_to_do_is_waited_for() {
        for (phase, done, goes_on) in [
            (Phase::Settling, false, false),
            (Phase::Settling, true, true),
            (Phase::Checking, false, false),
            (Phase::Pausing, false, true),
        ] {
            assert_eq!(Pace::new(0).goes_on(phase, done, 0), goes_on, "{phase:?}");
        }
    }
}
