//! The alarm of a Durable Object, by what [`crate::base::alarm`] decides.

use std::cell::Cell;
use std::rc::Rc;

use worker::{Result, State, Storage};

use crate::base::alarm::Alarm;
use crate::shell::platform::log;

/// The platform's alarm and what this instance knows of it.
#[derive(Debug, Default)]
pub(crate) struct AlarmClock {
    known: Cell<Alarm>,
    was_roused: Cell<bool>,
}

impl AlarmClock {
    /// Makes sure of a ring at `due_ms` or before.
    pub(crate) async fn by(&self, state: &State, due_ms: i64, now_ms: i64) -> Result<()> {
        self.set(state, self.known.get().by(due_ms, now_ms), now_ms)
            .await
    }

    /// The same beside the answer, which neither waits for it nor fails with it.
    pub(crate) fn by_and_by(self: &Rc<Self>, state: &State, due_ms: i64, now_ms: i64) {
        let wanted = self.known.get().by(due_ms, now_ms);
        if self.known.replace(wanted) == wanted {
            return;
        }
        let (clock, storage) = (Rc::clone(self), state.storage());
        state.wait_until(async move {
            if let Err(error) = clock.arm(storage, wanted, now_ms).await {
                log::error("alarm", error);
            }
        });
    }

    /// Arms it where this instance has just begun, is asked something, and has work that is `due`: looked at once.
    pub(crate) async fn rouse(
        &self,
        state: &State,
        due: impl FnOnce() -> Result<Option<i64>>,
        now_ms: i64,
    ) -> Result<()> {
        if self.was_roused.replace(true) {
            return Ok(());
        }
        let wanted = self.known.get().roused(due()?, now_ms);
        self.set(state, wanted, now_ms).await
    }

    /// Arms it for the case that the run which begins now dies.
    pub(crate) async fn begin(&self, state: &State, now_ms: i64) -> Result<()> {
        self.set(state, Alarm::safety(now_ms), now_ms).await
    }

    /// Sets it to what is due, or off.
    pub(crate) async fn rest(&self, state: &State, due: Option<i64>, now_ms: i64) -> Result<()> {
        self.set(state, Alarm::rest(due), now_ms).await
    }

    /// Sets it as it must be, whatever this instance believes: an alarm can be lost. One that is
    /// right already costs no write.
    pub(crate) async fn look(&self, state: &State, due: Option<i64>, now_ms: i64) -> Result<()> {
        let set = state.storage().get_alarm().await?;
        self.known.set(set.map_or(Alarm::Off, Alarm::At));
        match due {
            Some(due) => self.by(state, due, now_ms).await,
            None => Ok(()),
        }
    }

    async fn set(&self, state: &State, wanted: Alarm, now_ms: i64) -> Result<()> {
        if self.known.replace(wanted) == wanted {
            return Ok(());
        }
        self.arm(state.storage(), wanted, now_ms).await
    }

    async fn arm(&self, storage: Storage, wanted: Alarm, now_ms: i64) -> Result<()> {
        let done = match wanted {
            Alarm::At(due_ms) => {
                // The binding takes an offset, not a time. An alarm that is set to now may not ring
                // for tens of seconds, so it is a millisecond ahead at least.
                storage
                    .set_alarm(due_ms.saturating_sub(now_ms).max(1))
                    .await
            }
            _ => storage.delete_alarm().await,
        };
        if done.is_err() {
            self.known.set(Alarm::Unknown);
        }
        done
    }
}
