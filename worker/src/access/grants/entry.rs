//! What KV keeps of sites, keys and domains: small JSON texts, one a row of D1 and one a domain.
//!
//! They are apart, as the rows are, so that a change of a site is one write however many keys it has. Who
//! looks a key up reads its entry and its site's at once, for a key names its site; who looks a domain
//! up reads which site it names, then that site, which must name the domain too.

use serde::{Deserialize, Serialize};

use crate::access::auth::{Grant, KeyKind, lookup_hash};
use crate::access::policy::Policy;

/// How long the entry of a key that has ended is kept, milliseconds: a day, in which old pages that go on
/// using the key are refused without D1. After it KV has none, as of a key that never was.
pub const ENDED_KEPT_MS: i64 = 24 * 60 * 60 * 1_000;

/// An entry of KV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Under what it is kept.
    pub name: String,
    /// The text.
    pub value: String,
    /// From when on KV has it no more, Unix seconds.
    pub expires_s: Option<u64>,
}

impl Entry {
    /// An entry that says nothing, so that D1 is asked; it writes over one that may be wrong.
    pub fn nothing(name: &str, now_ms: i64) -> Self {
        Self {
            name: name.to_owned(),
            value: String::new(),
            expires_s: Some(seconds(now_ms.saturating_add(ENDED_KEPT_MS))),
        }
    }
}

fn seconds(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).div_euclid(1_000)
}

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyEntry {
    /// Its site.
    pub site: String,
    /// What it is for.
    pub kind: KeyKind,
    /// From when on it is good no more, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<i64>,
}

/// What is kept of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteEntry {
    /// Its origins.
    pub origins: Vec<String>,
    /// Whether it routes by fragment.
    pub hash_routing: bool,
    /// What Plausible's script calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Its own limits.
    pub policy: Policy,
    /// The time zone of its questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// What is kept of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainEntry {
    /// The site that had it last.
    pub site: String,
}

/// The name of a key's entry. The key itself is in no store.
pub fn key_name(hash: &str) -> String {
    format!("key:{hash}")
}

/// The name of the entry of a key as it is presented.
pub fn presented_name(key: &str) -> Option<String> {
    lookup_hash(key).as_deref().map(key_name)
}

/// The name of a site's entry.
pub fn site_name(site: &str) -> String {
    format!("site:{site}")
}

/// The name of a domain's entry: at most 260 bytes, of the 512 that KV takes.
pub fn domain_name(domain: &str) -> String {
    format!("domain:{domain}")
}

impl KeyEntry {
    /// The entry of the key with this hash. One that ends is forgotten a day later.
    pub fn of(&self, hash: &str, now_ms: i64) -> Option<Entry> {
        let expires_s = self
            .ends_at
            .map(|at| seconds(at.max(now_ms).saturating_add(ENDED_KEPT_MS)));
        Some(Entry {
            name: key_name(hash),
            value: serde_json::to_string(self).ok()?,
            expires_s,
        })
    }

    /// What it grants with its site.
    pub fn grant(self, site: SiteEntry) -> Grant {
        Grant {
            site: self.site,
            kind: self.kind,
            origins: site.origins,
            hash_routing: site.hash_routing,
            policy: site.policy,
            time_zone: site.time_zone,
            ends_at: self.ends_at,
        }
    }
}

impl SiteEntry {
    /// The entries of the site with this id: its own, and its domain's.
    pub fn of(&self, site: &str) -> Vec<Entry> {
        let entry = |name, value: serde_json::Result<String>| {
            let expires_s = None;
            value.ok().map(|value| Entry {
                name,
                value,
                expires_s,
            })
        };
        let of_domain = self.domain.as_deref().and_then(|domain| {
            let site = site.to_owned();
            let value = serde_json::to_string(&DomainEntry { site });
            entry(domain_name(domain), value)
        });
        let own = entry(site_name(site), serde_json::to_string(self));
        own.into_iter().chain(of_domain).collect()
    }
}
