//! Shared links of a site: who makes them chooses views of the dashboard and, perhaps, filters; who holds one asks what
//! these views show, of events that pass these filters, and nothing else.

mod asked;

pub use asked::{Link, Way};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Question, wrong};
use crate::access::auth::{origin_pattern, same_hash, secret_text};
use crate::base::hash::sha256_hex;
use crate::base::json;
use crate::base::sql::Statement;
use crate::http::error::Fault;
use crate::http::known;

/// Links of a site at most: each is one person or place that was given one.
const MAX_LINKS: i64 = 100;

/// Views that there are.
const VIEWS: usize = 9;

/// Characters of a link's name at most.
const MAX_NAME_CHARS: usize = 100;

/// Origins of a link at most.
const MAX_ORIGINS: usize = 20;

/// Days that a link may be good for at most: ten years.
const MAX_DAYS: i64 = 3_650;

/// Characters of a password.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=100;

/// Characters of a token's secret part, 5 bits each: 160 bits, for it stands in URLs that are sent around.
pub const SECRET_CHARS: usize = 32;

/// Characters of a link's id, the head of its token's hash.
const ID_CHARS: usize = 16;

const DAY_MS: i64 = 86_400_000;

/// Fields of a link.
pub const LINK_FIELDS: &[&str] = &[
    "name",
    "views",
    "filters",
    "password",
    "expiresInDays",
    "origins",
];

/// A view of the dashboard that a link may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = LinkView, rename_all = "lowercase"))]
pub enum View {
    /// Figures, pages, sources, places.
    Overview,
    /// Pages and sources.
    Pages,
    /// Features.
    Features,
    /// Content and AI requests.
    Content,
    /// Funnels, retention and journeys.
    Funnels,
    /// Goals.
    Goals,
    /// All properties of events.
    Properties,
    /// Any question.
    Ask,
    /// Errors and Web Vitals.
    Errors,
}

/// What is to be a link.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewLink {
    /// For whom it is.
    #[cfg_attr(test, schema(min_length = 1, max_length = 100))]
    name: String,
    /// What it shows.
    #[cfg_attr(test, schema(min_items = 1, max_items = 9))]
    views: Vec<View>,
    /// What everything is narrowed to, as the query call's `filters`.
    #[serde(default)]
    #[cfg_attr(test, schema(value_type = Option<Vec<Value>>))]
    filters: Option<Value>,
    /// What its holder must know beside it.
    #[serde(default)]
    #[cfg_attr(test, schema(pattern = "^[!-~]{8,100}$"))]
    password: Option<String>,
    /// Days after which it ends; never where left out.
    #[serde(default, deserialize_with = "crate::base::whole::optional")]
    #[cfg_attr(test, schema(minimum = 1, maximum = 3650))]
    expires_in_days: Option<i64>,
    /// Whose pages may frame it.
    #[serde(default)]
    #[cfg_attr(test, schema(max_items = 20, value_type = Vec<crate::openapi::Origin>))]
    origins: Vec<String>,
}

/// A link as it is told. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = SharedLink))]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    link_id: String,
    name: String,
    views: Vec<View>,
    #[cfg_attr(test, schema(required, value_type = Option<Vec<Value>>))]
    filters: Option<Value>,
    has_password: bool,
    origins: Vec<String>,
    created_at: i64,
    #[cfg_attr(test, schema(required))]
    expires_at: Option<i64>,
    /// `slv_…`, where it has just been made; only its hash is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The path of the page that it opens, likewise: with the token behind `#`, which no browser sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// The links of a site.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = SharedLinks))]
pub struct Links {
    /// In the order in which they were made.
    pub links: Vec<Listed>,
}

/// What the holder of a token is told of the site.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = AboutSite))]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// Its id.
    pub site_id: String,
    /// What people call it.
    pub name: String,
    /// The zone of questions that name none; null: UTC.
    #[cfg_attr(test, schema(required))]
    pub time_zone: Option<String>,
    /// What the token may ask, where it is a shared link's.
    #[cfg_attr(test, schema(required))]
    pub link: Option<Link>,
}

/// The statement that tells a site's name and zone, as a [`LinkRow`].
pub fn about(site: &str) -> Statement {
    Statement::new(
        "SELECT name, time_zone FROM sites WHERE site_id = ?1",
        [site.into()],
    )
}

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

impl NewLink {
    /// Checks the body.
    ///
    /// # Errors
    /// 400 with the field that is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        known::fields_of(body, LINK_FIELDS)?;
        let mut link: Self = json::told(body).map_err(|_| {
            Fault::malformed(
                "The body must be {name, views, filters?, password?, expiresInDays?, origins?}.",
            )
        })?;
        link.name = link.name.trim().to_owned();
        if !(1..=MAX_NAME_CHARS).contains(&link.name.chars().count()) {
            return Err(wrong("name", "name has 1 to 100 characters."));
        }
        if link.views.len() > VIEWS {
            return Err(wrong("views", "A link shows 9 views at most."));
        }
        let mut views = Vec::new();
        for view in link.views {
            if !views.contains(&view) {
                views.push(view);
            }
        }
        link.views = views;
        if link.views.is_empty() {
            return Err(wrong("views", "A link shows one view at least."));
        }
        link.filters = link.filters.filter(|filters| *filters != json!([]));
        if let Some(filters) = &link.filters {
            let asked = json!({"metrics": ["events"], "filters": filters}).to_string();
            Question::parse(asked.as_bytes())?;
            if link.views.contains(&View::Properties) {
                let detail = "The view of properties tells those of all events: a link with filters has it not.";
                return Err(wrong("views", detail));
            }
        }
        let is_password = |text: &String| {
            PASSWORD_CHARS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !link.password.as_ref().is_none_or(is_password) {
            let detail =
                "password has 8 to 100 letters, digits and signs of ASCII, without spaces.";
            return Err(wrong("password", detail));
        }
        let are_days = |days: &i64| (1..=MAX_DAYS).contains(days);
        if !link.expires_in_days.as_ref().is_none_or(are_days) {
            return Err(wrong(
                "expiresInDays",
                "expiresInDays is a whole number from 1 to 3650.",
            ));
        }
        // As they are written into a policy: nothing of them may end it.
        let is_plain = |origin: &String| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:/*[]".contains(&byte);
            origin.bytes().all(is_plain)
        };
        let origins = link.origins.iter().map(|origin| origin_pattern(origin));
        let origins: Option<Vec<String>> = origins.collect();
        let origins = origins.filter(|all| all.len() <= MAX_ORIGINS && all.iter().all(is_plain));
        link.origins = origins.ok_or_else(|| {
            wrong(
                "origins",
                "origins are at most 20 of the form https://host or https://*.host.",
            )
        })?;
        Ok(link)
    }

    /// The link of a site, with a token of `random` bytes.
    pub fn shown(&self, site: &str, random: &[u8; SECRET_CHARS], now_ms: i64) -> Listed {
        let token = format!("slv_{site}_{}", secret_text(random));
        let link_id = id_of(&token);
        let path = format!("/shared/{link_id}#{token}");
        let life = self.expires_in_days.map(|days| days.saturating_mul(DAY_MS));
        Listed {
            link_id,
            name: self.name.clone(),
            views: self.views.clone(),
            filters: self.filters.clone(),
            has_password: self.password.is_some(),
            origins: self.origins.clone(),
            created_at: now_ms,
            expires_at: life.map(|life| now_ms.saturating_add(life)),
            token: Some(token),
            path: Some(path),
        }
    }

    /// The statement that keeps it; it returns a [`LinkRow`] unless the site has as many as it may have, or there is
    /// no such site.
    pub fn statement(&self, site: &str, shown: &Listed) -> Statement {
        let text = |value: Value| value.to_string();
        let token = shown.token.as_deref().unwrap_or_default();
        let password = self.password.as_deref();
        let password = password.map(|password| password_hash(token, password));
        let filters = self.filters.clone().map(text);
        Statement::new(
            "INSERT INTO links (link_id, token_hash, site_id, name, views, filters, password_hash, origins, \
                created_at, expires_at) \
             SELECT ?1, ?2, site_id, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM sites WHERE site_id = ?3 \
               AND (SELECT count(*) FROM links WHERE site_id = ?3) < ?11 \
             ON CONFLICT DO NOTHING RETURNING link_id",
            [
                shown.link_id.as_str().into(),
                sha256_hex(token.as_bytes()).into(),
                site.into(),
                self.name.as_str().into(),
                text(json!(self.views)).into(),
                filters.as_deref().into(),
                password.as_deref().into(),
                text(json!(self.origins)).into(),
                shown.created_at.into(),
                shown
                    .expires_at
                    .map_or(crate::base::sql::Param::Null, Into::into),
                MAX_LINKS.into(),
            ],
        )
    }
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

fn id_of(token: &str) -> String {
    sha256_hex(token.as_bytes())
        .chars()
        .take(ID_CHARS)
        .collect()
}

/// What is kept of a password. Together with the token, which is kept nowhere: who has the hash alone cannot try
/// passwords.
fn password_hash(token: &str, password: &str) -> String {
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

#[cfg(test)]
mod tests;
