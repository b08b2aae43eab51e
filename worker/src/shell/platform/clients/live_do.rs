//! `live_do`: the live streams of a site.

use worker::{Env, Response, Result};

use crate::protocol::names::{CHANGED, OPEN, TICKET, live_object};
use crate::shell::platform::bindings::LIVE_DO;
use crate::shell::platform::objects;

/// The live streams of a site.
pub(crate) struct LiveDo<'a> {
    env: &'a Env,
    name: String,
}

impl<'a> LiveDo<'a> {
    /// Those of a site.
    pub(crate) fn of(env: &'a Env, site: &str) -> Self {
        let name = live_object(site);
        Self { env, name }
    }

    /// Keeps a ticket, by its hash; until when it is good, Unix milliseconds.
    pub(crate) async fn keep_ticket(&self, hash: &str) -> Result<i64> {
        objects::call(self.env, LIVE_DO, &self.name, TICKET, hash).await
    }

    /// Opens a stream, for the ticket of this hash: its answer, whatever the status.
    pub(crate) async fn open(&self, hash: &str) -> Result<Response> {
        objects::open(self.env, LIVE_DO, &self.name, &format!("{OPEN}?{hash}")).await
    }

    /// Tells it that a log's counts changed.
    pub(crate) async fn changed(&self) -> Result<()> {
        objects::call(self.env, LIVE_DO, &self.name, CHANGED, "").await
    }
}
