//! Sites and their keys: what the admin calls take, and the statements they become.

use serde::{Deserialize, Serialize};

use crate::auth::{KeyKind, is_site_id, origin_pattern, sha256_hex};
use crate::error::Fault;
use crate::sql::Statement;

/// Origins of a site at most: they are compared one by one with each batch.
const MAX_ORIGINS: usize = 50;

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
}

/// A site as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SiteRow {
    site_id: String,
    name: String,
    origins: String,
    hash_routing: i64,
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
            Fault::malformed("The body must be {siteId, name?, origins?, hashRouting?}.")
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
        if site.name.is_empty() {
            site.name.clone_from(&site.site_id);
        }
        Ok(site)
    }

    /// The statement that makes the site; it returns a row unless the site is there already.
    pub fn statement(&self, now_ms: i64) -> Statement {
        let origins = serde_json::to_string(&self.origins).unwrap_or_default();
        Statement::new(
            "INSERT INTO sites (site_id, name, origins, hash_routing, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING RETURNING site_id",
            [
                self.site_id.as_str().into(),
                self.name.as_str().into(),
                origins.into(),
                i64::from(self.hash_routing).into(),
                now_ms.into(),
            ],
        )
    }
}

/// The statement that lists the sites.
pub fn list_sites() -> Statement {
    Statement::new(
        "SELECT site_id, name, origins, hash_routing FROM sites ORDER BY site_id",
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

/// The statement that revokes a key; it returns a row where there is such a key.
pub fn revoke_key(site_id: &str, key_id: &str, now_ms: i64) -> Statement {
    Statement::new(
        "UPDATE keys SET revoked_at = coalesce(revoked_at, ?3) \
         WHERE site_id = ?1 AND substr(key_hash, 1, 16) = ?2 RETURNING site_id",
        [site_id.into(), key_id.into(), now_ms.into()],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::lookup_hash;

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
}
