//! Links as D1 keeps them.

use serde::Deserialize;
use serde_json::Value;

use super::{Link, Listed};
use crate::access::auth::same_hash;
use crate::base::hash::sha256_hex;
use crate::base::json;
use crate::base::sql::Statement;
use crate::http::error::Fault;

/// Characters of a link's id, the head of its token's hash.
const ID_CHARS: usize = 16;

/// A link's row in D1, of whichever columns a statement returns.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LinkRow {
    link_id: String,
    token_hash: String,
    site_id: String,
    /// For whom it is; or what people call a site.
    pub name: String,
    views: String,
    filters: Option<String>,
    password_hash: Option<String>,
    origins: String,
    created_at: i64,
    expires_at: Option<i64>,
    /// The site's time zone, where it has one of its own.
    pub time_zone: Option<String>,
}

/// The statement that lists a site's links, also those that have ended.
pub fn list(site: &str) -> Statement {
    Statement::new(
        "SELECT link_id, name, views, filters, password_hash, origins, created_at, expires_at \
         FROM links WHERE site_id = ?1 ORDER BY created_at, link_id",
        [site.into()],
    )
}

/// The statement that deletes one; it returns its [`LinkRow`] where there was one.
pub fn delete(site: &str, link_id: &str) -> Statement {
    Statement::new(
        "DELETE FROM links WHERE site_id = ?1 AND link_id = ?2 RETURNING link_id",
        [site.into(), link_id.into()],
    )
}

/// The statement that finds what a token opens, as a [`LinkRow`], where it has not ended.
pub fn find(token: &str, now_ms: i64) -> Statement {
    Statement::new(
        "SELECT l.token_hash, l.site_id, l.name, l.views, l.filters, l.password_hash, s.time_zone \
         FROM links AS l JOIN sites AS s ON s.site_id = l.site_id \
         WHERE l.link_id = ?1 AND coalesce(l.expires_at > ?2, 1)",
        [id_of(token).into(), now_ms.into()],
    )
}

/// The statement that finds whose pages may frame a link, as a [`LinkRow`], where it has not ended.
pub fn framing(link_id: &str, now_ms: i64) -> Statement {
    Statement::new(
        "SELECT origins FROM links WHERE link_id = ?1 AND coalesce(expires_at > ?2, 1)",
        [link_id.into(), now_ms.into()],
    )
}

pub(super) fn id_of(token: &str) -> String {
    sha256_hex(token.as_bytes())
        .chars()
        .take(ID_CHARS)
        .collect()
}

/// What is kept of a password. Together with the token, which is kept nowhere: who has the hash alone cannot try
/// passwords.
pub(super) fn password_hash(token: &str, password: &str) -> String {
    sha256_hex(format!("{token} {password}").as_bytes())
}

impl LinkRow {
    /// What the holder of `token` may ask.
    ///
    /// # Errors
    /// 401 where it is another token, or the password is not this.
    pub fn open(self, token: &str, password: Option<&str>) -> Result<Link, Fault> {
        if !same_hash(&self.token_hash, &sha256_hex(token.as_bytes())) {
            return Err(Fault::UnknownKey);
        }
        let is_open = self.password_hash.as_deref().is_none_or(|hash| {
            password.is_some_and(|password| same_hash(hash, &password_hash(token, password)))
        });
        if !is_open {
            return Err(Fault::PasswordRequired);
        }
        // What cannot be read narrows to nothing that could be asked.
        let filters = match self.filters.as_deref().map(json::told::<Value>) {
            None => None,
            Some(Ok(filters)) => Some(filters),
            Some(Err(_)) => return Err(Fault::UnknownKey),
        };
        Ok(Link {
            site: self.site_id,
            time_zone: self.time_zone,
            name: self.name,
            views: json::told(&self.views).unwrap_or_default(),
            filters,
        })
    }

    /// Whose pages may frame it, as the sources of a policy.
    pub fn ancestors(&self) -> String {
        let origins: Vec<String> = json::told(&self.origins).unwrap_or_default();
        if origins.is_empty() {
            "'none'".to_owned()
        } else {
            origins.join(" ")
        }
    }
}

impl From<LinkRow> for Listed {
    fn from(row: LinkRow) -> Self {
        Self {
            link_id: row.link_id,
            name: row.name,
            views: json::told(&row.views).unwrap_or_default(),
            filters: row.filters.and_then(|filters| json::told(filters).ok()),
            has_password: row.password_hash.is_some(),
            origins: json::told(&row.origins).unwrap_or_default(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            token: None,
            path: None,
        }
    }
}
