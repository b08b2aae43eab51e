//! An object's one alarm: the earliest of all due times.
//!
//! It is armed before the work, so that a run that dies is not the last, and set to what is really
//! due after it. What this instance knows of its alarm is kept, so that a batch that comes while
//! one is set costs no write.

/// How long a run may take before the alarm rings again all the same.
pub const SAFETY_MS: i64 = 30_000;

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
    /// The alarm that makes sure of a ring at `due_ms` or before.
    pub fn by(self, due_ms: i64) -> Self {
        match self {
            Self::At(armed) if armed <= due_ms => self,
            _ => Self::At(due_ms),
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
        assert_eq!(Alarm::Unknown.by(5), Alarm::At(5));
        assert_eq!(Alarm::Off.by(5), Alarm::At(5));
        assert_eq!(Alarm::At(9).by(5), Alarm::At(5));
        assert_eq!(Alarm::At(5).by(9), Alarm::At(5));
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
