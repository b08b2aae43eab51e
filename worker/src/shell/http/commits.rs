//! Commits to a site's log, and what D1 is told of its shards.

use std::cell::RefCell;
use std::collections::HashSet;

use worker::{Env, Result};

use crate::ingest::publish::Publication;
use crate::log::Receipt;
use crate::log::shards::register_shard;
use crate::protocol::names::site_object;
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::platform::d1;
use crate::shell::platform::log;

thread_local! {
    /// The shards that this isolate has told D1 of.
    static KNOWN_SHARDS: RefCell<HashSet<String>> = RefCell::default();
}

/// Shards an isolate remembers to have told D1 of: names of about 50 bytes.
const MAX_KNOWN_SHARDS: usize = 10_000;

/// Whether this isolate has not told D1 of the publication's shard yet; from now on it has.
pub(crate) fn is_new_shard(publication: &Publication) -> bool {
    let name = site_object(publication.site(), publication.shard());
    KNOWN_SHARDS.with_borrow_mut(|known| {
        if known.len() >= MAX_KNOWN_SHARDS {
            known.clear();
        }
        known.insert(name)
    })
}

/// Tells D1 of a shard.
pub(crate) async fn register(env: &Env, site: &str, shard: u32) {
    let statement = register_shard(site, shard);
    if let Err(error) = d1::rows::<serde::de::IgnoredAny>(env, &statement).await {
        log::error("shards", error);
        KNOWN_SHARDS.with_borrow_mut(|known| known.remove(&site_object(site, shard)));
    }
}

/// Commits a batch, for which no script waits.
pub(crate) async fn commit(env: &Env, publication: &Publication) -> Result<Receipt> {
    let log = SiteDo::of(env, publication.site(), publication.shard());
    log.commit(publication.body()).await
}
