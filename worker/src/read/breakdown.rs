//! `GET /v1/analytics/metrics/breakdown`: what events and users have in one dimension.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::activity::{ANONYMOUS_NOTE, ratio};
use crate::archive::fold::{Sums, Table, Want};
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::http::csv::csv;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::params::Params;

/// The dimensions that can be asked for.
pub const DIMENSIONS: [&str; 14] = [
    "page",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "country",
    "browser",
    "os",
    "device",
    "platform",
    "source",
    "feature",
    "error",
    "tenantId",
];

/// Further ones, of which no sums are kept: they are answered from the events.
pub const MORE: [&str; 11] = [
    "region",
    "utm_term",
    "utm_content",
    "channel",
    "referrer_source",
    "entry_page",
    "exit_page",
    "outbound",
    "download",
    "form",
    "custom",
];

/// Rows of a page where `limit` does not say.
const DEFAULT_LIMIT: i64 = 100;

/// A checked query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakdown {
    days: Days,
    by: &'static str,
    limit: i64,
    after: Option<(i64, String)>,
}

/// The answer: most events first, equals by key.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Breakdown))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    by: &'static str,
    /// Events that have any key in this dimension.
    total: i64,
    note: &'static str,
    rows: Vec<Share>,
    #[cfg_attr(test, schema(required))]
    next_cursor: Option<String>,
    /// What was looked at, where that were the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<Scanned>))]
    meta: Option<Box<RawValue>>,
}

/// What was looked at.
#[cfg(test)]
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = BreakdownMeta)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what is written as JSON")]
pub(super) struct Scanned {
    from: i64,
    to: i64,
    time_zone: String,
    covered_from: i64,
    scanned_events: i64,
    source: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = BreakdownRow))]
struct Share {
    key: String,
    events: i64,
    users: i64,
    /// Its part of the total, to four places.
    share: f64,
}

/// A row of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    key: String,
    events: i64,
    users: i64,
    total: i64,
}

/// Users are counted for the rows of the page alone, day by day: the keys of a site can be many
/// more than those that are asked for, and a key's gaps of a day stand together. What D1 lacks (`?8`: of each
/// key, events and users) is added before the page is chosen.
const SQL: &str = "WITH RECURSIVE s AS (SELECT key, sum(events) AS events, sum(users) AS users FROM \
    (SELECT key, events, 0 AS users FROM breakdowns \
    WHERE site_id = ?1 AND dim = ?2 AND day BETWEEN ?3 AND ?4 \
    UNION ALL SELECT value->>0, value->>1, value->>2 FROM json_each(?8)) GROUP BY key), \
    p AS MATERIALIZED (SELECT key, events, users, sum(events) OVER () AS total FROM s), \
    t AS MATERIALIZED (SELECT key, events, users, total FROM p WHERE events > 0 \
    AND (?5 IS NULL OR events < ?5 OR (events = ?5 AND key > ?6)) \
    ORDER BY events DESC, key LIMIT ?7), \
    d AS (SELECT ?3 AS day UNION ALL SELECT day + 1 FROM d WHERE day < ?4) \
    SELECT t.key, t.events, t.total, t.users + (SELECT coalesce(sum(g.n), 0) FROM d \
    CROSS JOIN member_gaps AS g WHERE g.site_id = ?1 AND g.dim = ?2 AND g.day = d.day \
    AND g.key = t.key AND (g.gap = 0 OR g.gap > d.day - ?3)) AS users \
    FROM t ORDER BY t.events DESC, t.key";

impl Breakdown {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] with the parameter.
    pub fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        let wrong = |name, detail| Fault::InvalidParameter { name, detail };
        let by = params
            .get("by")
            .and_then(|by| DIMENSIONS.into_iter().find(|known| *known == by))
            .ok_or(wrong(
                "by",
                "by must be page, entry_page, exit_page, referrer, referrer_source, channel, utm_source, \
                 utm_medium, utm_campaign, utm_term, utm_content, country, region, browser, os, device, platform, \
                 source, tenantId, feature, error, outbound, download, form or custom.",
            ))?;
        let limit = limit(params)?;
        let after = params
            .get("cursor")
            .map(|cursor| {
                let (events, key) = cursor.split_once('.')?;
                let events = events.parse().ok().filter(|n| (0..1 << 53).contains(n))?;
                Some((events, key.to_owned()))
            })
            .map(|cursor| {
                cursor.ok_or(wrong("cursor", "cursor must be a nextCursor of this call."))
            })
            .transpose()?;
        Ok(Self {
            days: Days::parse(params, now_ms)?,
            by,
            limit,
            after,
        })
    }

    /// The range.
    pub fn days(&self) -> Days {
        self.days
    }

    /// What of the sums that D1 lacks it needs.
    pub fn wants(&self) -> Vec<Want> {
        let want = |table| Want::new(table, &[self.by], (self.days.first, self.days.last));
        vec![want(Table::Keys), want(Table::Gaps)]
    }

    /// The statement; one row more than a page tells whether there is another page. `lacking` is what D1 lacks.
    pub fn statement(&self, site: &str, lacking: &Sums) -> Statement {
        let (events, key) = self.after.clone().unzip();
        let mut keys: Map<&str, (i64, i64)> = Map::new();
        for row in lacking.keys() {
            let (events, _) = keys.entry(row.key).or_default();
            *events = events.saturating_add(row.events);
        }
        let first = self.days.first;
        for row in lacking.gaps().filter(|row| row.reaches_before(first)) {
            let (_, users) = keys.entry(row.key).or_default();
            *users = users.saturating_add(row.n);
        }
        let keys: Vec<(&str, i64, i64)> = keys
            .into_iter()
            .map(|(key, (events, users))| (key, events, users))
            .collect();
        // Texts and numbers always serialize.
        let keys = serde_json::to_string(&keys).unwrap_or_default();
        Statement::new(
            SQL,
            [
                site.into(),
                self.by.into(),
                self.days.first.into(),
                self.days.last.into(),
                events.into(),
                key.into(),
                self.limit.saturating_add(1).into(),
                keys.into(),
            ],
        )
    }

    /// The answer from the statement's rows.
    pub fn answer(&self, rows: Vec<Row>) -> Answer {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let total = rows.first().map_or(0, |row| row.total);
        let rows: Vec<Share> = rows
            .into_iter()
            .take(limit)
            .map(|row| Share {
                share: ratio(row.events, row.total),
                key: row.key,
                events: row.events,
                users: row.users,
            })
            .collect();
        let last = rows.last().filter(|_| more);
        Answer {
            by: self.by,
            total,
            note: ANONYMOUS_NOTE,
            meta: None,
            next_cursor: last.map(|row| format!("{}.{}", row.events, row.key)),
            rows,
        }
    }
}

/// Rows of a page.
///
/// # Errors
/// [`Fault::InvalidParameter`] with the parameter.
pub fn limit(params: &Params) -> Result<i64, Fault> {
    let detail = "limit must be a whole number from 1 to 500.";
    params.number("limit", 1..=500, DEFAULT_LIMIT, detail)
}

impl Answer {
    /// Of the events themselves: keys with their events and users, and what was looked at.
    pub fn of_events(
        by: &'static str,
        total: i64,
        rows: Vec<(String, i64, i64)>,
        next_cursor: Option<String>,
        meta: Box<RawValue>,
    ) -> Self {
        let share = |(key, events, users)| Share {
            share: ratio(events, total),
            key,
            events,
            users,
        };
        Self {
            by,
            total,
            note: ANONYMOUS_NOTE,
            rows: rows.into_iter().map(share).collect(),
            next_cursor,
            meta: Some(meta),
        }
    }

    /// The rows as CSV.
    pub fn csv(&self) -> String {
        csv(
            &["key", "events", "users", "share"],
            self.rows.iter().map(|row| {
                vec![
                    row.key.as_str().into(),
                    row.events.into(),
                    row.users.into(),
                    row.share.into(),
                ]
            }),
        )
    }
}
