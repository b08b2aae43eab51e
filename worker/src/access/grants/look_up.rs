//! The look-up: memory, then KV, then D1; and what is left to do behind the answer.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::join;
use serde::de::DeserializeOwned;

use super::cache::{Advice, Cache, Store};
use super::entry::{DomainEntry, Entry, KeyEntry, SiteEntry};
use super::entry::{domain_name, presented_name, site_name};
use super::rows::{Found, find};
use super::{Asked, D1_MS, KV_READ_MS, Stores, Unreachable, publish};
use crate::access::auth::{Grant, KeyKind, site_of_key};
use crate::base::json;
use crate::http::error::Fault;

/// How often a row is read again that changes while its entries are written.
const KEEP_ROUNDS: u32 = 3;

/// What is left to do when the request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behind {
    /// Nothing.
    Nothing,
    /// D1 is to be asked about what was served.
    Verify,
    /// KV has no entries of these names, and D1 says this.
    Keep(Box<Found>, Vec<String>),
}

/// What KV knows.
enum Kept {
    /// A grant.
    Grant(Grant),
    /// The key has ended: for good.
    Ended,
    /// Nothing, or not all of it: there is no entry of these names.
    Missing(Vec<String>),
}

/// What somebody may do, and what is then left to [`follow`].
///
/// # Errors
/// 401 for who is not known; 503 where neither KV nor D1 answers and nobody has asked lately.
pub async fn look_up(
    asked: Asked<'_>,
    cache: &RefCell<Cache>,
    stores: &impl Stores,
    now_ms: i64,
) -> (Result<Rc<Grant>, Fault>, Behind) {
    let advice = cache.borrow_mut().advise(asked, now_ms);
    let stale = match advice {
        Advice::Good(grant) => return (Ok(grant), Behind::Nothing),
        Advice::Verify(grant) => return (Ok(grant), Behind::Verify),
        Advice::Bad => return (Err(Fault::UnknownKey), Behind::Nothing),
        Advice::Ask(stale) => stale,
    };
    // Who has something to serve does not wait again for a store that has just failed.
    let waits_for = |store| stale.is_none() || !cache.borrow().pauses(store, now_ms);
    let mut missing = Vec::new();
    if waits_for(Store::Kv) {
        match read_copy(asked, stores, now_ms).await {
            Ok(Kept::Grant(grant)) => {
                let grant = Rc::new(grant);
                let verify = cache.borrow_mut().learn_copy(asked, &grant, now_ms);
                let behind = if verify {
                    Behind::Verify
                } else {
                    Behind::Nothing
                };
                return (Ok(grant), behind);
            }
            Ok(Kept::Ended) => {
                cache.borrow_mut().learn(asked, None, now_ms);
                return (Err(Fault::UnknownKey), Behind::Nothing);
            }
            Ok(Kept::Missing(names)) => missing = names,
            Err(Unreachable) => cache.borrow_mut().failed(Store::Kv, now_ms),
        }
    }
    if waits_for(Store::D1) {
        match ask(asked, cache, stores, now_ms).await {
            Ok(Some((grant, found))) => {
                let behind = if missing.is_empty() {
                    Behind::Nothing
                } else {
                    Behind::Keep(Box::new(found), missing)
                };
                return (Ok(grant), behind);
            }
            Ok(None) => return (Err(Fault::UnknownKey), Behind::Nothing),
            Err(Unreachable) => {}
        }
    }
    let unavailable = Fault::Unavailable("Keys cannot be checked right now.");
    (stale.ok_or(unavailable), Behind::Nothing)
}

/// Does what a look-up has left.
pub async fn follow(
    behind: Behind,
    asked: Asked<'_>,
    cache: &RefCell<Cache>,
    stores: &impl Stores,
) {
    match behind {
        Behind::Nothing => {}
        // What it says is in the cache afterwards; that it failed, too.
        Behind::Verify => drop(ask(asked, cache, stores, stores.now_ms()).await),
        Behind::Keep(found, names) => keep(*found, &names, asked, cache, stores).await,
    }
}

/// Writes to KV what it had not. Whoever changed the row meanwhile may have written before: so the row is
/// read again, and what it says by then is written. Where that cannot be known, KV shall have nothing.
async fn keep(
    found: Found,
    names: &[String],
    asked: Asked<'_>,
    cache: &RefCell<Cache>,
    stores: &impl Stores,
) {
    let mut known = Some(found);
    for _ in 0..KEEP_ROUNDS {
        let now_ms = stores.now_ms();
        let mut entries: Vec<Entry> = names.iter().map(|n| Entry::nothing(n, now_ms)).collect();
        if let Some(found) = &known {
            entries = found.entries(asked, now_ms);
            entries.retain(|entry| names.contains(&entry.name));
        }
        // A write that failed may have landed, and a later one may not: both are looked after.
        let _logged = publish::write(&entries, stores).await;
        match ask(asked, cache, stores, stores.now_ms()).await {
            Ok(now) => {
                let now = now.map(|(_, found)| found);
                if now == known {
                    return;
                }
                known = now;
            }
            Err(Unreachable) => break,
        }
    }
    let now_ms = stores.now_ms();
    let nothing: Vec<Entry> = names.iter().map(|n| Entry::nothing(n, now_ms)).collect();
    let _logged = publish::write(&nothing, stores).await;
}

/// Asks D1, and remembers what it says.
async fn ask(
    asked: Asked<'_>,
    cache: &RefCell<Cache>,
    stores: &impl Stores,
    now_ms: i64,
) -> Result<Option<(Rc<Grant>, Found)>, Unreachable> {
    let Some(statement) = find(asked, now_ms) else {
        return Ok(None);
    };
    let rows = stores.within(D1_MS, stores.rows::<Found>(&statement)).await;
    match rows.unwrap_or(Err(Unreachable)) {
        Ok(mut rows) => {
            let found = rows.pop();
            let known = found.and_then(|found| Some((Rc::new(found.grant()?), found)));
            let grant = known.as_ref().map(|(grant, _)| grant);
            cache.borrow_mut().learn(asked, grant, now_ms);
            Ok(known)
        }
        Err(Unreachable) => {
            cache.borrow_mut().failed(Store::D1, now_ms);
            Err(Unreachable)
        }
    }
}

/// Reads what KV keeps.
async fn read_copy(
    asked: Asked<'_>,
    stores: &impl Stores,
    now_ms: i64,
) -> Result<Kept, Unreachable> {
    let reading = async {
        match asked {
            Asked::Key(key) => read_key(key, stores, now_ms).await,
            Asked::Domain(domain) => read_domain(domain, stores).await,
        }
    };
    let read = stores.within(KV_READ_MS, reading).await;
    read.unwrap_or(Err(Unreachable))
}

async fn read_key(key: &str, stores: &impl Stores, now_ms: i64) -> Result<Kept, Unreachable> {
    let (Some(of_key), Some(site)) = (presented_name(key), site_of_key(key)) else {
        return Ok(Kept::Missing(Vec::new()));
    };
    let of_site = site_name(site);
    let both = join(read(&of_key, stores), read(&of_site, stores)).await;
    let (entry, settings): (Option<KeyEntry>, Option<SiteEntry>) = (both.0?, both.1?);
    let entry = entry.filter(|entry| entry.site == site);
    match (entry, settings) {
        (Some(entry), _) if entry.ends_at.is_some_and(|at| at <= now_ms) => Ok(Kept::Ended),
        (Some(entry), Some(settings)) => Ok(Kept::Grant(entry.grant(settings))),
        (Some(_), None) => Ok(Kept::Missing(vec![of_site])),
        (None, Some(_)) => Ok(Kept::Missing(vec![of_key])),
        (None, None) => Ok(Kept::Missing(vec![of_key, of_site])),
    }
}

async fn read_domain(domain: &str, stores: &impl Stores) -> Result<Kept, Unreachable> {
    let of_domain = domain_name(domain);
    let Some(DomainEntry { site }) = read(&of_domain, stores).await? else {
        return Ok(Kept::Missing(vec![of_domain]));
    };
    let of_site = site_name(&site);
    let Some(settings) = read::<SiteEntry>(&of_site, stores).await? else {
        return Ok(Kept::Missing(vec![of_site]));
    };
    // The site may have another domain by now, and the domain another site.
    if settings.domain.as_deref() != Some(domain) {
        return Ok(Kept::Missing(vec![of_domain]));
    }
    let (kind, ends_at) = (KeyKind::Browser, None);
    let entry = KeyEntry {
        site,
        kind,
        ends_at,
    };
    Ok(Kept::Grant(entry.grant(settings)))
}

/// An entry; what cannot be read is none, and is written over.
async fn read<T: DeserializeOwned>(
    name: &str,
    stores: &impl Stores,
) -> Result<Option<T>, Unreachable> {
    let text = stores.kept(name).await?;
    Ok(text.and_then(|text| json::told(&text).ok()))
}
