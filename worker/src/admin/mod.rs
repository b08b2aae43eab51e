//! Sites and their keys: what the admin calls take, and the statements they become.

pub mod archives;
mod keys;
pub mod users;

pub use archives::ARCHIVES_FIELDS;
#[cfg(test)]
pub(crate) use keys::NewKey;
pub use keys::{
    KEY_FIELDS, ListedKey, SECRET_CHARS, ShownKey, end_key, end_of_key, list_keys, new_key,
};

use serde::{Deserialize, Serialize};

use crate::access::auth::{is_site_id, origin_pattern};
use crate::access::grants::SETTLE_MS;
use crate::access::grants::rows::site_columns;
use crate::access::policy::{Policy, RETENTION_DAYS};
use crate::base::json;
use crate::base::sql::{Param, Statement};
use crate::http::error::Fault;
use crate::http::known;

/// Origins of a site at most: they are compared one by one with each batch.
const MAX_ORIGINS: usize = 50;

/// Characters of a domain at most, as in the DNS.
const MAX_DOMAIN_CHARS: usize = 253;

/// Characters of a zone's name at most.
const MAX_ZONE_CHARS: usize = 64;

/// Characters of a site's name at most.
const MAX_NAME_CHARS: usize = 100;

/// A site to be made, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Site))]
#[serde(rename_all = "camelCase")]
pub struct NewSite {
    /// Its id: 1 to 40 of `a-z 0-9 -`.
    #[cfg_attr(test, schema(pattern = "^[a-z0-9-]{1,40}$"))]
    pub site_id: String,
    /// What people call it; its id where left out.
    #[serde(default)]
    #[cfg_attr(test, schema(max_length = 100))]
    pub name: String,
    /// The origins its pages are served from.
    #[serde(default)]
    #[cfg_attr(test, schema(max_items = 50, value_type = Vec<crate::openapi::Origin>))]
    pub origins: Vec<String>,
    /// Whether its routes are fragments.
    #[serde(default)]
    pub hash_routing: bool,
    /// What Plausible's script calls it, as `data-domain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(pattern = "^[A-Za-z0-9._/-]{1,253}$"))]
    pub domain: Option<String>,
    /// An IANA time zone: dates and days of questions are those of its clocks; UTC where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(min_length = 1, max_length = 64))]
    pub time_zone: Option<String>,
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
    time_zone: Option<String>,
    visitor_per_minute: Option<u32>,
    hourly_quota: Option<u32>,
    retention_days: Option<u32>,
    keep_bots: i64,
}

/// Fields of a site.
pub const SITE_FIELDS: &[&str] = &[
    "siteId",
    "name",
    "origins",
    "hashRouting",
    "domain",
    "timeZone",
    "visitorPerMinute",
    "hourlyQuota",
    "retentionDays",
    "keepBots",
];

/// Fields that are whole numbers, with what is said of another value.
const NUMBERS: [(&str, &str); 3] = [
    ("visitorPerMinute", "visitorPerMinute is 1 or more."),
    ("hourlyQuota", "hourlyQuota is 1 or more."),
    (
        "retentionDays",
        "retentionDays is a whole number from 1 to 90.",
    ),
];

/// The first of [`NUMBERS`] that is there and not a whole number.
fn wrong_number(body: &[u8]) -> Option<Fault> {
    let fields: serde_json::Map<String, serde_json::Value> = json::read(body).ok()?;
    let is_wrong = |name: &str| {
        fields.get(name).is_some_and(|value| {
            let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
            !value.is_null() && number.is_none()
        })
    };
    let (field, detail) = NUMBERS.into_iter().find(|(name, _)| is_wrong(name))?;
    Some(Fault::Malformed {
        field: Some(field),
        detail,
    })
}

impl NewSite {
    /// Checks the body of `POST /v1/sites`.
    ///
    /// # Errors
    /// 400 with the field that is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        known::fields_of(body, SITE_FIELDS)?;
        let mut site: Self = json::read(body).map_err(|_| {
            wrong_number(body).unwrap_or(Fault::malformed(
                "The body must be {siteId, name?, origins?, hashRouting?, domain?, timeZone?, \
                 visitorPerMinute?, hourlyQuota?, retentionDays?, keepBots?}.",
            ))
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
        // As the adapter reads what the script says.
        site.domain = site.domain.map(|domain| {
            let domain = domain.to_lowercase();
            domain.strip_prefix("www.").unwrap_or(&domain).to_owned()
        });
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
        let is_zone = |zone: &String| (1..=MAX_ZONE_CHARS).contains(&zone.len());
        if !site.time_zone.as_ref().is_none_or(is_zone) {
            return Err(site.unknown_zone());
        }
        let policy = &site.policy;
        let is_positive = |n: &u32| *n > 0;
        let are_good = [
            policy.visitor_per_minute.as_ref().is_none_or(is_positive),
            policy.hourly_quota.as_ref().is_none_or(is_positive),
            policy
                .retention_days
                .as_ref()
                .is_none_or(|days| RETENTION_DAYS.contains(days)),
        ];
        for ((field, detail), is_good) in NUMBERS.into_iter().zip(are_good) {
            if !is_good {
                return Err(wrong(field, detail));
            }
        }
        if site.name.is_empty() {
            site.name.clone_from(&site.site_id);
        }
        Ok(site)
    }

    /// The statement that makes the site; it returns it as a [`Found`](crate::access::grants::rows::Found)
    /// unless the site is there already, or another one has its domain.
    pub fn statement(&self, now_ms: i64) -> Statement {
        Statement::new(
            concat!(
                "INSERT INTO sites (site_id, name, origins, hash_routing, domain, \
                                visitor_per_minute, hourly_quota, keep_bots, retention_days, \
                                grant_due, time_zone, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
             ON CONFLICT DO NOTHING RETURNING ",
                site_columns!()
            ),
            self.params(now_ms).into_iter().chain([now_ms.into()]),
        )
    }

    /// The statement that replaces what is set of the site; it returns it as a
    /// [`Found`](crate::access::grants::rows::Found) where there is such a site, unless another one has its domain.
    pub fn replace(&self, now_ms: i64) -> Statement {
        Statement::new(
            concat!(
                "UPDATE OR IGNORE sites SET name = ?2, origins = ?3, hash_routing = ?4, domain = ?5, \
                    visitor_per_minute = ?6, hourly_quota = ?7, keep_bots = ?8, \
                    retention_days = ?9, grant_due = ?10, time_zone = ?11 \
             WHERE site_id = ?1 RETURNING ",
                site_columns!()
            ),
            self.params(now_ms),
        )
    }

    /// There is no zone of this name: the platform knows which there are.
    pub fn unknown_zone(&self) -> Fault {
        Fault::Malformed {
            field: Some("timeZone"),
            detail: "timeZone is the name of an IANA time zone, such as Europe/Berlin.",
        }
    }

    fn params(&self, now_ms: i64) -> [Param; 11] {
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
            number(self.policy.retention_days),
            now_ms.saturating_add(SETTLE_MS).into(),
            self.time_zone.as_deref().into(),
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
        "SELECT site_id, name, origins, hash_routing, domain, time_zone, visitor_per_minute, \
                hourly_quota, retention_days, keep_bots FROM sites ORDER BY site_id",
        [],
    )
}

impl From<SiteRow> for NewSite {
    fn from(row: SiteRow) -> Self {
        Self {
            site_id: row.site_id,
            name: row.name,
            origins: json::told(&row.origins).unwrap_or_default(),
            hash_routing: row.hash_routing != 0,
            domain: row.domain,
            time_zone: row.time_zone,
            policy: Policy {
                visitor_per_minute: row.visitor_per_minute,
                hourly_quota: row.hourly_quota,
                retention_days: row.retention_days,
                keep_bots: row.keep_bots != 0,
            },
        }
    }
}

#[cfg(test)]
mod tests;
