//! Keys as the admin calls take and show them, and the statements they become.

use serde::{Deserialize, Serialize};

use crate::access::auth::{KeyKind, secret_text};
use crate::access::grants::SETTLE_MS;
use crate::access::grants::rows::key_columns;
use crate::base::hash::sha256_hex;
use crate::base::json;
use crate::base::sql::Statement;
use crate::http::error::Fault;
use crate::http::known;
use crate::http::params::Params;

/// Characters of a key's secret part: 26 of 5 bits are 130 bits.
pub const SECRET_CHARS: usize = 26;

/// Characters of a key's id, the head of its hash: enough to tell a site's keys apart.
const KEY_ID_CHARS: usize = 16;

/// Seconds that a key may live on after its successor was made: 30 days.
const MAX_OVERLAP_S: i64 = 30 * 24 * 60 * 60;

/// A key as it is shown, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ShownKey {
    /// What it is revoked by.
    pub key_id: String,
    /// Its site.
    pub site_id: String,
    /// `browser`, `source` or `read`.
    #[cfg_attr(test, schema(value_type = crate::access::auth::KeyKind))]
    pub kind: String,
    /// The key itself; only its hash is kept.
    pub key: String,
}

/// A key as it is listed. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ListedKey {
    /// What it is revoked by.
    key_id: String,
    /// `browser`, `source` or `read`.
    #[cfg_attr(test, schema(value_type = crate::access::auth::KeyKind))]
    kind: String,
    /// When it was made.
    created_at: i64,
    /// When it ends by itself.
    #[cfg_attr(test, schema(required))]
    expires_at: Option<i64>,
    /// From when on it is revoked.
    #[cfg_attr(test, schema(required))]
    revoked_at: Option<i64>,
}

/// Fields of a call for a key.
pub const KEY_FIELDS: &[&str] = &["kind"];

/// The body of a call for a key.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct NewKey {
    #[cfg_attr(test, schema(value_type = crate::access::auth::KeyKind))]
    kind: String,
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
    known::fields_of(body, KEY_FIELDS)?;
    let new: NewKey = json::read(body).map_err(|_| wrong.clone())?;
    let prefix = match KeyKind::parse(&new.kind) {
        Some(KeyKind::Browser) => "slb",
        Some(KeyKind::Source) => "sls",
        Some(KeyKind::Read) => "slr",
        None => return Err(wrong),
    };
    let secret = secret_text(random);
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
    /// The statement that keeps the key's hash; it returns a [`KeyRow`](crate::access::grants::rows::KeyRow)
    /// unless there is no such site.
    pub fn statement(&self, now_ms: i64) -> Statement {
        Statement::new(
            concat!(
                "INSERT INTO keys (key_hash, site_id, kind, created_at, grant_due) \
             SELECT ?1, site_id, ?3, ?4, ?5 FROM sites WHERE site_id = ?2 \
             RETURNING ",
                key_columns!()
            ),
            [
                sha256_hex(self.key.as_bytes()).into(),
                self.site_id.as_str().into(),
                self.kind.as_str().into(),
                now_ms.into(),
                now_ms.saturating_add(SETTLE_MS).into(),
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

/// The statement that ends a key at `end_ms`, unless it ends before; it returns a
/// [`KeyRow`](crate::access::grants::rows::KeyRow) where there is such a key.
pub fn end_key(site_id: &str, key_id: &str, end_ms: i64, now_ms: i64) -> Statement {
    Statement::new(
        concat!(
            "UPDATE keys SET revoked_at = min(coalesce(revoked_at, ?3), ?3), grant_due = ?4 \
         WHERE site_id = ?1 AND substr(key_hash, 1, 16) = ?2 \
         RETURNING ",
            key_columns!()
        ),
        [
            site_id.into(),
            key_id.into(),
            end_ms.into(),
            now_ms.saturating_add(SETTLE_MS).into(),
        ],
    )
}

#[cfg(test)]
mod tests;
