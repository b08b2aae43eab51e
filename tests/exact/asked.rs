//! What the API is asked, and what it answers.

use serde_json::{Value, json};
use shoreline_tests::site::{Site, reply};

use crate::made::DAY_MS;

pub(crate) const DIMENSIONS: [&str; 13] = [
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
];

/// Days of a range of hours at most.
const MAX_HOUR_DAYS: i64 = 31;

/// A question as the count takes it, and its answers.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) ask: Value,
    pub(crate) json: Value,
    pub(crate) csv: Option<Vec<Vec<String>>>,
}

pub(crate) fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_millis()).unwrap()
}

pub(crate) fn today() -> i64 {
    now() / DAY_MS
}

fn date(day: i64) -> String {
    shoreline_worker::base::time::date(day)
}

/// Every metric and breakdown of some days, as JSON and as CSV.
pub(crate) async fn metrics(site: &Site, first: i64, last: i64) -> Vec<Asked> {
    let range = format!("startDate={}&endDate={}", date(first), date(last));
    let mut all = Vec::new();
    for what in ["platform", "engagement", "features", "products"] {
        if what == "products" && last - first >= MAX_HOUR_DAYS {
            continue;
        }
        let path = format!("/v1/analytics/metrics/{what}?{range}");
        let ask = json!({"site": site.id, "what": what, "first": first, "last": last});
        all.push(Asked {
            ask,
            json: without_note(site.get(&path).await),
            csv: Some(csv(site, &path).await),
        });
    }
    for by in DIMENSIONS {
        // As many pages as there are, of a size that cuts most tables.
        let limit = if by == "page" { 500 } else { 9 };
        let path = format!("/v1/analytics/metrics/breakdown?by={by}&limit={limit}&{range}");
        all.push(Asked {
            ask: json!({"site": site.id, "what": "breakdown", "first": first, "last": last, "by": by,
                "limit": limit}),
            json: pages(site, &path).await,
            csv: Some(csv(site, &path).await),
        });
    }
    all
}

/// A breakdown's pages as one.
async fn pages(site: &Site, path: &str) -> Value {
    let mut whole = without_note(site.get(path).await);
    loop {
        let cursor = whole["nextCursor"].take();
        let Some(cursor) = cursor.as_str() else {
            whole.as_object_mut().unwrap().remove("nextCursor");
            return whole;
        };
        let query: String = form_urlencoded(cursor);
        let mut next = without_note(site.get(&format!("{path}&cursor={query}")).await);
        let rows = next["rows"].as_array_mut().unwrap();
        assert!(!rows.is_empty(), "{path}: a page of nothing");
        whole["rows"].as_array_mut().unwrap().append(rows);
        assert_eq!(next["total"], whole["total"], "{path}");
        whole["nextCursor"] = next["nextCursor"].take();
    }
}

fn form_urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub(crate) fn without_note(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("note");
    }
    answer
}

async fn csv(site: &Site, path: &str) -> Vec<Vec<String>> {
    let request = shoreline_tests::client()
        .get(format!("{}{path}&format=csv", site.url))
        .bearer_auth(&site.read_token);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    table(&answer.text().await.unwrap())
}

/// The cells of a table as RFC 4180 has it.
fn table(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && cell.is_empty() && row.is_empty(), "{text}");
    rows
}

/// The summaries of some windows.
pub(crate) async fn summaries(site: &Site) -> Vec<Asked> {
    let mut all = Vec::new();
    for window in [1, 7, 60, 61, 1_440, 10_080] {
        let path = "/v1/analytics/metrics/summary?groupBy=source";
        let answer = site.get(&format!("{path}&windowMinutes={window}")).await;
        let minutes = |name: &str| answer[name].as_i64().unwrap();
        all.push(Asked {
            ask: json!({"site": site.id, "what": "summary", "window": window, "from": minutes("from"),
                "to": minutes("to"), "step": minutes("bucketMinutes") * 60_000}),
            json: answer,
            csv: None,
        });
    }
    all
}

/// Questions about some days, of which the stored events must be there.
pub(crate) async fn questions(site: &Site, first: i64, last: i64) -> Vec<Asked> {
    let step = |kind: &str| json!({"eventType": kind});
    let page = |page: &str| json!({"eventType": "page_view", "page": page});
    let feature = |name: &str| json!({"eventType": "feature_use", "feature": name});
    let funnels = [
        (
            168,
            vec![page("/pricing"), feature("search"), step("order.placed")],
        ),
        (
            1,
            vec![
                step("page_view"),
                step("page_view"),
                step("page_view"),
                step("feature_use"),
            ],
        ),
        (
            2_160,
            vec![
                step("page_view"),
                step("ai_request"),
                step("page_view"),
                step("error"),
            ],
        ),
        (24, vec![feature("=cmd|' /C calc'!A0"), page("/日本")]),
        (
            24,
            vec![
                feature(&"l".repeat(129)),
                feature(&format!("{}m", "l".repeat(128))),
            ],
        ),
        (5, vec![step("nothing.ever"), step("page_view")]),
    ];
    let mut all = Vec::new();
    for (hours, steps) in funnels {
        let body = json!({"windowHours": hours, "steps": steps});
        all.push(question(site, "funnel", first, last, body).await);
    }
    for (depth, limit) in [(1, 100), (3, 30), (5, 100), (10, 7)] {
        let body = json!({"depth": depth, "limit": limit});
        all.push(question(site, "journeys", first, last, body).await);
    }
    all
}

/// Retention by days and by weeks.
pub(crate) async fn retentions(site: &Site, first: i64, last: i64) -> Vec<Asked> {
    let mut all = Vec::new();
    for (period, periods) in [("day", 14), ("day", 90), ("week", 8), ("week", 1)] {
        let body = json!({"period": period, "periods": periods});
        let mut asked = question(site, "retention", first, last, body).await;
        asked.ask["today"] = today().into();
        all.push(asked);
    }
    all
}

async fn question(site: &Site, what: &str, first: i64, last: i64, mut body: Value) -> Asked {
    let mut ask = body.clone();
    for (name, value) in [("site", json!(site.id)), ("what", what.into())] {
        ask[name] = value;
    }
    (ask["first"], ask["last"]) = (first.into(), last.into());
    (body["startDate"], body["endDate"]) = (date(first).into(), date(last).into());
    let url = format!("{}/v1/analytics/query/{what}", site.url);
    let request = shoreline_tests::client()
        .post(url)
        .bearer_auth(&site.read_token);
    let answer = reply(request.json(&body)).await;
    assert_eq!(answer.status, 200, "{body}: {}", answer.body);
    Asked {
        ask,
        json: without_note(answer.body),
        csv: None,
    }
}

/// All stored events of a user that happened from a day on.
pub(crate) async fn of_user(site: &Site, user: &str, since: i64) -> Asked {
    let path = format!(
        "/v1/analytics/users/{}/events?limit=500",
        form_urlencoded(user)
    );
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = site.get(&format!("{path}{cursor}")).await;
        for event in page["events"].as_array().unwrap() {
            if event["timestamp"].as_i64().unwrap().div_euclid(DAY_MS) >= since {
                ids.push(event["eventId"].clone());
            }
        }
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={}", form_urlencoded(next));
    }
    Asked {
        ask: json!({"site": site.id, "what": "user", "user": user, "since": since}),
        json: ids.into(),
        csv: None,
    }
}

/// All events ever.
pub(crate) async fn totals(site: &Site) -> Asked {
    let mut health = site.get("/health").await;
    let metrics = &mut health["metrics"];
    Asked {
        ask: json!({"site": site.id, "what": "totals"}),
        json: json!({"totalEvents": metrics["totalEvents"].take(),
            "eventsByType": metrics["eventsByType"].take()}),
        csv: None,
    }
}
