//! Shared links of a site: who makes them chooses views of the dashboard and, perhaps, filters; who holds one asks what
//! these views show, of events that pass these filters, and nothing else.

mod asked;
mod new;
mod row;

pub use asked::{Link, Way};
pub use new::{LINK_FIELDS, NewLink, SECRET_CHARS};
pub use row::{LinkRow, delete, find, framing, list};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::sql::Statement;

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

#[cfg(test)]
mod tests;
