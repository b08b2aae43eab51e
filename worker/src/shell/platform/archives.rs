//! A site's archives: how many there are, and calls to one or all of them.

use std::cell::RefCell;
use std::collections::HashMap;

use worker::{Env, Result};

use crate::archive::spread::home_of_user;
use crate::base::json;
use crate::protocol::names::{ARCHIVES, archive_object};
use crate::shell::platform::bindings::ARCHIVE_DO;
use crate::shell::platform::objects;

/// Sites that an isolate remembers at most.
const MAX_KNOWN: usize = 2_000;

thread_local! {
    /// How many archives sites have, which never changes.
    static KNOWN: RefCell<HashMap<String, u64>> = RefCell::default();
}

/// How many archives a site has, as its first one says.
pub(crate) async fn archives(env: &Env, site: &str) -> Result<u32> {
    let known = KNOWN.with_borrow(|known| known.get(site).copied());
    let number = match known {
        Some(number) => number,
        None => {
            let number = json::told(ask(env, site, 0, ARCHIVES, "").await?)?;
            KNOWN.with_borrow_mut(|known| {
                if known.len() >= MAX_KNOWN {
                    known.clear();
                }
                known.insert(site.to_owned(), number);
            });
            number
        }
    };
    Ok(u32::try_from(number).unwrap_or(1))
}

/// Asks one of a site's archives; the text of its answer.
pub(crate) async fn ask(
    env: &Env,
    site: &str,
    shard: u32,
    command: &str,
    body: &str,
) -> Result<String> {
    objects::ask(env, ARCHIVE_DO, &archive_object(site, shard), command, body).await
}

/// Asks all of them at once; the texts of their answers in their order.
pub(crate) async fn ask_all(
    env: &Env,
    site: &str,
    command: &str,
    body: &str,
) -> Result<Vec<String>> {
    let archives = archives(env, site).await?;
    objects::ask_all(env, ARCHIVE_DO, site, archives, command, body).await
}

/// The archive of a user, by their hash in hex.
pub(crate) async fn archive_of(env: &Env, site: &str, user: &str) -> Result<u32> {
    Ok(home_of_user(user, archives(env, site).await?))
}
