//! `privacy_do`: the one object that keeps the key of day-scoped ids, for its day alone.

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::access::privacy::DayKeys;
use crate::base::sql::SqlError;
use crate::base::time::midnight_after;
use crate::protocol::names::DAY_KEY;
use crate::shell::platform::clock::{now_ms, random};
use crate::shell::platform::do_sql::DoSql;
use crate::shell::platform::log;
use crate::shell::platform::objects;

/// How long after a deletion that failed it is tried again, in milliseconds.
const RETRY_MS: i64 = 60_000;

/// The keeper of the day's key.
#[durable_object(alarm)]
pub struct PrivacyDo {
    state: State,
}

impl DurableObject for PrivacyDo {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        if request.path() != DAY_KEY {
            return Response::error("no such command", 404);
        }
        let now = now_ms();
        let mut bytes = [0; 32];
        random(&mut bytes)?;
        // The key is deleted when its day is over, whether anybody asks for the next one or not.
        let midnight = midnight_after(now).saturating_sub(now);
        self.state.storage().set_alarm(midnight).await?;
        objects::answer(self.keys().and_then(|keys| keys.today(now, &bytes)))
    }

    async fn alarm(&self) -> Result<Response> {
        // Before the work, so that a deletion that fails is not the last.
        self.state.storage().set_alarm(RETRY_MS).await?;
        match self.keys().and_then(|keys| keys.forget_before(now_ms())) {
            Ok(()) => self.state.storage().delete_alarm().await?,
            Err(error) => log::error("privacy_do", error),
        }
        Response::empty()
    }
}

impl PrivacyDo {
    fn keys(&self) -> std::result::Result<DayKeys<DoSql>, SqlError> {
        DayKeys::open(DoSql::new(&self.state))
    }
}
