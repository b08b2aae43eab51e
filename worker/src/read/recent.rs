//! `GET /v1/analytics/events/recent`: the newest stored events, page by page.

use serde::Deserialize;

use super::Params;
use crate::error::Fault;
use crate::sql::{Param, Statement};

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

/// One row of the query.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    received_at: i64,
    event_id: String,
    body: String,
}

const BY_TIME: &str = "SELECT received_at, event_id, body FROM events WHERE site_id = ?1 \
    AND (received_at, event_id) < (?2, ?3) ORDER BY received_at DESC, event_id DESC LIMIT ?4";

const BY_TYPE: &str = "SELECT received_at, event_id, body FROM events WHERE site_id = ?1 \
    AND (received_at, event_id) < (?2, ?3) AND event_type = ?5 \
    ORDER BY received_at DESC, event_id DESC LIMIT ?4";

const BY_USER: &str = "SELECT received_at, event_id, body FROM events WHERE site_id = ?1 \
    AND (received_at, event_id) < (?2, ?3) AND user_id = ?5 \
    ORDER BY received_at DESC, event_id DESC LIMIT ?4";

const BY_USER_AND_TYPE: &str = "SELECT received_at, event_id, body FROM events \
    WHERE site_id = ?1 AND (received_at, event_id) < (?2, ?3) AND user_id = ?5 \
    AND event_type = ?6 ORDER BY received_at DESC, event_id DESC LIMIT ?4";

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

    /// The statement; one row more than a page tells whether there is another page.
    pub fn statement(&self, site: &str) -> Statement {
        let (at, id) = self.before.clone().unwrap_or((MAX_AT, String::new()));
        let mut params: Vec<Param> = vec![
            site.into(),
            at.into(),
            id.into(),
            self.limit.saturating_add(1).into(),
        ];
        let filters = [&self.user_id, &self.event_type];
        params.extend(
            filters
                .into_iter()
                .flatten()
                .map(|text| text.as_str().into()),
        );
        let sql = match (&self.user_id, &self.event_type) {
            (None, None) => BY_TIME,
            (None, Some(_)) => BY_TYPE,
            (Some(_), None) => BY_USER,
            (Some(_), Some(_)) => BY_USER_AND_TYPE,
        };
        Statement::new(sql, params)
    }

    /// `{"events": [stored event], "nextCursor"}`; the bodies go out as they are stored.
    pub fn answer(&self, rows: &[Row]) -> String {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let page = rows.get(..limit).unwrap_or(rows);
        let mut json = String::from("{\"events\":[");
        for (index, row) in page.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(&row.body);
        }
        json.push_str("],\"nextCursor\":");
        match page.last().filter(|_| rows.len() > limit) {
            // A number and a UUID need no escaping.
            Some(last) => json.push_str(&format!("\"{}.{}\"", last.received_at, last.event_id)),
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

    fn row(at: i64) -> Row {
        Row {
            received_at: at,
            event_id: ID.into(),
            body: format!("{{\"receivedAt\":{at}}}"),
        }
    }

    #[test]
    fn a_cursor_leads_to_the_next_page_and_the_last_page_has_none() {
        let recent = Recent::parse(&Params::parse("limit=2")).unwrap();
        let answer = recent.answer(&[row(3), row(2), row(1)]);
        assert_eq!(
            answer,
            format!(
                r#"{{"events":[{{"receivedAt":3}},{{"receivedAt":2}}],"nextCursor":"2.{ID}"}}"#
            )
        );
        let next = Recent::parse(&Params::parse(&format!("limit=2&cursor=2.{ID}"))).unwrap();
        assert_eq!(next.before, Some((2, ID.to_owned())));
        assert!(next.answer(&[row(1)]).ends_with(r#""nextCursor":null}"#));
        assert_eq!(next.answer(&[]), r#"{"events":[],"nextCursor":null}"#);
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
