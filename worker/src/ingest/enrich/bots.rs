//! Who is no visitor: crawlers and other programs by their user agent, spammers by their host.
//!
//! Both are known by kept lists; `npm run lists` makes the tables under `bots/` of them. A list
//! names what tells who it is. A program that poses as a browser passes.

mod device;
mod lines;
mod spam;

use std::sync::LazyLock;

use device::part;
use lines::Lines;
pub use spam::is_spam_referrer;

/// Names of crawlers, case and all, as the npm package `crawler-user-agents` lists them.
static CRAWLERS: LazyLock<Lines> =
    LazyLock::new(|| Lines::exact(include_str!("bots/crawlers.txt")));

/// Words that crawlers, libraries and driven browsers have in common, in whatever case. They also
/// find what no list knows yet.
static WORDS: LazyLock<Lines> = LazyLock::new(|| Lines::folded(include_str!("bots/words.txt")));

/// Of a user agent that is longer, the first bytes are looked at: the length at which text is cut
/// everywhere ([`shoreline_shared::limits`]), and several times that of any browser's.
const MAX_BYTES: usize = 1_000;

/// Whether a user agent is that of a crawler, a library or a driven browser.
///
/// What it says of a device is left out, and what a hand-held device or an application shows is judged by
/// `WORDS` alone: models and applications have any name. A browser on a desk is judged by both lists.
///
/// Nothing but spaces is one as well: every browser says what it is. Clients like `curl` and
/// `node-fetch` count as bots, which is right for a browser's key only; a service sends with
/// whatever it likes, so ask this of browsers' events alone.
///
/// ```
/// # use shoreline_worker::ingest::enrich::bots::is_bot;
/// assert!(is_bot("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"));
/// assert!(!is_bot("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"));
/// ```
pub fn is_bot(user_agent: &str) -> bool {
    let agent = user_agent.trim_ascii().as_bytes();
    let agent = agent.get(..MAX_BYTES).unwrap_or(agent);
    let agent = part(agent);
    agent.rest.is_empty() || WORDS.find(&agent.rest) || !agent.is_app && CRAWLERS.find(&agent.rest)
}

#[cfg(test)]
mod tests;
