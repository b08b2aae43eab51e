//! A site's archives: how many there are, and calls to one or all of them.

use std::cell::RefCell;
use std::collections::HashMap;

use js_sys::Uint8Array;
use worker::{Env, Error, Result};

use crate::archive::reshard::{MOVED, Spread};
use crate::base::json;
use crate::protocol::names::{ARCHIVES, WAKE, archive_object};
use crate::shell::platform::bindings::ARCHIVE_DO;
use crate::shell::platform::objects;

/// Sites that an isolate remembers at most.
const MAX_KNOWN: usize = 2_000;

thread_local! {
    /// The archives of sites. Those of before refuse every call, so who remembers them hears it, and asks again.
    static KNOWN: RefCell<HashMap<String, Spread>> = RefCell::default();
}

/// A site's archives, as its first one says.
pub(crate) async fn spread(env: &Env, site: &str) -> Result<Spread> {
    let known = KNOWN.with_borrow(|known| known.get(site).copied());
    if let Some(known) = known {
        return Ok(known);
    }
    let spread: Spread = json::told(ask_first(env, site, ARCHIVES, "").await?)?;
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(site.to_owned(), spread);
    });
    Ok(spread)
}

/// How many archives a site has.
pub(crate) async fn archives(env: &Env, site: &str) -> Result<u32> {
    Ok(spread(env, site).await?.archives)
}

/// Asks the one that keeps how many there are, whether it holds events or not.
pub(crate) async fn ask_first(env: &Env, site: &str, command: &str, body: &str) -> Result<String> {
    objects::ask(env, ARCHIVE_DO, &archive_object(site, 0, 0), command, body).await
}

/// Whether the site has other archives than were asked, which are forgotten then.
fn has_moved(site: &str, error: &Error) -> bool {
    let has_moved = error.to_string().contains(MOVED);
    if has_moved {
        KNOWN.with_borrow_mut(|known| known.remove(site));
    }
    has_moved
}

/// Tells all archives at once, each what `bodies` makes for so many; the texts of their answers in their order.
pub(crate) async fn tell_all(
    env: &Env,
    site: &str,
    command: &str,
    bodies: &dyn Fn(u32) -> Result<Vec<Vec<u8>>>,
) -> Result<Vec<String>> {
    let tell = async || {
        let Spread {
            archives,
            generation,
        } = spread(env, site).await?;
        let calls = (0..).zip(bodies(archives)?).map(|(shard, body)| {
            let name = archive_object(site, shard, generation);
            (name, Uint8Array::from(body.as_slice()).into())
        });
        objects::post_all(env, ARCHIVE_DO, command, calls.collect()).await
    };
    match tell().await {
        Err(error) if has_moved(site, &error) => tell().await,
        told => told,
    }
}

/// Asks all of them at once; the texts of their answers in their order.
pub(crate) async fn ask_all(
    env: &Env,
    site: &str,
    command: &str,
    body: &str,
) -> Result<Vec<String>> {
    let bodies = |archives: u32| Ok((0..archives).map(|_| body.as_bytes().to_vec()).collect());
    tell_all(env, site, command, &bodies).await
}

/// Asks one of a site's archives, which `home` tells of so many; the text of its answer.
pub(crate) async fn ask_home(
    env: &Env,
    site: &str,
    home: &dyn Fn(u32) -> u32,
    command: &str,
    body: &[u8],
) -> Result<String> {
    let ask = async || {
        let spread = spread(env, site).await?;
        let name = archive_object(site, home(spread.archives), spread.generation);
        let body = Uint8Array::from(body).into();
        let mut told = objects::post_all(env, ARCHIVE_DO, command, vec![(name, body)]).await?;
        Ok(told.pop().unwrap_or_default())
    };
    match ask().await {
        Err(error) if has_moved(site, &error) => ask().await,
        told => told,
    }
}

/// Asks one of a site's archives by its number; the text of its answer.
pub(crate) async fn ask(
    env: &Env,
    site: &str,
    shard: u32,
    command: &str,
    body: &str,
) -> Result<String> {
    ask_home(env, site, &|_| shard, command, body.as_bytes()).await
}

/// Has all look at their alarms, and the one that keeps how many there are; how many that may have been.
pub(crate) async fn wake(env: &Env, site: &str) -> Result<usize> {
    if spread(env, site).await?.generation > 0 {
        ask_first(env, site, WAKE, "").await?;
    }
    Ok(ask_all(env, site, WAKE, "").await?.len())
}
