//! Questions of `POST /v1/analytics/query`, made of a seed: metrics × dimensions × filters × ranges × zones.

use reqwest::Client;
use serde_json::{Value, json};
use shoreline_tests::site::{Site, reply};
use shoreline_worker::base::time::date;

use crate::asked::{Asked, now};
use crate::made::{DAY_MS, Dice};
use crate::names::{COUNTRIES, CUSTOM, FEATURES, PLATFORMS, SOURCES, TARGETS, UTM};

/// Questions that are asked of each site, in turn until there are so many.
pub(crate) const QUESTIONS: i64 = 200;

const METRICS: &[&str] = &[
    "users",
    "events",
    "count",
    "views",
    "sessions",
    "bounceRate",
    "viewsPerSession",
    "sessionDuration",
    "engagedTime",
    "scrollDepth",
    "sum(data.amount)",
    "avg(data.amount)",
    "min(data.amount)",
    "max(data.amount)",
    "count(data.amount)",
    "p50(data.amount)",
    "p95(data.duration)",
    "p1(data.total)",
    "sum(data.duration)",
    "avg(data.total)",
    "sum(data.cost)",
    "max(data.tokens)",
    "sum(data.plan.size)",
    "p99(data.plan.size)",
    "count(data.note)",
    "sum(data.status)",
    "sum(data.absent)",
    "revenue",
    "revenue(EUR)",
    "revenue(USD)",
];

/// Metrics of questions that have a goal.
const OF_GOALS: &[&str] = &[
    "conversions",
    "converted",
    "conversionRate",
    "users",
    "revenue",
    "revenue(EUR)",
];

const DIMENSIONS: &[&str] = &[
    "time:minute",
    "time:hour",
    "time:day",
    "time:week",
    "time:month",
    "hour_of_day",
    "day_of_week",
    "eventType",
    "source",
    "country",
    "region",
    "browser",
    "os",
    "device",
    "platform",
    "page",
    "entryPage",
    "exitPage",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "feature",
    "error",
    "outbound",
    "download",
    "form",
    "custom",
    "channel",
    "referrerSource",
    "currency",
    "data.plan.size",
    "data.plan.on",
    "data.note",
    // Not `data.amount`: a number with an exponent is told as it was written, and DuckDB writes it otherwise.
    "data.status",
    "data.feature",
    "data.absent",
];

const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "Pacific/Apia",
    // Half an hour of summer time. Not one whose rules change by the year: Python and workerd may know other ones.
    "Australia/Lord_Howe",
];

/// A page in the spelling of its sender, and others.
const SPELLED: &[&str] = &[
    "/",
    "/pricing",
    "/a b",
    "/a%20b",
    "/%C3%BC/é",
    "/ü/é",
    "/checkout",
    "/'; SELECT 1 --",
    "/日本",
    "/x/../y",
    "(other)",
    "/none of these",
];

/// Asks a question; all pages of its answer.
pub(crate) async fn ask(site: &Site, body: Value) -> Asked {
    let url = format!("{}/v1/analytics/query", site.url);
    let (mut page, mut whole) = (body.clone(), Value::Null);
    let before = now();
    let mut after = None;
    loop {
        let request = Client::new().post(&url).bearer_auth(&site.read_token);
        let answer = reply(request.json(&page)).await;
        assert_eq!(answer.status, 200, "{page}: {}", answer.body);
        after.get_or_insert_with(now);
        let mut answer = answer.body;
        page["cursor"] = answer
            .as_object_mut()
            .unwrap()
            .remove("nextCursor")
            .unwrap();
        if whole.is_null() {
            whole = answer;
        } else {
            let rows = answer["rows"].as_array_mut().unwrap();
            assert!(!rows.is_empty(), "{page}: a page of nothing");
            whole["rows"].as_array_mut().unwrap().append(rows);
        }
        if page["cursor"].is_null() {
            break;
        }
    }
    Asked {
        ask: json!({"site": site.id, "what": "any", "body": body, "before": before, "after": after,
            "told": whole["meta"]}),
        json: whole,
        csv: None,
    }
}

/// A question about some of the days that end with `today`; one in five is such as sums may answer.
pub(crate) fn question(dice: &mut Dice, today: i64) -> Value {
    if dice.one_in(5) {
        return plain(dice, today);
    }
    let has_goal = dice.one_in(3);
    let metrics = some(dice, if has_goal { OF_GOALS } else { METRICS }, 1, 5);
    let dimensions = some(dice, DIMENSIONS, 0, 3);
    let mut body = json!({"metrics": metrics, "range": range(dice, today)});
    if has_goal {
        body["goal"] = filter(dice, 2, true);
    }
    if !dimensions.is_empty() {
        body["dimensions"] = json!(dimensions);
    }
    if !dice.one_in(3) {
        body["filters"] = filter(dice, 3, true);
    }
    if !dice.one_in(4) {
        body["timeZone"] = dice.pick(ZONES).into();
    }
    if dice.one_in(3) {
        let ways = ["previous_period", "previous_year", "matching_weekdays"];
        body["compare"] = dice.pick(&ways).into();
    }
    if dice.one_in(3) {
        let mut all = [metrics, dimensions].concat();
        // Amounts of several currencies have no order.
        all.retain(|name| *name != "revenue");
        let order = some(dice, &all, 1, 2);
        let way = |name: &&str| {
            json!([
                name,
                if name.len().is_multiple_of(2) {
                    "asc"
                } else {
                    "desc"
                }
            ])
        };
        body["orderBy"] = order.iter().map(way).collect();
    }
    body["limit"] = dice.pick(&[10_000, 10_000, 10_000, 400, 9_999]).into();
    body
}

/// A question without filters about whole days of UTC.
fn plain(dice: &mut Dice, today: i64) -> Value {
    let metrics = some(dice, &["users", "events", "views"], 1, 3);
    let mut dimensions = some(dice, &["time:day", "time:week", "time:month"], 0, 1);
    dimensions.extend(some(
        dice,
        &[
            "eventType",
            "country",
            "source",
            "feature",
            "utm_medium",
            "platform",
        ],
        0,
        1,
    ));
    let mut body = json!({"metrics": metrics, "dimensions": dimensions, "range": range(dice, today), "limit": 10_000});
    if dice.one_in(3) {
        body["compare"] = "previous_year".into();
    }
    body
}

/// From `least` to `most` of them, each once.
fn some<'t>(dice: &mut Dice, all: &[&'t str], least: i64, most: i64) -> Vec<&'t str> {
    let count = least + dice.below(most - least + 1);
    let mut found: Vec<&str> = Vec::new();
    while found.len() < usize::try_from(count).unwrap().min(all.len()) {
        let next = dice.pick(all);
        if !found.contains(&next) {
            found.push(next);
        }
    }
    found
}

fn range(dice: &mut Dice, today: i64) -> Value {
    if dice.one_in(2) {
        let presets = [
            "today",
            "yesterday",
            "24h",
            "7d",
            "28d",
            "30d",
            "90d",
            "month",
            "last_month",
            "year",
            "12mo",
        ];
        return dice.pick(&presets).into();
    }
    let first = today - dice.below(45);
    let last = (first + dice.below(20)).min(today + 1);
    json!([date(first), date(last)])
}

/// A filter of at most `deep` levels; `did` has none of its own within.
fn filter(dice: &mut Dice, deep: i64, has_did: bool) -> Value {
    let below = deep - 1;
    match dice.below(if deep > 1 { 8 } else { 4 }) {
        0..4 => leaf(dice),
        4 => json!(["not", filter(dice, below, has_did)]),
        5 if has_did => {
            let way = dice.pick(&["did", "did_not"]);
            json!([way, filter(dice, below, false)])
        }
        _ => {
            let way = dice.pick(&["and", "or"]);
            let mut all = vec![json!(way)];
            for _ in 0..dice.below(4) {
                all.push(filter(dice, below, has_did));
            }
            json!(all)
        }
    }
}

fn leaf(dice: &mut Dice) -> Value {
    if dice.one_in(4) {
        let way = dice.pick(&["gt", "gte", "lt", "lte"]);
        let of = [
            "data.amount",
            "data.duration",
            "data.total",
            "hour_of_day",
            "day_of_week",
            "data.plan.size",
        ];
        let number: Value =
            serde_json::from_str(dice.pick(&["0", "1.5", "2", "12", "-0.1", "1000"])).unwrap();
        return json!([way, dice.pick(&of), number]);
    }
    if dice.one_in(5) {
        let times = DIMENSIONS.iter().filter(|name| !name.starts_with("time:"));
        return json!(["exists", dice.pick(&times.collect::<Vec<_>>())]);
    }
    let (field, values) = texts(dice);
    let way = dice.pick(&[
        "is",
        "is",
        "is",
        "is_not",
        "contains",
        "not_contains",
        "starts_with",
    ]);
    let mut wanted: Vec<Value> = Vec::new();
    for _ in 0..=dice.below(3) {
        let value = dice.pick(&values);
        let is_part = !matches!(way, "is" | "is_not") && value.is_string() && dice.one_in(2);
        wanted.push(match value.as_str().filter(|_| is_part) {
            Some(text) => text.chars().take(3).collect::<String>().into(),
            None => value,
        });
    }
    // A number in another spelling than the event's is told from a text by what it is.
    if let ([value], true) = (wanted.as_slice(), dice.one_in(2)) {
        return json!([way, field, value]);
    }
    json!([way, field, wanted])
}

/// A field, and values that events have of it.
fn texts(dice: &mut Dice) -> (&'static str, Vec<Value>) {
    let of = |all: &[&str]| all.iter().map(|text| json!(text)).collect();
    let all: [(&'static str, Vec<Value>); 21] = [
        (
            "channel",
            of(&[
                "Direct", "Search", "Paid", "Social", "Campaign", "Referral", "AI", "Email",
            ]),
        ),
        (
            "referrerSource",
            of(&[
                "Direct",
                "Google",
                "ChatGPT",
                "A friend",
                "news.example",
                "newsletter",
            ]),
        ),
        ("currency", of(&["EUR", "USD", "usd"])),
        ("page", of(SPELLED)),
        ("entryPage", of(SPELLED)),
        ("exitPage", of(SPELLED)),
        ("country", of(&COUNTRIES)),
        ("platform", of(&PLATFORMS)),
        ("source", of(&SOURCES)),
        ("feature", of(&FEATURES)),
        ("data.feature", of(&FEATURES)),
        ("utm_source", of(&UTM)),
        ("utm_term", of(&UTM)),
        ("custom", of(&CUSTOM)),
        ("outbound", of(&TARGETS)),
        (
            "eventType",
            of(&[
                "page_view",
                "custom",
                "page_leave",
                "feature_use",
                "order.placed",
                "PAGE_VIEW",
                "",
            ]),
        ),
        (
            "browser",
            of(&["Firefox", "Chrome", "Mobile Safari", "fire"]),
        ),
        (
            "referrer",
            of(&["google.com", "news.example", "t.co", "münchen.example"]),
        ),
        (
            "data.plan.size",
            vec![json!(1), json!(2.0), json!("3"), json!(4), json!(true)],
        ),
        ("data.plan.on", vec![json!(true), json!("false"), json!(1)]),
        (
            "data.note",
            of(&["note ", "a.*b", ".*", "NOTE note", "日本", "'quoted'"]),
        ),
    ];
    dice.pick(&all)
}

/// So many questions about a site.
pub(crate) async fn questions(site: &Site, dice: &mut Dice, count: i64) -> Vec<Asked> {
    let mut all = Vec::new();
    for _ in 0..count {
        let body = question(dice, now() / DAY_MS);
        all.push(ask(site, body).await);
    }
    let by_sums = all
        .iter()
        .filter(|asked| asked.ask["told"]["source"] == "read_models");
    assert!(by_sums.count() > 0, "no question was answered by sums");
    all
}
