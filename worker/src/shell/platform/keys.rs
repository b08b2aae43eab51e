//! What a key may do: the platform's side of [`crate::access::grants`].

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use worker::{Context, Delay, Env};

use crate::access::auth::Grant;
use crate::access::grants::cache::Cache;
use crate::access::grants::entry::Entry;
use crate::access::grants::{Asked, Behind, KV_CACHE_S, Stores, Unreachable, follow, look_up};
use crate::base::sql::Statement;
use crate::http::error::Fault;
use crate::observe::operations::current;
use crate::shell::platform::bindings::GRANTS;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;
use crate::shell::platform::deadline::within;
use crate::shell::platform::log;

thread_local! {
    static CACHE: Rc<RefCell<Cache>> = Rc::default();
}

/// What the holder of a key may do. What is then left to do is done behind the answer, where the request's
/// `context` is given, and else before it.
///
/// # Errors
/// 401 for what is no valid key; 503 where neither KV nor D1 answers and the key was not seen lately.
pub(crate) async fn grant(
    env: &Env,
    context: Option<&Context>,
    key: &str,
    now_ms: i64,
) -> Result<Rc<Grant>, Fault> {
    known(env, context, Asked::key(key)?, now_ms).await
}

/// What a page may do that calls its site by this domain.
///
/// # Errors
/// 401 for a domain of no site; 503 as for keys.
pub(crate) async fn grant_of_domain(
    env: &Env,
    context: &Context,
    domain: &str,
    now_ms: i64,
) -> Result<Rc<Grant>, Fault> {
    known(env, Some(context), Asked::Domain(domain), now_ms).await
}

async fn known(
    env: &Env,
    context: Option<&Context>,
    asked: Asked<'_>,
    now_ms: i64,
) -> Result<Rc<Grant>, Fault> {
    let cache = CACHE.with(Rc::clone);
    let (found, behind) = look_up(asked, &cache, &Platform(env), now_ms).await;
    if let Ok(grant) = &found {
        current(|call| call.note_site(&grant.site));
    }
    match (behind, context) {
        (Behind::Nothing, _) => {}
        (behind, None) => follow(behind, asked, &cache, &Platform(env)).await,
        (behind, Some(context)) => {
            let again: fn(&str) -> Asked<'_> = match asked {
                Asked::Key(_) => |text| Asked::Key(text),
                Asked::Domain(_) => |text| Asked::Domain(text),
            };
            let (env, text) = (env.clone(), asked.text().to_owned());
            context.wait_until(async move {
                follow(behind, again(&text), &cache, &Platform(&env)).await;
            });
        }
    }
    found
}

/// KV, D1 and the clock.
pub(crate) struct Platform<'a>(pub(crate) &'a Env);

impl Stores for Platform<'_> {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    async fn kept(&self, name: &str) -> Result<Option<String>, Unreachable> {
        let kv = self.0.kv(GRANTS).map_err(unreachable)?;
        let read = kv.get(name).cache_ttl(KV_CACHE_S.into());
        read.text().await.map_err(unreachable)
    }

    async fn keep(&self, entry: &Entry) -> Result<(), Unreachable> {
        let kv = self.0.kv(GRANTS).map_err(unreachable)?;
        let write = kv.put(&entry.name, &entry.value).map_err(unreachable)?;
        let write = match entry.expires_s {
            Some(at) => write.expiration(at),
            None => write,
        };
        write.execute().await.map_err(unreachable)
    }

    async fn rows<T: DeserializeOwned>(&self, sql: &Statement) -> Result<Vec<T>, Unreachable> {
        d1::rows(self.0, sql).await.map_err(unreachable)
    }

    async fn within<T>(&self, limit_ms: u32, work: impl Future<Output = T>) -> Option<T> {
        let done = within(Duration::from_millis(limit_ms.into()), work).await;
        if done.is_none() {
            unreachable(format!("no answer within {limit_ms} ms"));
        }
        done
    }

    async fn wait(&self, ms: u32) {
        Delay::from(Duration::from_millis(ms.into())).await;
    }
}

fn unreachable(error: impl std::fmt::Display) -> Unreachable {
    log::error("keys", error);
    Unreachable
}
