//! `site_do`: one log of a site, or all of them at once.

use serde::de::DeserializeOwned;
use worker::{Env, Error, Result};

use crate::base::json;
use crate::base::together::try_join_all;
use crate::log::{ImportState, Receipt, Snapshot, State};
use crate::observe::alert::Claim;
use crate::protocol::Confirmation;
use crate::protocol::hours::{Entry, ShardHours};
use crate::protocol::names::{
    ALERTS, CONFIRM, HOURS, IMPORT_STATE, OUTCOMES, OWN_SITE, SNAPSHOT, STATE, UNSENT, WAKE, WATCH,
    site_object,
};
use crate::shell::platform::bindings::SITE_DO;
use crate::shell::platform::objects;

/// One of a site's logs.
pub(crate) struct SiteDo<'a> {
    env: &'a Env,
    name: String,
}

impl<'a> SiteDo<'a> {
    /// The log of a shard.
    pub(crate) fn of(env: &'a Env, site: &str, shard: u32) -> Self {
        let name = site_object(site, shard);
        Self { env, name }
    }

    /// The log of Shoreline's own site that keeps which alerts were posted.
    pub(crate) fn of_alerts(env: &'a Env) -> Self {
        Self::of(env, OWN_SITE, 0)
    }

    /// All logs of a site.
    pub(crate) fn all(env: &'a Env, site: &'a str, shards: u32) -> SiteDos<'a> {
        SiteDos { env, site, shards }
    }

    /// Commits a batch.
    pub(crate) async fn commit(&self, batch: &[u8]) -> Result<Receipt> {
        let said = objects::commit(self.env, &self.name, batch).await;
        said.and_then(receipt).map_err(Error::RustError)
    }

    /// Tells it of rows that are in the archive, or that nobody needs any more.
    pub(crate) async fn confirm(&self, confirmation: &Confirmation) -> Result<()> {
        if confirmation.ranges.is_empty() {
            return Ok(());
        }
        self.call(CONFIRM, &serde_json::to_string(confirmation)?)
            .await
    }

    /// What waits, of every hour from this one on, Unix milliseconds.
    pub(crate) async fn hours(&self, from: i64) -> Result<ShardHours> {
        self.call(HOURS, &from.to_string()).await
    }

    /// How full it is.
    pub(crate) async fn state(&self) -> Result<State> {
        self.call(STATE, "").await
    }

    /// What became of an import's events.
    pub(crate) async fn import_state(&self, import_id: &str) -> Result<ImportState> {
        self.call(IMPORT_STATE, import_id).await
    }

    /// Has it look at its alarm; since when what waits there has been waiting, Unix milliseconds.
    pub(crate) async fn wake(&self) -> Result<Option<i64>> {
        self.call(WAKE, "").await
    }

    /// Which of these alerts are to be posted.
    pub(crate) async fn claim(&self, claims: &[Claim]) -> Result<Vec<bool>> {
        self.call(ALERTS, &serde_json::to_string(claims)?).await
    }

    /// Tells it that an alert did not get through.
    pub(crate) async fn release(&self, claim: &Claim) -> Result<()> {
        self.call(UNSENT, &serde_json::to_string(claim)?).await
    }

    async fn call<T: DeserializeOwned>(&self, command: &str, body: &str) -> Result<T> {
        objects::call(self.env, SITE_DO, &self.name, command, body).await
    }
}

/// All of a site's logs: each answers, or none does.
#[derive(Clone, Copy)]
pub(crate) struct SiteDos<'a> {
    env: &'a Env,
    site: &'a str,
    shards: u32,
}

impl SiteDos<'_> {
    /// The live counts.
    pub(crate) async fn snapshots(&self) -> Result<Vec<Snapshot>> {
        self.call(SNAPSHOT, "").await
    }

    /// The live counts; each tells `live_do` of its next change.
    pub(crate) async fn watch(&self) -> Result<Vec<Snapshot>> {
        self.call(WATCH, "").await
    }

    /// Outcomes by hour, from this one on, Unix milliseconds.
    pub(crate) async fn outcomes(&self, from: i64) -> Result<Vec<Vec<Entry>>> {
        self.call(OUTCOMES, &from.to_string()).await
    }

    /// What waits, of every hour from this one on, Unix milliseconds.
    pub(crate) async fn hours(&self, from: i64) -> Result<Vec<ShardHours>> {
        self.call(HOURS, &from.to_string()).await
    }

    /// How full they are.
    pub(crate) async fn states(&self) -> Result<Vec<State>> {
        self.call(STATE, "").await
    }

    async fn call<T: DeserializeOwned>(&self, command: &str, body: &str) -> Result<Vec<T>> {
        let said = (0..self.shards).map(|shard| async move {
            let name = site_object(self.site, shard);
            objects::ask(self.env, SITE_DO, &name, command, body).await
        });
        objects::told_all(try_join_all(said).await?)
    }
}

/// What a log said of a batch, where it said more than that it took it.
pub(crate) fn receipt(said: Option<String>) -> std::result::Result<Receipt, String> {
    let receipt = said.map(json::told).transpose();
    receipt
        .map(Option::unwrap_or_default)
        .map_err(|error| error.to_string())
}
