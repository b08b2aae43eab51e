//! `privacy_do`: the one object that keeps the key of day-scoped ids, for its day alone.

use serde::Deserialize;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::do_sql::DoSql;
use super::ingest_worker::{now_ms, random};
use super::objects;
use crate::auth::hex;
use crate::privacy::{DAY_MS, DayKey, day_of};
use crate::routes::DAY_KEY;
use crate::sql::{Sql, SqlError};

/// The keeper of the day's key.
#[durable_object]
pub struct PrivacyDo {
    sql: DoSql,
    state: State,
}

impl DurableObject for PrivacyDo {
    fn new(state: State, _env: Env) -> Self {
        Self {
            sql: DoSql::new(&state),
            state,
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        if request.path() != DAY_KEY {
            return Response::error("no such command", 404);
        }
        let now = now_ms();
        // The key is deleted when its day is over, whether anybody asks for the next one or not.
        let midnight = day_of(now).saturating_add(1).saturating_mul(DAY_MS);
        self.state
            .storage()
            .set_alarm(midnight.saturating_sub(now))
            .await?;
        objects::answer(self.today(day_of(now)))
    }

    async fn alarm(&self) -> Result<Response> {
        if let Err(error) = self.forget_before(day_of(now_ms())) {
            super::log::error("privacy_do", error);
        }
        Response::empty()
    }
}

impl PrivacyDo {
    fn today(&self, day: i64) -> std::result::Result<DayKey, SqlError> {
        #[derive(Deserialize)]
        struct Row {
            key: String,
        }
        self.forget_before(day)?;
        let mut bytes = [0; 32];
        random(&mut bytes);
        self.sql.run(
            "INSERT INTO day_keys (day, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            &[day.into(), hex(&bytes).into()],
        )?;
        self.sql
            .first::<Row>("SELECT key FROM day_keys WHERE day = ?1", &[day.into()])?
            .map(|row| DayKey { day, key: row.key })
            .ok_or_else(|| SqlError("the day's key is missing".to_owned()))
    }

    fn forget_before(&self, day: i64) -> std::result::Result<(), SqlError> {
        self.sql.run(
            "CREATE TABLE IF NOT EXISTS day_keys (day INTEGER PRIMARY KEY, key TEXT NOT NULL)",
            &[],
        )?;
        self.sql
            .run("DELETE FROM day_keys WHERE day < ?1", &[day.into()])
    }
}
