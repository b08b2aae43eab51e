//! `GET /v1/analytics/events/recent`: the newest stored events, page by page.

use crate::archive::scan::{Asked, Line, PageSpec};
use crate::base::sort;
use crate::http::error::Fault;
use crate::http::params::Params;

/// Events of a page where `limit` does not say.
const DEFAULT_LIMIT: i64 = 50;

/// A checked query.
#[derive(Debug, Clone, PartialEq)]
pub struct Recent {
    limit: i64,
    event_type: Option<String>,
    user_id: Option<String>,
    before: Option<(i64, String)>,
}

impl Recent {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] for `limit` or `cursor`.
    pub fn parse(params: &Params) -> Result<Self, Fault> {
        let limit = params.number(
            "limit",
            1..=500,
            DEFAULT_LIMIT,
            "limit must be a whole number from 1 to 500.",
        )?;
        let before = params.get("cursor").map(parse_cursor).transpose()?;
        Ok(Self {
            limit,
            event_type: params.get("eventType").map(str::to_owned),
            user_id: params.get("userId").map(str::to_owned),
            before,
        })
    }

    /// Checks the parameters of a call about one user.
    ///
    /// # Errors
    /// As [`Recent::parse`].
    pub fn of_user(user: &str, params: &Params) -> Result<Self, Fault> {
        let mut query = Self::parse(params)?;
        query.user_id = Some(user.to_owned());
        Ok(query)
    }

    /// What each shard of the archive is asked.
    pub fn asked(&self) -> Asked {
        Asked::Page(PageSpec {
            limit: self.limit(),
            before: self.before.clone(),
            event_type: self.event_type.clone(),
            user: self.user_id.clone(),
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

/// After every time there is (the year 275760, the last a JavaScript date can tell).
const MAX_AT: i64 = 8_640_000_000_000_000;

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
        let recent = Recent::parse(&Params::parse("limit=2")).unwrap();
        let answer = recent.answer(vec![vec![row(2)], vec![row(3), row(1)]]);
        assert_eq!(
            answer,
            format!(
                r#"{{"events":[{{"receivedAt":3}},{{"receivedAt":2}}],"nextCursor":"2.{ID}"}}"#
            )
        );
        let next = Recent::parse(&Params::parse(&format!("limit=2&cursor=2.{ID}"))).unwrap();
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
        ] {
            let fault = Recent::parse(&Params::parse(query)).unwrap_err();
            assert!(
                matches!(fault, Fault::InvalidParameter { name: n, .. } if n == name),
                "{query}"
            );
        }
    }
}
