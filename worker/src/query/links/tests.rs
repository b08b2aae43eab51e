//! What may be a link, what it may ask, and how it is narrowed.

use serde_json::{Map, Value, json};

use super::new::DAY_MS;
use super::*;
use crate::base::sql::Sql as _;
use crate::http::error::Fault;
use crate::http::params::Params;
use crate::testing::{NOW, TestSql};

fn field(body: Value) -> String {
    match NewLink::parse(body.to_string().as_bytes()) {
        Err(Fault::InvalidField { path, .. } | Fault::UnknownParameter { name: path, .. }) => path,
        Err(Fault::Malformed { .. }) => "body".into(),
        other => panic!("{other:?}"),
    }
}

fn new(body: Value) -> NewLink {
    NewLink::parse(body.to_string().as_bytes()).unwrap()
}

#[test]
fn a_link_is_checked_field_by_field() {
    let good = json!({"name": " b ", "views": ["pages", "ask", "pages"], "filters": [], "password": "12345678",
        "expiresInDays": 3650.0, "origins": ["HTTPS://*.Shop.Example:443", "http://localhost:*", "https://a_b.example"]});
    let link = new(good.clone());
    assert_eq!((link.name.as_str(), link.views.len()), ("b", 2));
    assert_eq!(link.filters, None);
    assert_eq!(
        link.origins,
        [
            "https://*.shop.example",
            "http://localhost:*",
            "https://a_b.example"
        ]
    );
    for (name, value, want) in [
        ("name", json!(" "), "name"),
        ("name", json!("x".repeat(101)), "name"),
        ("views", json!([]), "views"),
        ("views", json!(["ask"].repeat(10)), "views"),
        ("views", json!(["now"]), "body"),
        ("views", json!(["settings"]), "body"),
        ("filters", json!(["is", "shoe", "red"]), "filters[1]"),
        ("filters", json!("page"), "filters"),
        ("password", json!("1234567"), "password"),
        ("password", json!("p4ss word"), "password"),
        ("password", json!("p4ßword1"), "password"),
        ("password", json!("x".repeat(101)), "password"),
        ("expiresInDays", json!(0), "expiresInDays"),
        ("expiresInDays", json!(3651), "expiresInDays"),
        ("origins", json!(["https://a.example/path"]), "origins"),
        ("origins", json!(["https://a;script-src"]), "origins"),
        ("origins", json!(["https://a,b"]), "origins"),
        ("origins", json!(["*"]), "origins"),
        ("origins", json!(vec!["https://a.example"; 21]), "origins"),
        ("siteId", json!("other"), "siteId"),
    ] {
        let mut body = good.clone();
        body[name] = value;
        assert_eq!(field(body.clone()), want, "{body}");
    }
    // Properties are told of all events alone.
    let both = json!({"name": "a", "views": ["properties"], "filters": ["is", "country", "DE"]});
    assert_eq!(field(both), "views");
}

fn told<T: serde::de::DeserializeOwned>(sql: &TestSql, statement: &Statement) -> Vec<T> {
    sql.rows(statement.sql, &statement.params).unwrap()
}

fn kept(body: Value, sql: &TestSql) -> Listed {
    let new = new(body);
    let shown = new.shown("shop", &[7; SECRET_CHARS], NOW);
    let made: Vec<LinkRow> = told(sql, &new.statement("shop", &shown));
    assert_eq!(made.len(), 1);
    shown
}

fn sites() -> TestSql {
    let sql = TestSql::new();
    sql.migrate();
    for site in ["shop", "other"] {
        let body = json!({"siteId": site, "timeZone": "Europe/Berlin"}).to_string();
        let site = crate::admin::NewSite::parse(body.as_bytes()).unwrap();
        let _: Vec<Value> = told(&sql, &site.statement(NOW));
    }
    sql
}

fn opened(sql: &TestSql, token: &str, password: Option<&str>, now: i64) -> Result<Link, Fault> {
    let found: Vec<LinkRow> = told(sql, &find(token, now));
    let found = found.into_iter().next().ok_or(Fault::UnknownKey)?;
    found.open(token, password)
}

#[test]
fn a_token_opens_its_link_until_it_ends_or_is_revoked() {
    let sql = sites();
    let shown = kept(
        json!({"name": "a", "views": ["pages"], "expiresInDays": 1, "password": "p4ssword",
        "filters": ["is", "country", "DE"], "origins": ["https://a.example"]}),
        &sql,
    );
    let token = shown.token.as_deref().unwrap();
    let open = |token: &str, password: Option<&str>, now: i64| opened(&sql, token, password, now);
    let link = open(token, Some("p4ssword"), NOW).unwrap();
    assert_eq!(
        (link.site.as_str(), link.time_zone.as_deref()),
        ("shop", Some("Europe/Berlin"))
    );
    assert_eq!(link.filters, Some(json!(["is", "country", "DE"])));
    for wrong in [None, Some(""), Some("p4sswore"), Some("p4ssword ")] {
        assert_eq!(
            open(token, wrong, NOW),
            Err(Fault::PasswordRequired),
            "{wrong:?}"
        );
    }
    let other = token.replace("slv_shop", "slv_other");
    for unknown in [other.as_str(), "slv_shop_x", ""] {
        assert_eq!(
            open(unknown, Some("p4ssword"), NOW),
            Err(Fault::UnknownKey),
            "{unknown}"
        );
    }
    let last = NOW + DAY_MS - 1;
    assert!(open(token, Some("p4ssword"), last).is_ok());
    assert_eq!(
        open(token, Some("p4ssword"), last + 1),
        Err(Fault::UnknownKey)
    );
    let framed = |now: i64| -> Vec<LinkRow> { told(&sql, &framing(&shown.link_id, now)) };
    assert_eq!(framed(last)[0].ancestors(), "https://a.example");
    assert!(framed(last + 1).is_empty());

    // It is listed without what opens it, also when it has ended.
    let rows: Vec<LinkRow> = told(&sql, &list("shop"));
    let listed: Vec<Listed> = rows.into_iter().map(Listed::from).collect();
    assert_eq!(
        listed,
        [Listed {
            token: None,
            path: None,
            ..shown.clone()
        }]
    );
    let text = serde_json::to_string(&listed).unwrap();
    assert!(
        !text.contains("p4ssword") && !text.contains("slv_"),
        "{text}"
    );

    // Another site's admin call does not end it.
    let end = |site: &str| -> Vec<LinkRow> { told(&sql, &delete(site, &shown.link_id)) };
    assert!(end("other").is_empty());
    assert_eq!(end("shop").len(), 1);
    assert_eq!(open(token, Some("p4ssword"), NOW), Err(Fault::UnknownKey));
}

#[test]
fn a_site_has_a_hundred_links_at_most_and_what_is_no_site_none() {
    let sql = sites();
    let link = new(json!({"name": "a", "views": ["pages"]}));
    let make = |site: &str, n: u8| -> usize {
        let mut random = [0; SECRET_CHARS];
        random[0] = n & 31;
        random[1] = n / 32;
        let made: Vec<LinkRow> = told(&sql, &link.statement(site, &link.shown(site, &random, NOW)));
        made.len()
    };
    assert_eq!((0..100).map(|n| make("shop", n)).sum::<usize>(), 100);
    assert_eq!(
        (make("shop", 100), make("other", 0), make("none", 0)),
        (0, 1, 0)
    );
}

fn link(views: &[&str], filters: Option<Value>) -> Link {
    Link {
        site: "shop".into(),
        time_zone: None,
        name: "a".into(),
        views: serde_json::from_value(json!(views)).unwrap(),
        filters,
    }
}

const ALL: [&str; 9] = [
    "overview",
    "pages",
    "features",
    "content",
    "funnels",
    "goals",
    "properties",
    "ask",
    "errors",
];

#[test]
fn a_link_calls_what_its_views_call() {
    let of = |views: &[&str], filters: Option<Value>| {
        use Way::*;
        let link = link(views, filters);
        [
            Query, Platform, Features, Vitals, Walk, Properties, Goals, Else,
        ]
        .map(|way| {
            let may = link.may(way);
            assert!(may.is_ok() || may == Err(Fault::WrongScope));
            if may.is_ok() { '+' } else { '-' }
        })
        .into_iter()
        .collect::<String>()
    };
    assert_eq!(of(&ALL, None), "+++++++-");
    // Sums of all events, and what properties there are, cannot be narrowed.
    assert_eq!(of(&ALL, Some(json!(["exists", "page"]))), "+-+++-+-");
    for (view, want) in [
        ("overview", "++------"),
        ("pages", "+-------"),
        ("features", "+++-----"),
        ("content", "++------"),
        ("funnels", "+---+-+-"),
        ("goals", "+-----+-"),
        ("properties", "+----+--"),
        ("ask", "+----++-"),
        ("errors", "+--+----"),
    ] {
        assert_eq!(of(&[view], None), want, "{view}");
    }
}

fn narrowed(link: &Link, body: Value) -> Result<Value, String> {
    match link.body(body.to_string().into_bytes()) {
        Ok(body) => Ok(serde_json::from_slice(&body).unwrap()),
        Err(Fault::NotShared { path }) => Err(path),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_question_is_narrowed_wherever_it_asks() {
    let own = json!(["is", "country", ["DE"]]);
    let link = link(&["pages", "funnels"], Some(own.clone()));
    let theirs = json!(["is", "page", "/"]);
    for (filters, want) in [
        (Value::Null, own.clone()),
        (json!([]), own.clone()),
        (theirs.clone(), json!(["and", own, theirs])),
        // Nothing of it widens: the whole of theirs stands beside the link's own.
        (
            json!(["or", theirs, ["not", own]]),
            json!(["and", own, ["or", theirs, ["not", own]]]),
        ),
        // What their users did is asked of the link's events alone.
        (
            json!(["not", ["did", theirs]]),
            json!(["and", own, ["not", ["did", ["and", own, theirs]]]]),
        ),
    ] {
        let found = narrowed(&link, json!({"metrics": ["users"], "filters": filters})).unwrap();
        assert_eq!(found["filters"], want);
        let params = Params::default().with("filters", filters.to_string());
        assert_eq!(
            link.params(params).unwrap().get("filters"),
            Some(want.to_string().as_str())
        );
    }
    assert_eq!(
        link.params(Params::default()).unwrap().get("filters"),
        Some(own.to_string().as_str())
    );
    let did = json!(["did", theirs]);
    let both = json!(["did", ["and", own, theirs]]);
    let found = narrowed(
        &link,
        json!({"panels": [{"metrics": ["users"], "filters": did}],
        "steps": [did, {"eventType": "page_view"}], "goal": did}),
    )
    .unwrap();
    assert_eq!(found["filters"], own);
    assert_eq!(
        (
            &found["panels"][0]["filters"],
            &found["steps"][0],
            &found["goal"]
        ),
        (&both, &both, &both)
    );
    // What cannot be narrowed goes no further: the call reads a text that is no UTF-8 all the same.
    for wrong in [
        &b"["[..],
        b"[]",
        b"{\"metrics\": [\"events\"], \"x\": \"\xff\"}",
    ] {
        assert!(link.body(wrong.to_vec()).is_err(), "{wrong:?}");
    }
    let broken = Params::default().with("filters", "[".into());
    assert!(link.params(broken).is_err());
}

#[test]
fn what_a_link_does_not_show_is_refused_by_its_place() {
    let question = |name: &str, value: Value| {
        let mut body = json!({"metrics": ["users"], "dimensions": ["page"]});
        body[name] = value;
        body
    };
    let pages = link(&["pages"], None);
    for (name, value, want) in [
        (
            "metrics",
            json!(["users", "sum(data.amount)"]),
            "metrics[1]",
        ),
        ("metrics", json!(["revenue"]), "metrics[0]"),
        ("metrics", json!(["revenue(EUR)"]), "metrics[0]"),
        ("dimensions", json!(["data.plan"]), "dimensions[0]"),
        ("dimensions", json!(["currency"]), "dimensions[0]"),
        ("by", json!("data.plan"), "by"),
        (
            "filters",
            json!(["not", ["did", ["is", "data.plan", "pro"]]]),
            "filters[1][1][1]",
        ),
        ("goal", json!(["or", ["exists", "data.plan"]]), "goal[1][1]"),
        (
            "steps",
            json!([["exists", "page"], ["exists", "data.plan"]]),
            "steps[1][1]",
        ),
        (
            "panels",
            json!([{"metrics": ["p95(data.x)"]}]),
            "panels[0].metrics[0]",
        ),
        ("droppedAfter", json!(1), "droppedAfter"),
    ] {
        let body = question(name, value);
        assert_eq!(
            narrowed(&pages, body.clone()),
            Err(want.to_owned()),
            "{body}"
        );
    }
    // A view may ask for the properties that it shows.
    for (view, property) in [
        ("features", "duration"),
        ("content", "tokens"),
        ("errors", "value"),
        ("ask", "plan"),
        ("properties", "a.b"),
    ] {
        let asked = question("metrics", json!([format!("avg(data.{property})")]));
        assert_eq!(
            narrowed(&link(&[view], None), asked.clone()),
            Ok(asked),
            "{view}"
        );
    }
    let revenue = question("metrics", json!(["revenue", "revenue(EUR)"]));
    assert!(narrowed(&link(&["goals"], None), revenue).is_ok());
    // Values are no names.
    let value = question("filters", json!(["is", "page", ["data.plan", "/data.x"]]));
    assert_eq!(narrowed(&pages, value.clone()), Ok(value));
    // Where the link's own filter asks for what users did, theirs cannot.
    let own = json!(["and", ["did", ["is", "page", "/"]]]);
    let of_users = link(&["pages"], Some(own));
    let asked = question("filters", json!(["did_not", ["exists", "page"]]));
    assert_eq!(narrowed(&of_users, asked), Err("filters[0]".to_owned()));
    let told = Fault::NotShared { path: "by".into() }.to_json();
    assert!(told.contains("\"field\":\"by\""), "{told}");
}

/// Filters of any form, of two dimensions.
fn any_filter() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let test = (any::<bool>(), 0..3_u8).prop_map(|(is_page, n)| {
        let name = if is_page { "page" } else { "country" };
        json!(["is", name, [format!("v{n}")]])
    });
    test.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|all| {
                json!(
                    [Value::from("or")]
                        .into_iter()
                        .chain(all)
                        .collect::<Vec<_>>()
                )
            }),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|all| {
                json!(
                    [Value::from("and")]
                        .into_iter()
                        .chain(all)
                        .collect::<Vec<_>>()
                )
            }),
            inner.prop_map(|inner| json!(["not", inner])),
        ]
    })
}

/// Whether an event passes.
fn passes(filter: &Value, event: &Map<String, Value>) -> bool {
    let parts = filter.as_array().unwrap();
    let mut inner = parts.iter().skip(1);
    match parts[0].as_str().unwrap() {
        "and" => inner.all(|each| passes(each, event)),
        "or" => inner.any(|each| passes(each, event)),
        "not" => !passes(inner.next().unwrap(), event),
        _ => parts[2]
            .as_array()
            .unwrap()
            .contains(&event[parts[1].as_str().unwrap()]),
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_asked_no_event_beyond_the_link_passes(theirs in any_filter(), page in 0..3_u8, country in 0..3_u8) {
        let own = json!(["is", "country", ["v0"]]);
        let link = link(&["pages"], Some(own.clone()));
        let found = narrowed(&link, json!({"metrics": ["users"], "filters": theirs})).unwrap();
        let event = json!({"page": format!("v{page}"), "country": format!("v{country}")});
        let event = event.as_object().unwrap();
        let want = passes(&own, event) && passes(&theirs, event);
        proptest::prop_assert_eq!(passes(&found["filters"], event), want);
    }
}
