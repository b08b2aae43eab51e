//! What an isolate remembers of keys and domains, by their very text: no hash is made of a key that is
//! known. The texts are secrets of their senders. They stay in the memory of an isolate that was
//! shown them, as they do in the request that brings them, and leave it by no way: nothing lists or logs them.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Asked, FRESH_MS, KV_AGE_MS, PAUSE_MS, REFRESH_MS, STALE_MS};
use crate::access::auth::Grant;

/// Good keys, and good domains, kept at most: about 400 bytes each. More than most deployments have.
pub const MAX_GOOD: usize = 2_000;

/// Bad ones kept at most, at most 400 bytes each. They are kept apart: made-up ones push out no good one.
pub const MAX_BAD: usize = 1_000;

/// What to do about who is asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum Advice {
    /// It may do this.
    Good(Rc<Grant>),
    /// It may do this, and D1 is to be asked whether it still may.
    Verify(Rc<Grant>),
    /// It may do nothing.
    Bad,
    /// Look it up; if that fails, serve this where it is given.
    Ask(Option<Rc<Grant>>),
}

/// A store that may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The copy.
    Kv,
    /// The truth.
    D1,
}

/// A grant that is remembered.
#[derive(Debug)]
struct Known {
    /// As of when it is known to be in force.
    as_of: i64,
    /// When D1 was last asked about it behind an answer.
    asked_at: Option<i64>,
    grant: Rc<Grant>,
}

#[derive(Debug, Default)]
struct Names {
    good: HashMap<Box<str>, Known>,
    bad: HashMap<Box<str>, i64>,
}

/// The cache. Keys and domains are apart: a page may say any text as its domain, a key of another too.
#[derive(Debug, Default)]
pub struct Cache {
    keys: Names,
    domains: Names,
    kv_failed_at: Option<i64>,
    d1_failed_at: Option<i64>,
}

fn age(at: i64, now_ms: i64) -> i64 {
    now_ms.saturating_sub(at)
}

impl Cache {
    /// What to do. Says `Verify` to one request in [`PAUSE_MS`].
    pub fn advise(&mut self, asked: Asked<'_>, now_ms: i64) -> Advice {
        let d1_pauses = self.pauses(Store::D1, now_ms);
        let (names, text) = self.names(asked);
        if let Some(known) = names.good.get_mut(text) {
            if known.grant.has_ended(now_ms) {
                return Advice::Bad;
            }
            let age = age(known.as_of, now_ms);
            let verify = (REFRESH_MS..FRESH_MS).contains(&age) && !d1_pauses && known.claim(now_ms);
            let grant = Rc::clone(&known.grant);
            return match age {
                _ if verify => Advice::Verify(grant),
                ..FRESH_MS => Advice::Good(grant),
                FRESH_MS..STALE_MS => Advice::Ask(Some(grant)),
                _ => Advice::Ask(None),
            };
        }
        match names.bad.get(text) {
            Some(at) if age(*at, now_ms) < FRESH_MS => Advice::Bad,
            _ => Advice::Ask(None),
        }
    }

    /// Remembers what KV said. Whether D1 is to be asked about it now, by this request.
    pub fn learn_copy(&mut self, asked: Asked<'_>, grant: &Rc<Grant>, now_ms: i64) -> bool {
        self.learn(asked, Some(grant), now_ms.saturating_sub(KV_AGE_MS));
        let d1_pauses = self.pauses(Store::D1, now_ms);
        let (names, text) = self.names(asked);
        let known = names.good.get_mut(text);
        !d1_pauses && known.is_some_and(|known| known.claim(now_ms))
    }

    /// Remembers a grant, or that there is none, as of a moment. What is older changes nothing: answers
    /// may overtake each other.
    pub fn learn(&mut self, asked: Asked<'_>, grant: Option<&Rc<Grant>>, as_of: i64) {
        let (names, text) = self.names(asked);
        let known = names.good.get(text).map(|known| known.as_of);
        let newest = known.max(names.bad.get(text).copied());
        if newest.is_some_and(|newest| newest > as_of) {
            return;
        }
        match grant {
            Some(grant) => {
                names.bad.remove(text);
                let grant = Rc::clone(grant);
                if let Some(known) = names.good.get_mut(text) {
                    (known.as_of, known.grant) = (as_of, grant);
                    return;
                }
                if names.good.len() >= MAX_GOOD {
                    names.good.clear();
                }
                let asked_at = None;
                names.good.insert(
                    text.into(),
                    Known {
                        as_of,
                        asked_at,
                        grant,
                    },
                );
            }
            None => {
                names.good.remove(text);
                if names.bad.len() >= MAX_BAD {
                    names.bad.clear();
                }
                names.bad.insert(text.into(), as_of);
            }
        }
    }

    /// Remembers that a store failed.
    pub fn failed(&mut self, store: Store, now_ms: i64) {
        match store {
            Store::Kv => self.kv_failed_at = Some(now_ms),
            Store::D1 => self.d1_failed_at = Some(now_ms),
        }
    }

    /// Whether a store failed so lately that it is left alone.
    pub fn pauses(&self, store: Store, now_ms: i64) -> bool {
        let failed_at = match store {
            Store::Kv => self.kv_failed_at,
            Store::D1 => self.d1_failed_at,
        };
        failed_at.is_some_and(|at| age(at, now_ms) < PAUSE_MS)
    }

    fn names<'a>(&mut self, asked: Asked<'a>) -> (&mut Names, &'a str) {
        match asked {
            Asked::Key(key) => (&mut self.keys, key),
            Asked::Domain(domain) => (&mut self.domains, domain),
        }
    }
}

impl Known {
    /// Whether whoever asks is the one to ask D1: nobody else did a moment ago.
    fn claim(&mut self, now_ms: i64) -> bool {
        if self.asked_at.is_some_and(|at| age(at, now_ms) < PAUSE_MS) {
            return false;
        }
        self.asked_at = Some(now_ms);
        true
    }
}

#[cfg(test)]
impl Cache {
    /// How many bad ones are kept.
    pub(super) fn bad(&self) -> usize {
        self.keys.bad.len() + self.domains.bad.len()
    }

    /// How many good ones are kept.
    pub(super) fn good(&self) -> usize {
        self.keys.good.len() + self.domains.good.len()
    }
}
