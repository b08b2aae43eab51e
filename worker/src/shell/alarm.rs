//! An object's one alarm: the earliest of all due times.

use std::cell::Cell;

use worker::{Result, State};

/// How long a run may take before the alarm rings again all the same: it is armed before the work,
/// so that a run that dies is not the last.
const SAFETY_MS: i64 = 30_000;

/// What this instance knows of its alarm, so that a batch that comes while one is set costs no
/// write. Nothing is known after a start: the first call sets it anew.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    armed: Cell<Option<i64>>,
}

impl Alarm {
    /// Makes sure that the alarm rings at `due_ms` or before.
    pub(super) async fn wake_by(&self, state: &State, due_ms: i64, now_ms: i64) -> Result<()> {
        if self.armed.get().is_some_and(|armed| armed <= due_ms) {
            return Ok(());
        }
        self.set(state, due_ms, now_ms).await
    }

    /// The alarm rang: arms it for the case that the work dies.
    pub(super) async fn rang(&self, state: &State, now_ms: i64) -> Result<()> {
        self.set(state, now_ms.saturating_add(SAFETY_MS), now_ms)
            .await
    }

    async fn set(&self, state: &State, due_ms: i64, now_ms: i64) -> Result<()> {
        self.armed.set(Some(due_ms));
        // The platform's binding takes an offset, not a time.
        let offset = due_ms.saturating_sub(now_ms).max(0);
        state.storage().set_alarm(offset).await
    }
}
