//! The statements on D1 and their rows: the look-ups, and what is due to be written to KV.

use serde::Deserialize;

use super::Asked;
use super::entry::{Entry, KeyEntry, SiteEntry};
use crate::access::auth::{Grant, KeyKind, lookup_hash};
use crate::access::policy::Policy;
use crate::base::json;
use crate::base::sql::Statement;

/// Rows of each table that a run of the cron writes at most: with the sites' domains 300 writes, of the
/// 1,000 operations on KV that an invocation has.
pub const MAX_DUE: i64 = 100;

/// A moment at which no key ends: the greatest whole number that JavaScript's numbers hold.
const NEVER: i64 = 9_007_199_254_740_991;

/// The columns of a [`Found`] that is a site's alone.
macro_rules! site_columns {
    () => {
        "site_id, origins, hash_routing, domain, visitor_per_minute, hourly_quota, retention_days, \
         keep_bots, time_zone, coalesce(grant_due, 0) AS grant_due"
    };
}

/// The columns of a [`KeyRow`].
macro_rules! key_columns {
    () => {
        "key_hash, site_id, kind, revoked_at, expires_at, coalesce(grant_due, 0) AS grant_due"
    };
}

pub(crate) use {key_columns, site_columns};

/// The statement that looks somebody up; it returns a [`Found`] or nothing.
pub fn find(asked: Asked<'_>, now_ms: i64) -> Option<Statement> {
    Some(match asked {
        Asked::Key(key) => Statement::new(
            "SELECT k.kind, s.site_id, s.origins, s.hash_routing, s.domain, \
                    s.visitor_per_minute, s.hourly_quota, s.retention_days, s.keep_bots, s.time_zone, \
                    nullif(min(coalesce(k.revoked_at, ?3), coalesce(k.expires_at, ?3)), ?3) \
                      AS ends_at \
             FROM keys AS k JOIN sites AS s ON s.site_id = k.site_id \
             WHERE k.key_hash = ?1 \
               AND min(coalesce(k.revoked_at, ?3), coalesce(k.expires_at, ?3)) > ?2",
            [lookup_hash(key)?.into(), now_ms.into(), NEVER.into()],
        ),
        Asked::Domain(domain) => Statement::new(
            "SELECT 'browser' AS kind, site_id, origins, hash_routing, domain, \
                    visitor_per_minute, hourly_quota, retention_days, keep_bots, time_zone \
             FROM sites WHERE domain = ?1",
            [domain.into()],
        ),
    })
}

/// A site's row, with what is asked of a key beside it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Found {
    site_id: String,
    origins: String,
    hash_routing: i64,
    domain: Option<String>,
    visitor_per_minute: Option<u32>,
    hourly_quota: Option<u32>,
    retention_days: Option<u32>,
    keep_bots: i64,
    time_zone: Option<String>,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    ends_at: Option<i64>,
    #[serde(default)]
    grant_due: i64,
}

impl Found {
    /// What it grants, where its kind is one that is known.
    pub fn grant(&self) -> Option<Grant> {
        Some(self.key_entry()?.grant(self.site_entry()))
    }

    /// The entries of all that was looked up.
    pub fn entries(&self, asked: Asked<'_>, now_ms: i64) -> Vec<Entry> {
        let of_key = match asked {
            Asked::Key(key) => lookup_hash(key)
                .and_then(|hash| self.key_entry().and_then(|entry| entry.of(&hash, now_ms))),
            Asked::Domain(_) => None,
        };
        let of_site = self.site_entry().of(&self.site_id);
        of_key.into_iter().chain(of_site).collect()
    }

    fn key_entry(&self) -> Option<KeyEntry> {
        Some(KeyEntry {
            site: self.site_id.clone(),
            kind: KeyKind::parse(&self.kind)?,
            ends_at: self.ends_at,
        })
    }

    fn site_entry(&self) -> SiteEntry {
        SiteEntry {
            origins: json::told(&self.origins).unwrap_or_default(),
            hash_routing: self.hash_routing != 0,
            domain: self.domain.clone(),
            policy: Policy {
                visitor_per_minute: self.visitor_per_minute,
                hourly_quota: self.hourly_quota,
                retention_days: self.retention_days,
                keep_bots: self.keep_bots != 0,
            },
            time_zone: self.time_zone.clone(),
        }
    }
}

/// A key's own row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KeyRow {
    key_hash: String,
    site_id: String,
    kind: String,
    revoked_at: Option<i64>,
    expires_at: Option<i64>,
    grant_due: i64,
}

/// A row that says what its entries were written from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Confirmed {
    /// Its id.
    pub id: String,
}

/// Rows of a table whose entries KV is to have.
pub trait Due: serde::de::DeserializeOwned {
    /// What the row is known by.
    fn id(&self) -> &str;
    /// Its mark: another one after each change, but for those of one millisecond.
    fn grant_due(&self) -> i64;
    /// Its entries.
    fn entries(&self, now_ms: i64) -> Vec<Entry>;
    /// The statement that lists what is due, the longest first.
    fn due(now_ms: i64) -> Statement;
    /// The statement that lists the rows of these ids.
    fn again(ids: &[&str]) -> Statement;
    /// The statement that takes the mark off those of these rows that are due and still have it; it returns
    /// as [`Confirmed`] all that still have it.
    fn confirm(written: &[(&str, i64)], now_ms: i64) -> Statement;
}

impl Due for Found {
    fn id(&self) -> &str {
        &self.site_id
    }

    fn grant_due(&self) -> i64 {
        self.grant_due
    }

    fn entries(&self, _: i64) -> Vec<Entry> {
        self.site_entry().of(&self.site_id)
    }

    fn due(now_ms: i64) -> Statement {
        Statement::new(
            concat!(
                "SELECT ",
                site_columns!(),
                " FROM sites WHERE grant_due <= ?1 ORDER BY grant_due LIMIT ?2"
            ),
            [now_ms.into(), MAX_DUE.into()],
        )
    }

    fn again(ids: &[&str]) -> Statement {
        Statement::new(
            concat!(
                "SELECT ",
                site_columns!(),
                " FROM sites WHERE site_id IN (SELECT value FROM json_each(?1))"
            ),
            [json(ids).into()],
        )
    }

    fn confirm(written: &[(&str, i64)], now_ms: i64) -> Statement {
        Statement::new(
            "UPDATE sites SET grant_due = nullif(max(grant_due, ?2), ?2) FROM json_each(?1) AS done \
             WHERE site_id = done.value ->> 0 AND grant_due = done.value ->> 1 \
             RETURNING site_id AS id",
            [json(written).into(), now_ms.into()],
        )
    }
}

impl Due for KeyRow {
    fn id(&self) -> &str {
        &self.key_hash
    }

    fn grant_due(&self) -> i64 {
        self.grant_due
    }

    fn entries(&self, now_ms: i64) -> Vec<Entry> {
        let ends = self.revoked_at.into_iter().chain(self.expires_at);
        let kind = KeyKind::parse(&self.kind);
        let entry = kind.and_then(|kind| {
            let site = self.site_id.clone();
            let ends_at = ends.min();
            KeyEntry {
                site,
                kind,
                ends_at,
            }
            .of(&self.key_hash, now_ms)
        });
        entry.into_iter().collect()
    }

    fn due(now_ms: i64) -> Statement {
        Statement::new(
            concat!(
                "SELECT ",
                key_columns!(),
                " FROM keys WHERE grant_due <= ?1 ORDER BY grant_due LIMIT ?2"
            ),
            [now_ms.into(), MAX_DUE.into()],
        )
    }

    fn again(ids: &[&str]) -> Statement {
        Statement::new(
            concat!(
                "SELECT ",
                key_columns!(),
                " FROM keys WHERE key_hash IN (SELECT value FROM json_each(?1))"
            ),
            [json(ids).into()],
        )
    }

    fn confirm(written: &[(&str, i64)], now_ms: i64) -> Statement {
        Statement::new(
            "UPDATE keys SET grant_due = nullif(max(grant_due, ?2), ?2) FROM json_each(?1) AS done \
             WHERE key_hash = done.value ->> 0 AND grant_due = done.value ->> 1 \
             RETURNING key_hash AS id",
            [json(written).into(), now_ms.into()],
        )
    }
}

fn json(value: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
