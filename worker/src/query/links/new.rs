//! A link that is to be made.

use serde::Deserialize;
use serde_json::{Value, json};

use super::row::{id_of, password_hash};
use super::{Listed, View};
use crate::access::auth::{origin_pattern, secret_text};
use crate::base::hash::sha256_hex;
use crate::base::json;
use crate::base::sql::{Param, Statement};
use crate::http::error::Fault;
use crate::http::known;
use crate::query::{Question, wrong};

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

pub(super) const DAY_MS: i64 = 86_400_000;

/// Fields of a link.
pub const LINK_FIELDS: &[&str] = &[
    "name",
    "views",
    "filters",
    "password",
    "expiresInDays",
    "origins",
];

/// What is to be a link.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct NewLink {
    /// For whom it is.
    #[cfg_attr(test, schema(min_length = 1, max_length = 100))]
    pub(super) name: String,
    /// What it shows.
    #[cfg_attr(test, schema(min_items = 1, max_items = 9))]
    pub(super) views: Vec<View>,
    /// What everything is narrowed to, as the query call's `filters`.
    #[serde(default)]
    #[cfg_attr(test, schema(value_type = Option<Vec<Value>>))]
    pub(super) filters: Option<Value>,
    /// What its holder must know beside it.
    #[serde(default)]
    #[cfg_attr(test, schema(pattern = "^[!-~]{8,100}$"))]
    pub(super) password: Option<String>,
    /// Days after which it ends; never where left out.
    #[serde(default, deserialize_with = "crate::base::whole::optional")]
    #[cfg_attr(test, schema(minimum = 1, maximum = 3650))]
    pub(super) expires_in_days: Option<i64>,
    /// Whose pages may frame it.
    #[serde(default)]
    #[cfg_attr(test, schema(max_items = 20, value_type = Vec<crate::openapi::Origin>))]
    pub(super) origins: Vec<String>,
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
        link.views = views_of(link.views)?;
        link.filters = link.filters.filter(|filters| *filters != json!([]));
        if let Some(filters) = &link.filters {
            check_filters(filters, &link.views)?;
        }
        check_password(link.password.as_deref())?;
        let are_days = |days: &i64| (1..=MAX_DAYS).contains(days);
        if !link.expires_in_days.as_ref().is_none_or(are_days) {
            let detail = "expiresInDays is a whole number from 1 to 3650.";
            return Err(wrong("expiresInDays", detail));
        }
        link.origins = origins_of(&link.origins).ok_or_else(|| {
            let detail = "origins are at most 20 of the form https://host or https://*.host.";
            wrong("origins", detail)
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

    /// The statement that keeps it; it returns a [`LinkRow`](super::LinkRow) unless the site has as many as it may have, or there is
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
                shown.expires_at.map_or(Param::Null, Into::into),
                MAX_LINKS.into(),
            ],
        )
    }
}

/// Each view once.
fn views_of(given: Vec<View>) -> Result<Vec<View>, Fault> {
    if given.len() > VIEWS {
        return Err(wrong("views", "A link shows 9 views at most."));
    }
    let mut views = Vec::new();
    for view in given {
        if !views.contains(&view) {
            views.push(view);
        }
    }
    if views.is_empty() {
        return Err(wrong("views", "A link shows one view at least."));
    }
    Ok(views)
}

fn check_filters(filters: &Value, views: &[View]) -> Result<(), Fault> {
    let asked = json!({"metrics": ["events"], "filters": filters}).to_string();
    Question::parse(asked.as_bytes())?;
    if views.contains(&View::Properties) {
        let detail =
            "The view of properties tells those of all events: a link with filters has it not.";
        return Err(wrong("views", detail));
    }
    Ok(())
}

fn check_password(password: Option<&str>) -> Result<(), Fault> {
    let is_password = |text: &str| {
        PASSWORD_CHARS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if password.is_none_or(is_password) {
        return Ok(());
    }
    let detail = "password has 8 to 100 letters, digits and signs of ASCII, without spaces.";
    Err(wrong("password", detail))
}

/// Origins as they are written into a policy, which nothing of them may end.
fn origins_of(given: &[String]) -> Option<Vec<String>> {
    let is_plain = |origin: &String| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/*[]".contains(&byte);
        origin.bytes().all(is_plain)
    };
    let origins = given.iter().map(|origin| origin_pattern(origin));
    let origins: Vec<String> = origins.collect::<Option<_>>()?;
    (origins.len() <= MAX_ORIGINS && origins.iter().all(is_plain)).then_some(origins)
}
