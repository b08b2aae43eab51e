//! What an isolate remembers of keys: for a minute, and, while D1 is down, the good ones for an hour.

use std::collections::HashMap;

use crate::auth::Grant;
use crate::policy::Policy;
use crate::sql::Statement;

/// How long a look-up is good: a revoked key works no longer than this, while D1 answers.
pub const FRESH_MS: i64 = 60_000;

/// How long a good key is served while D1 is down.
pub const STALE_MS: i64 = 60 * FRESH_MS;

/// How long D1 is left alone after a look-up that failed, where there is something stale to serve.
pub const PAUSE_MS: i64 = 5_000;

/// Good keys kept at most: about 300 bytes each. More than the sites of most deployments.
pub const MAX_GOOD: usize = 2_000;

/// Bad keys kept at most. They are kept apart, so that made-up ones push out no good one.
pub const MAX_BAD: usize = 1_000;

/// What to do about a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Advice {
    /// It may do this.
    Good(Grant),
    /// It is none.
    Bad,
    /// Look it up; if that fails, serve this where it is given.
    Ask(Option<Grant>),
}

/// The cache.
#[derive(Debug, Default)]
pub struct KeyCache {
    good: HashMap<String, (i64, Grant)>,
    bad: HashMap<String, i64>,
    failed_at: Option<i64>,
}

impl KeyCache {
    /// What to do about the key with this hash.
    pub fn advise(&self, hash: &str, now_ms: i64) -> Advice {
        let age = |at: i64| now_ms.saturating_sub(at);
        if self.bad.get(hash).is_some_and(|at| age(*at) < FRESH_MS) {
            return Advice::Bad;
        }
        match self.good.get(hash).filter(|(at, _)| age(*at) < STALE_MS) {
            Some((at, grant)) => {
                let pausing = self.failed_at.is_some_and(|at| age(at) < PAUSE_MS);
                if age(*at) < FRESH_MS || pausing {
                    Advice::Good(grant.clone())
                } else {
                    Advice::Ask(Some(grant.clone()))
                }
            }
            None => Advice::Ask(None),
        }
    }

    /// Remembers what a look-up found.
    pub fn learn(&mut self, hash: &str, grant: Option<&Grant>, now_ms: i64) {
        self.failed_at = None;
        self.bad.remove(hash);
        self.good.remove(hash);
        match grant {
            Some(grant) => {
                if self.good.len() >= MAX_GOOD {
                    self.good.clear();
                }
                self.good.insert(hash.to_owned(), (now_ms, grant.clone()));
            }
            None => {
                if self.bad.len() >= MAX_BAD {
                    self.bad.clear();
                }
                self.bad.insert(hash.to_owned(), now_ms);
            }
        }
    }

    /// Remembers that a look-up failed.
    pub fn failed(&mut self, now_ms: i64) {
        self.failed_at = Some(now_ms);
    }
}

/// The statement that looks a key up.
pub fn look_up(key_hash: &str, now_ms: i64) -> Statement {
    Statement::new(
        "SELECT k.site_id, k.kind, s.origins, s.hash_routing, s.visitor_per_minute, \
                s.hourly_quota, s.retention_days, s.keep_bots \
         FROM keys AS k JOIN sites AS s ON s.site_id = k.site_id \
         WHERE k.key_hash = ?1 AND coalesce(k.revoked_at, ?2 + 1) > ?2 \
           AND coalesce(k.expires_at, ?2 + 1) > ?2",
        [key_hash.into(), now_ms.into()],
    )
}

/// The statement that looks a site up by what Plausible's script calls it. Who names it may do what a
/// browser key may do: the list of origins is what decides.
pub fn look_up_domain(domain: &str) -> Statement {
    Statement::new(
        "SELECT site_id, 'browser' AS kind, origins, hash_routing, visitor_per_minute, \
                hourly_quota, retention_days, keep_bots FROM sites WHERE domain = ?1",
        [domain.into()],
    )
}

/// A row of [`look_up`] or [`look_up_domain`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct KeyRow {
    site_id: String,
    kind: String,
    origins: String,
    hash_routing: i64,
    visitor_per_minute: Option<u32>,
    hourly_quota: Option<u32>,
    retention_days: Option<u32>,
    keep_bots: i64,
}

impl KeyRow {
    /// The grant of the row, where its kind is one that is known.
    pub fn grant(self) -> Option<Grant> {
        Some(Grant {
            kind: crate::auth::KeyKind::parse(&self.kind)?,
            site: self.site_id,
            origins: serde_json::from_str(&self.origins).unwrap_or_default(),
            hash_routing: self.hash_routing != 0,
            policy: Policy {
                visitor_per_minute: self.visitor_per_minute,
                hourly_quota: self.hourly_quota,
                retention_days: self.retention_days,
                keep_bots: self.keep_bots != 0,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::KeyKind;
    use crate::sql::Sql;
    use crate::testing::{NOW, TestSql};

    fn grant() -> Grant {
        crate::testing::a_grant(KeyKind::Read)
    }

    #[test]
    fn a_key_is_known_for_a_minute_and_served_for_an_hour_while_d1_is_down() {
        let mut cache = KeyCache::default();
        assert_eq!(cache.advise("k", NOW), Advice::Ask(None));
        cache.learn("k", Some(&grant()), NOW);
        assert_eq!(cache.advise("k", NOW + FRESH_MS - 1), Advice::Good(grant()));
        let later = NOW + FRESH_MS;
        assert_eq!(cache.advise("k", later), Advice::Ask(Some(grant())));
        // D1 is down: it is left alone for some seconds, and pages do not wait for it.
        cache.failed(later);
        assert_eq!(cache.advise("k", later + 1), Advice::Good(grant()));
        assert_eq!(
            cache.advise("k", later + PAUSE_MS),
            Advice::Ask(Some(grant()))
        );
        cache.failed(NOW + STALE_MS);
        assert_eq!(cache.advise("k", NOW + STALE_MS), Advice::Ask(None));
    }

    #[test]
    fn a_revoked_key_is_refused_as_soon_as_it_is_looked_up() {
        let mut cache = KeyCache::default();
        cache.learn("k", Some(&grant()), NOW);
        cache.learn("k", None, NOW + FRESH_MS);
        assert_eq!(cache.advise("k", NOW + FRESH_MS), Advice::Bad);
        // A bad key is never served stale: it may have been made meanwhile.
        cache.failed(NOW + 2 * FRESH_MS);
        assert_eq!(cache.advise("k", NOW + 2 * FRESH_MS), Advice::Ask(None));
    }

    #[test]
    fn made_up_keys_push_out_no_good_one() {
        let mut cache = KeyCache::default();
        cache.learn("good", Some(&grant()), NOW);
        for n in 0..5 * MAX_GOOD {
            cache.learn(&format!("bad{n}"), None, NOW);
        }
        assert_eq!(cache.advise("good", NOW), Advice::Good(grant()));
        assert!(cache.bad.len() <= MAX_BAD);
    }

    #[test]
    fn an_expired_or_revoked_key_is_not_found() {
        let sql = TestSql::new();
        sql.migrate();
        sql.execute_batch(&format!(
            "INSERT INTO sites (site_id, name, origins, hash_routing, created_at, domain, \
                                hourly_quota, keep_bots, retention_days) \
             VALUES ('demo', 'Demo', '[\"https://a.example\"]', 1, 0, 'a.example', 7, 1, 9);
             INSERT INTO keys VALUES ('good', 'demo', 'browser', 0, NULL, NULL);
             INSERT INTO keys VALUES ('soon', 'demo', 'read', 0, {NOW} + 1, {NOW} + 1);
             INSERT INTO keys VALUES ('expired', 'demo', 'read', 0, {NOW}, NULL);
             INSERT INTO keys VALUES ('revoked', 'demo', 'read', 0, NULL, {NOW});"
        ));
        let find = |hash: &str| {
            let statement = look_up(hash, NOW);
            let rows: Vec<KeyRow> = sql.rows(statement.sql, &statement.params).unwrap();
            rows.into_iter().next().and_then(KeyRow::grant)
        };
        let good = find("good").unwrap();
        assert_eq!((good.kind, good.hash_routing), (KeyKind::Browser, true));
        assert_eq!(good.origins, ["https://a.example"]);
        let policy = Policy {
            visitor_per_minute: None,
            hourly_quota: Some(7),
            retention_days: Some(9),
            keep_bots: true,
        };
        assert_eq!(good.policy, policy);
        let by_domain = look_up_domain("a.example");
        let rows: Vec<KeyRow> = sql.rows(by_domain.sql, &by_domain.params).unwrap();
        assert_eq!(rows.into_iter().next().and_then(KeyRow::grant), Some(good));
        assert!(find("soon").is_some());
        for gone in ["expired", "revoked", "unknown"] {
            assert_eq!(find(gone), None, "{gone}");
        }
    }
}
