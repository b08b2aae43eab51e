//! Sites and their keys: what the admin calls take, and the statements they become.

use serde::{Deserialize, Serialize};

use crate::auth::{KeyKind, is_site_id, origin_pattern, sha256_hex};
use crate::error::Fault;
use crate::policy::Policy;
use crate::read::Params;
use crate::sql::{Param, Statement};

/// Origins of a site at most: they are compared one by one with each batch.
const MAX_ORIGINS: usize = 50;

/// Characters of a domain at most, as in the DNS.
const MAX_DOMAIN_CHARS: usize = 253;

/// Seconds that a key may live on after its successor was made: 30 days.
const MAX_OVERLAP_S: i64 = 30 * 24 * 60 * 60;

/// Characters of a site's name at most.
const MAX_NAME_CHARS: usize = 100;

/// Characters of a key's secret part: 26 of 5 bits are 130 bits.
pub const SECRET_CHARS: usize = 26;

/// Characters of a key's id, the head of its hash: enough to tell a site's keys apart.
const KEY_ID_CHARS: usize = 16;

/// A site to be made, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSite {
    /// Its id: 1 to 40 of `a-z 0-9 -`.
    pub site_id: String,
    /// What people call it; its id where left out.
    #[serde(default)]
    pub name: String,
    /// The origins its pages are served from.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Whether its routes are fragments.
    #[serde(default)]
    pub hash_routing: bool,
    /// What Plausible's script calls it, as `data-domain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Its own limits.
    #[serde(flatten)]
    pub policy: Policy,
}

/// A site as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SiteRow {
    site_id: String,
    name: String,
    origins: String,
    hash_routing: i64,
    domain: Option<String>,
    visitor_per_minute: Option<u32>,
    hourly_quota: Option<u32>,
    keep_bots: i64,
}

/// A key as it is shown, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownKey {
    /// What it is revoked by.
    pub key_id: String,
    /// Its site.
    pub site_id: String,
    /// `browser`, `source` or `read`.
    pub kind: String,
    /// The key itself; only its hash is kept.
    pub key: String,
}

/// The body of a call for a key.
#[derive(Debug, Deserialize)]
struct NewKey {
    kind: String,
}

impl NewSite {
    /// Checks the body of `POST /v1/sites`.
    ///
    /// # Errors
    /// 400 with the field that is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        let mut site: Self = serde_json::from_slice(body).map_err(|_| {
            Fault::malformed(
                "The body must be {siteId, name?, origins?, hashRouting?, domain?, \
                 visitorPerMinute?, hourlyQuota?, keepBots?}.",
            )
        })?;
        let wrong = |field, detail| Fault::Malformed {
            field: Some(field),
            detail,
        };
        if !is_site_id(&site.site_id) {
            return Err(wrong("siteId", "siteId must be 1 to 40 of a-z, 0-9 and -."));
        }
        if site.name.chars().count() > MAX_NAME_CHARS {
            return Err(wrong("name", "name has at most 100 characters."));
        }
        site.origins = site
            .origins
            .iter()
            .map(|origin| origin_pattern(origin))
            .collect::<Option<_>>()
            .filter(|origins: &Vec<String>| origins.len() <= MAX_ORIGINS)
            .ok_or(wrong(
                "origins",
                "origins are at most 50 of the form https://host, https://*.host or \
                 http://host:*, without a path; an international name in its xn-- form.",
            ))?;
        site.domain = site.domain.map(|domain| domain.to_lowercase());
        let is_domain = |domain: &String| {
            (1..=MAX_DOMAIN_CHARS).contains(&domain.len())
                && domain
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b))
        };
        if !site.domain.as_ref().is_none_or(is_domain) {
            return Err(wrong(
                "domain",
                "domain is a host's name, such as shop.example.",
            ));
        }
        if site.policy.visitor_per_minute == Some(0) {
            return Err(wrong("visitorPerMinute", "visitorPerMinute is 1 or more."));
        }
        if site.policy.hourly_quota == Some(0) {
            return Err(wrong("hourlyQuota", "hourlyQuota is 1 or more."));
        }
        if site.name.is_empty() {
            site.name.clone_from(&site.site_id);
        }
        Ok(site)
    }

    /// The statement that makes the site; it returns a row unless the site is there already, or
    /// another one has its domain.
    pub fn statement(&self, now_ms: i64) -> Statement {
        Statement::new(
            "INSERT INTO sites (site_id, name, origins, hash_routing, domain, \
                                visitor_per_minute, hourly_quota, keep_bots, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
             ON CONFLICT DO NOTHING RETURNING site_id",
            self.params(now_ms),
        )
    }

    /// The statement that replaces what is set of the site; it returns a row where there is such a
    /// site, unless another one has its domain.
    pub fn replace(&self) -> Statement {
        let [settings @ .., _] = self.params(0);
        Statement::new(
            "UPDATE OR IGNORE sites SET name = ?2, origins = ?3, hash_routing = ?4, domain = ?5, \
                    visitor_per_minute = ?6, hourly_quota = ?7, keep_bots = ?8 \
             WHERE site_id = ?1 RETURNING site_id",
            settings,
        )
    }

    fn params(&self, now_ms: i64) -> [Param; 9] {
        let number = |n: Option<u32>| n.map_or(Param::Null, |n| i64::from(n).into());
        [
            self.site_id.as_str().into(),
            self.name.as_str().into(),
            serde_json::to_string(&self.origins)
                .unwrap_or_default()
                .into(),
            i64::from(self.hash_routing).into(),
            self.domain.as_deref().into(),
            number(self.policy.visitor_per_minute),
            number(self.policy.hourly_quota),
            i64::from(self.policy.keep_bots).into(),
            now_ms.into(),
        ]
    }
}

/// The statement that returns a row where there is such a site.
pub fn find_site(site_id: &str) -> Statement {
    Statement::new(
        "SELECT site_id FROM sites WHERE site_id = ?1",
        [site_id.into()],
    )
}

/// The statement that lists the sites.
pub fn list_sites() -> Statement {
    Statement::new(
        "SELECT site_id, name, origins, hash_routing, domain, visitor_per_minute, \
                hourly_quota, keep_bots FROM sites ORDER BY site_id",
        [],
    )
}

impl From<SiteRow> for NewSite {
    fn from(row: SiteRow) -> Self {
        Self {
            site_id: row.site_id,
            name: row.name,
            origins: serde_json::from_str(&row.origins).unwrap_or_default(),
            hash_routing: row.hash_routing != 0,
            domain: row.domain,
            policy: Policy {
                visitor_per_minute: row.visitor_per_minute,
                hourly_quota: row.hourly_quota,
                keep_bots: row.keep_bots != 0,
            },
        }
    }
}

/// Checks the body of `POST /v1/sites/{id}/keys` and makes the key from `random` bytes.
///
/// # Errors
/// 400 for another kind of key than there is.
pub fn new_key(site_id: &str, body: &[u8], random: &[u8; SECRET_CHARS]) -> Result<ShownKey, Fault> {
    let wrong = Fault::Malformed {
        field: Some("kind"),
        detail: "kind must be browser, source or read.",
    };
    let new: NewKey = serde_json::from_slice(body).map_err(|_| wrong.clone())?;
    let prefix = match KeyKind::parse(&new.kind) {
        Some(KeyKind::Browser) => "slb",
        Some(KeyKind::Source) => "sls",
        Some(KeyKind::Read) => "slr",
        None => return Err(wrong),
    };
    let secret: String = random
        .iter()
        .filter_map(|byte| {
            let alphabet = b"abcdefghijklmnopqrstuvwxyz234567";
            alphabet
                .get(usize::from(byte & 31))
                .copied()
                .map(char::from)
        })
        .collect();
    let key = format!("{prefix}_{site_id}_{secret}");
    Ok(ShownKey {
        key_id: sha256_hex(key.as_bytes())
            .chars()
            .take(KEY_ID_CHARS)
            .collect(),
        site_id: site_id.to_owned(),
        kind: new.kind,
        key,
    })
}

impl ShownKey {
    /// The statement that keeps the key's hash; it returns a row unless there is no such site.
    pub fn statement(&self, now_ms: i64) -> Statement {
        Statement::new(
            "INSERT INTO keys (key_hash, site_id, kind, created_at) \
             SELECT ?1, site_id, ?3, ?4 FROM sites WHERE site_id = ?2 RETURNING site_id",
            [
                sha256_hex(self.key.as_bytes()).into(),
                self.site_id.as_str().into(),
                self.kind.as_str().into(),
                now_ms.into(),
            ],
        )
    }
}

/// The statement that lists a site's keys, by their ids.
pub fn list_keys(site_id: &str) -> Statement {
    Statement::new(
        "SELECT substr(key_hash, 1, 16) AS \"keyId\", kind, created_at AS \"createdAt\", \
                expires_at AS \"expiresAt\", revoked_at AS \"revokedAt\" \
         FROM keys WHERE site_id = ?1 ORDER BY created_at, key_hash",
        [site_id.into()],
    )
}

/// When a key ends that is deleted with `?after=` seconds: at once without it. A key that is
/// replaced by another may so overlap with it until all senders have the new one.
///
/// # Errors
/// 400 where `after` is not 0 to 30 days.
pub fn end_of_key(params: &Params, now_ms: i64) -> Result<i64, Fault> {
    let detail = "after must be 0 to 2592000 seconds.";
    let after_s = params.number("after", 0..=MAX_OVERLAP_S, 0, detail)?;
    Ok(now_ms.saturating_add(after_s.saturating_mul(1_000)))
}

/// The statement that ends a key at `end_ms`, unless it ends before; it returns a row where there is
/// such a key.
pub fn end_key(site_id: &str, key_id: &str, end_ms: i64) -> Statement {
    Statement::new(
        "UPDATE keys SET revoked_at = min(coalesce(revoked_at, ?3), ?3) \
         WHERE site_id = ?1 AND substr(key_hash, 1, 16) = ?2 RETURNING site_id",
        [site_id.into(), key_id.into(), end_ms.into()],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::lookup_hash;
    use crate::sql::Sql;
    use crate::testing::TestSql;

    #[test]
    fn a_made_key_is_one_that_is_looked_up() {
        for kind in ["browser", "source", "read"] {
            let body = format!("{{\"kind\":\"{kind}\"}}");
            let key = new_key("my-shop", body.as_bytes(), &[201; SECRET_CHARS]).unwrap();
            assert!(lookup_hash(&key.key).unwrap().starts_with(&key.key_id));
        }
        for bad in ["", "{}", "{\"kind\":\"admin\"}", "null"] {
            let fault = new_key("s", bad.as_bytes(), &[0; SECRET_CHARS]).unwrap_err();
            assert!(matches!(
                fault,
                Fault::Malformed {
                    field: Some("kind"),
                    ..
                }
            ));
        }
    }

    #[test]
    fn a_site_is_checked_field_by_field() {
        let good =
            br#"{"siteId":"shop","origins":["https://*.shop.example","http://localhost:*"]}"#;
        assert_eq!(NewSite::parse(good).unwrap().name, "shop");
        let written = br#"{"siteId":"a","origins":["HTTPS://Shop.Example:443","http://a:80"]}"#;
        let origins = NewSite::parse(written).unwrap().origins;
        assert_eq!(origins, ["https://shop.example", "http://a"]);
        let field = |body: &str| match NewSite::parse(body.as_bytes()) {
            Err(Fault::Malformed { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field("[]"), None);
        assert_eq!(field(r#"{"siteId":"a","domain":"a b"}"#), Some("domain"));
        assert_eq!(
            field(r#"{"siteId":"a","visitorPerMinute":0}"#),
            Some("visitorPerMinute")
        );
        assert_eq!(
            field(r#"{"siteId":"a","hourlyQuota":0}"#),
            Some("hourlyQuota")
        );
        assert_eq!(field(r#"{"siteId":"My Shop"}"#), Some("siteId"));
        assert_eq!(field(r#"{"siteId":"_shoreline"}"#), Some("siteId"));
        for origin in [
            "*",
            "shop.example",
            "https://",
            "https://a/b",
            "https://*",
            "ftp://a",
        ] {
            let body = format!(r#"{{"siteId":"a","origins":["{origin}"]}}"#);
            assert_eq!(field(&body), Some("origins"), "{origin}");
        }
    }

    fn site(json: &str) -> NewSite {
        NewSite::parse(json.as_bytes()).unwrap()
    }

    fn listed(sql: &TestSql) -> Vec<NewSite> {
        let list = list_sites();
        let rows: Vec<SiteRow> = sql.rows(list.sql, &list.params).unwrap();
        rows.into_iter().map(NewSite::from).collect()
    }

    #[test]
    fn a_site_is_made_once_listed_and_replaced() {
        let sql = TestSql::new();
        sql.migrate();
        let run = |statement: Statement| {
            sql.rows::<serde::de::IgnoredAny>(statement.sql, &statement.params)
                .unwrap()
                .len()
        };
        let shop =
            site(r#"{"siteId":"shop","domain":"Shop.Example","hourlyQuota":9,"keepBots":true}"#);
        assert_eq!(run(shop.statement(1)), 1);
        assert_eq!(run(shop.statement(2)), 0);
        assert_eq!(
            run(site(r#"{"siteId":"other","domain":"shop.example"}"#).statement(3)),
            0
        );
        assert_eq!(run(site(r#"{"siteId":"other"}"#).statement(3)), 1);
        assert_eq!(listed(&sql)[1], shop);
        let changed = site(r#"{"siteId":"shop","origins":["https://a.example"]}"#);
        assert_eq!(run(changed.replace()), 1);
        assert_eq!(listed(&sql)[1], changed);
        assert_eq!(run(site(r#"{"siteId":"none"}"#).replace()), 0);
    }

    #[test]
    fn a_key_may_end_later_and_never_later_than_before() {
        let sql = TestSql::new();
        sql.migrate();
        sql.execute_batch(
            "INSERT INTO sites (site_id, name, origins, created_at) VALUES ('s', 's', '[]', 0);
             INSERT INTO keys VALUES ('0123456789abcdefff', 's', 'read', 0, NULL, NULL);",
        );
        let end = |at| {
            let statement = end_key("s", "0123456789abcdef", at);
            let rows: Vec<serde::de::IgnoredAny> =
                sql.rows(statement.sql, &statement.params).unwrap();
            assert_eq!(rows.len(), 1);
            sql.number("SELECT revoked_at FROM keys")
        };
        assert_eq!((end(500), end(900), end(100)), (500, 500, 100));
        let keys = list_keys("s");
        let rows: Vec<serde_json::Value> = sql.rows(keys.sql, &keys.params).unwrap();
        assert_eq!(rows[0]["keyId"], "0123456789abcdef");
        assert_eq!(rows[0]["revokedAt"], 100);
        assert_eq!(end_of_key(&Params::parse("after=60"), 5), Ok(60_005));
        assert_eq!(end_of_key(&Params::parse(""), 5), Ok(5));
        assert!(end_of_key(&Params::parse("after=-1"), 5).is_err());
    }
}
