//! An object's one alarm: the earliest of all due times.
//!
//! It is armed before the work, so that a run that dies is not the last, and set to what is really
//! due after it. What this instance knows of its alarm is kept, so that a batch that comes while
//! one is set costs no write.

/// How long a run may take before the alarm rings again all the same.
pub const SAFETY_MS: i64 = 30_000;

/// How long after its time an alarm counts as lost: the platform has been seen to keep the time of an
/// alarm that never rings.
pub const LOST_MS: i64 = 60_000;

/// What an instance knows of its object's alarm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Alarm {
    /// Nothing yet: it was just started, and must look.
    #[default]
    Unknown,
    /// None is set.
    Off,
    /// It rings at this time, Unix milliseconds.
    At(i64),
}

impl Alarm {
    /// The alarm that makes sure of a ring at `due_ms` or before. One that should have rung
    /// [`LOST_MS`] ago is lost, and armed again.
    pub fn by(self, due_ms: i64, now_ms: i64) -> Self {
        match self {
            Self::At(armed) if armed <= due_ms && armed.saturating_add(LOST_MS) > now_ms => self,
            _ => Self::At(due_ms),
        }
    }

    /// The alarm of an instance that has just begun and is asked something. A run that died with the instance before
    /// left the alarm at its safety: what is due need not wait for that.
    pub fn roused(self, due: Option<i64>, now_ms: i64) -> Self {
        match (self, due) {
            (Self::Unknown, Some(due)) if due <= now_ms => Self::At(now_ms),
            _ => self,
        }
    }

    /// The alarm of a run that begins at `now_ms`.
    pub fn safety(now_ms: i64) -> Self {
        Self::At(now_ms.saturating_add(SAFETY_MS))
    }

    /// The alarm after a run, which leaves `due` to be done.
    pub fn rest(due: Option<i64>) -> Self {
        due.map_or(Self::Off, Self::At)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_time_moves_the_alarm_and_a_later_one_does_not() {
        assert_eq!(Alarm::Unknown.by(5, 0), Alarm::At(5));
        assert_eq!(Alarm::Off.by(5, 0), Alarm::At(5));
        assert_eq!(Alarm::At(9).by(5, 0), Alarm::At(5));
        assert_eq!(Alarm::At(5).by(9, 0), Alarm::At(5));
    }

    #[test]
    fn an_alarm_that_did_not_ring_for_a_minute_is_armed_again() {
        let late = 1_000 + LOST_MS;
        assert_eq!(Alarm::At(1_000).by(late + 100, late - 1), Alarm::At(1_000));
        assert_eq!(Alarm::At(1_000).by(late + 100, late), Alarm::At(late + 100));
    }

    #[test]
    fn an_instance_that_begins_with_work_that_is_due_does_not_wait() {
        assert_eq!(Alarm::Unknown.roused(Some(5), 5), Alarm::At(5));
        assert_eq!(Alarm::Unknown.roused(Some(1), 5), Alarm::At(5));
        // What is not due, or known to ring, costs no write.
        assert_eq!(Alarm::Unknown.roused(Some(6), 5), Alarm::Unknown);
        assert_eq!(Alarm::Unknown.roused(None, 5), Alarm::Unknown);
        assert_eq!(Alarm::At(9).roused(Some(1), 5), Alarm::At(9));
    }

    #[test]
    fn an_object_without_work_rests() {
        let running = Alarm::safety(1_000);
        assert_eq!(running, Alarm::At(31_000));
        // The safety alarm is not left to ring for ever.
        assert_eq!(Alarm::rest(None), Alarm::Off);
        assert_eq!(Alarm::rest(Some(600_000)), Alarm::At(600_000));
    }
}
