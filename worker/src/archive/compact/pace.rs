//! How long a run of compaction goes on, and how long it rests then.

/// How long a run of the alarm goes on with it, in milliseconds: sinks wait meanwhile.
const RUN_MS: i64 = 3_000;

/// Steps of a run at most, whatever the clock says, which stands still while an object computes: each unpacks and
/// packs 512 KiB at most, and all of them together must stay far below the 30 s that a run may compute.
const MOST_STEPS: usize = 40;

/// How long it rests where there is more to do, in milliseconds.
const PAUSE_MS: i64 = 3_000;

/// How long it rests where somebody asked, whose answer begins anew at each step, or where something failed.
pub const GIVE_WAY_MS: i64 = 15_000;

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There was nothing to do.
    Idle,
    /// It did what it wanted to.
    Done,
    /// It did nothing: what it had read was changed meanwhile, or would be too large for a row.
    NotPut,
}

/// A run under way.
#[derive(Debug)]
pub struct Pace {
    start: i64,
    steps: usize,
}

impl Pace {
    /// A run that begins, at a moment in Unix milliseconds.
    pub fn new(now_ms: i64) -> Self {
        Self {
            start: now_ms,
            steps: 0,
        }
    }

    /// After a step: how long to rest, in milliseconds, or nothing where the run goes on. `is_asked`: somebody waits
    /// for an answer.
    pub fn rest(&mut self, step: Step, is_asked: bool, now_ms: i64) -> Option<i64> {
        self.steps = self.steps.saturating_add(1);
        let is_over = self.steps >= MOST_STEPS || now_ms.saturating_sub(self.start) > RUN_MS;
        match step {
            Step::Idle => Some(0),
            Step::NotPut => Some(GIVE_WAY_MS),
            Step::Done if is_asked => Some(GIVE_WAY_MS),
            Step::Done => is_over.then_some(PAUSE_MS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_until_its_time_is_over() {
        let mut pace = Pace::new(1_000);
        assert_eq!(pace.rest(Step::Done, false, 1_000), None);
        assert_eq!(pace.rest(Step::Done, false, 4_000), None);
        assert_eq!(pace.rest(Step::Done, false, 4_001), Some(PAUSE_MS));
    }

    #[test]
    fn a_run_has_so_many_steps_where_the_clock_stands_still() {
        let mut pace = Pace::new(0);
        let rests: Vec<_> = (0..MOST_STEPS)
            .map(|_| pace.rest(Step::Done, false, 0))
            .collect();
        assert_eq!(rests.iter().flatten().count(), 1);
        assert_eq!(rests.last(), Some(&Some(PAUSE_MS)));
    }

    #[test]
    fn it_gives_way_to_who_asks_and_where_nothing_was_put() {
        assert_eq!(Pace::new(0).rest(Step::Done, true, 0), Some(GIVE_WAY_MS));
        assert_eq!(Pace::new(0).rest(Step::NotPut, false, 0), Some(GIVE_WAY_MS));
        assert_eq!(Pace::new(0).rest(Step::Idle, true, 0), Some(0));
    }
}
