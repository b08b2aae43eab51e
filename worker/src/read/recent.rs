//! `GET /v1/analytics/events/recent`: the newest stored events, page by page.

use crate::archive::scan::{Asked, Line, MAX_AT, PageSpec};
use crate::base::sort;
use crate::http::days::Days;
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::protocol::counters::live_key;

/// Events of a page where `limit` does not say.
const DEFAULT_LIMIT: i64 = 50;

/// A checked query.
#[derive(Debug, Clone, PartialEq)]
pub struct Recent {
    limit: i64,
    event_type: Option<String>,
    source: Option<String>,
    tenant_id: Option<String>,
    user_id: Option<String>,
    at: Option<(i64, i64)>,
    before: Option<(i64, String)>,
}

impl Recent {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] for `limit`, `cursor`, `startDate` or `endDate`.
    pub fn parse(params: &Params, now_ms: i64) -> Result<Self, Fault> {
        let limit = params.number(
            "limit",
            1..=500,
            DEFAULT_LIMIT,
            "limit must be a whole number from 1 to 500.",
        )?;
        let before = params.get("cursor").map(parse_cursor).transpose()?;
        Ok(Self {
            limit,
            event_type: cut(params.get("eventType")),
            source: cut(params.get("source")),
            tenant_id: cut(params.get("tenantId")),
            user_id: params.get("userId").map(str::to_owned),
            at: at(params, now_ms)?,
            before,
        })
    }

    /// Checks the parameters of a call about one user.
    ///
    /// # Errors
    /// As [`Recent::parse`].
    pub fn of_user(user: &str, params: &Params, now_ms: i64) -> Result<Self, Fault> {
        let mut query = Self::parse(params, now_ms)?;
        query.user_id = Some(user.to_owned());
        Ok(query)
    }

    /// What each shard of the archive is asked.
    pub fn asked(&self) -> Asked {
        Asked::Page(PageSpec {
            limit: self.limit(),
            before: self.before.clone(),
            event_type: self.event_type.clone(),
            source: self.source.clone(),
            tenant: self.tenant_id.clone(),
            user: self.user_id.clone(),
            at: self.at,
        })
    }

    fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// `{"events": [stored event], "nextCursor"}`; the lines go out as they are stored. Each shard tells one
    /// more than a page has where there are more; what cannot be read is left out.
    pub fn answer(&self, found: Vec<Vec<Line>>) -> String {
        let mut lines: Vec<Line> = found.into_iter().flatten().collect();
        sort::sort_by(&mut lines, |a, b| (b.0, &b.1).cmp(&(a.0, &a.1)));
        let page = lines.get(..self.limit()).unwrap_or(&lines);
        let mut json = String::from("{\"events\":[");
        for (index, line) in page
            .iter()
            .filter_map(|Line(_, _, line)| line.as_ref())
            .enumerate()
        {
            if index > 0 {
                json.push(',');
            }
            json.push_str(line.get());
        }
        json.push_str("],\"nextCursor\":");
        match page.last().filter(|_| lines.len() > page.len()) {
            // A number and a UUID need no escaping.
            Some(Line(received_at, id, _)) => json.push_str(&format!("\"{received_at}.{id}\"")),
            None => json.push_str("null"),
        }
        json.push('}');
        json
    }
}

/// A text as the archive's columns have it: a long one is its beginning and a hash.
fn cut(text: Option<&str>) -> Option<String> {
    text.map(|text| live_key(text).into_owned())
}

/// The days, where they are told, as moments: without a start from the first event on, without an end up to the last.
fn at(params: &Params, now_ms: i64) -> Result<Option<(i64, i64)>, Fault> {
    let (start, end) = (params.get("startDate"), params.get("endDate"));
    if start.or(end).is_none() {
        return Ok(None);
    }
    let days = Days::of(start, end.or(start), now_ms)?;
    let from = start.map_or(0, |_| days.from_ms());
    let until = end.map_or(MAX_AT, |_| days.to_ms());
    Ok(Some((from, until)))
}

/// `<receivedAt>.<eventId>` of the last event of the page before.
fn parse_cursor(cursor: &str) -> Result<(i64, String), Fault> {
    cursor
        .split_once('.')
        .and_then(|(at, id)| {
            let at = at.parse().ok().filter(|at| (0..=MAX_AT).contains(at))?;
            Some((at, shoreline_shared::id::parse_uuid(id)?))
        })
        .ok_or(Fault::InvalidParameter {
            name: "cursor",
            detail: "cursor must be a nextCursor of this call.",
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    const ID: &str = "0198c1d2-0000-7000-8000-000000000001";

    fn row(at: i64) -> Line {
        let line = format!("{{\"receivedAt\":{at}}}");
        Line(
            at,
            ID.into(),
            serde_json::value::RawValue::from_string(line).ok(),
        )
    }

    #[test]
    fn a_cursor_leads_to_the_next_page_and_the_last_page_has_none() {
        let recent = Recent::parse(&Params::parse("limit=2"), NOW).unwrap();
        let answer = recent.answer(vec![vec![row(2)], vec![row(3), row(1)]]);
        assert_eq!(
            answer,
            format!(
                r#"{{"events":[{{"receivedAt":3}},{{"receivedAt":2}}],"nextCursor":"2.{ID}"}}"#
            )
        );
        let next = Recent::parse(&Params::parse(&format!("limit=2&cursor=2.{ID}")), NOW).unwrap();
        assert_eq!(next.before, Some((2, ID.to_owned())));
        assert!(
            next.answer(vec![vec![row(1)]])
                .ends_with(r#""nextCursor":null}"#)
        );
        assert_eq!(
            next.answer(Vec::new()),
            r#"{"events":[],"nextCursor":null}"#
        );
    }

    #[test]
    fn bad_parameters_are_named() {
        for (query, name) in [
            ("limit=0", "limit"),
            ("limit=501", "limit"),
            ("limit=ten", "limit"),
            ("cursor=x", "cursor"),
            ("cursor=1.x", "cursor"),
            ("cursor=-1.0198c1d2-0000-7000-8000-000000000001", "cursor"),
            ("startDate=2024-13-01", "startDate"),
            ("endDate=soon", "endDate"),
            ("startDate=2024-01-16&endDate=2024-01-15", "startDate"),
        ] {
            let fault = Recent::parse(&Params::parse(query), NOW).unwrap_err();
            assert!(
                matches!(fault, Fault::InvalidParameter { name: n, .. } if n == name),
                "{query}"
            );
        }
    }
}
