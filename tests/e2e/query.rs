//! `POST /v1/analytics/query`, with the platform's own time zones.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use shoreline_tests::contract::Checked as _;
use shoreline_tests::events::{batch, feature, view};
use shoreline_tests::site::{Reply, Site, reply};
use shoreline_tests::system::shared;

fn asking(site: &Site, body: &Value) -> RequestBuilder {
    let url = format!("{}/v1/analytics/query", site.url);
    shoreline_tests::client()
        .post(url)
        .bearer_auth(&site.read_token)
        .json(body)
}

async fn ask(site: &Site, body: Value) -> Value {
    let Reply {
        status,
        body: answer,
    } = reply(asking(site, &body)).await;
    assert_eq!(status, 200, "{body}: {answer}");
    answer
}

/// A view that is told nothing of but its page and a note, which may be too long for columns.
fn noted(path: &str, user: &str, note: &str) -> Value {
    let mut event = view(path, user);
    event["eventData"]["note"] = json!(note);
    event
}

#[tokio::test]
async fn a_question_is_answered_by_a_scan() {
    let site = shared().new_site().await;
    let long = "long ".repeat(80);
    let events = [
        noted("/a", "ann", "short"),
        noted("/a", "bob", long.trim()),
        view("/b", "ann"),
        feature("search", "ann"),
        feature("search", "cid"),
    ];
    site.send_ok(&batch(&events)).await;
    site.settle().await;

    let pages = json!({"metrics": ["users", "views", "sessions"], "dimensions": ["page"], "range": "24h",
        "filters": ["is", "eventType", "page_view"], "compare": "previous_period"});
    let answer = ask(&site, pages.clone()).await;
    assert_eq!(
        answer["rows"],
        json!([{"dimensions": ["/a"], "metrics": [2, 2, 1], "compared": [0, 0, 0]},
            {"dimensions": ["/b"], "metrics": [1, 1, 1], "compared": [0, 0, 0]}])
    );
    assert_eq!(answer["totals"], json!([2, 3, 1]));
    assert_eq!(answer["meta"]["source"], "scan");
    assert_eq!(answer["meta"]["scannedEvents"], 5);
    assert_eq!(answer["meta"]["coveredFrom"], answer["meta"]["from"]);

    // Who read /b did something else, too; and a text that only its line has.
    let users = |filters: Value| {
        let body = json!({"metrics": ["users", "sum(data.duration)"], "range": "today", "filters": filters});
        async { ask(&site, body).await["totals"].clone() }
    };
    let read_b = json!(["did", ["is", "page", "/b"]]);
    assert_eq!(
        users(json!(["and", read_b, ["exists", "feature"]])).await,
        json!([1, 12.5])
    );
    assert_eq!(
        users(json!(["is", "data.note", long.trim()])).await,
        json!([1, 0])
    );
    assert_eq!(
        users(json!(["not_contains", "data.note", "o"])).await,
        json!([2, 25])
    );

    let csv = shoreline_tests::client().post(format!("{}/v1/analytics/query?format=csv", site.url));
    let csv = csv
        .bearer_auth(&site.read_token)
        .json(&pages)
        .sent()
        .await
        .unwrap();
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    let text = csv.text().await.unwrap();
    let first = "page,users,views,sessions,compared users,compared views,compared sessions\r\n/a,2,2,1,0,0,0\r\n";
    assert!(text.starts_with(first), "{text}");

    // Another site's token asks of its own site.
    let other = shared().new_site().await;
    assert_eq!(ask(&other, pages).await["totals"], json!([0, 0, 0]));
}

#[tokio::test]
async fn a_question_without_filters_is_answered_by_the_read_models() {
    let site = shared().new_site().await;
    let events = [
        view("/a", "ann"),
        view("/b", "bob"),
        feature("search", "ann"),
    ];
    site.send_ok(&batch(&events)).await;
    site.settle().await;
    let by_day = json!({"metrics": ["users", "events", "views"], "dimensions": ["time:day"], "range": "30d"});
    let filtered = |filters: Value| {
        let mut body = by_day.clone();
        body["filters"] = filters;
        body
    };
    // As soon as they are in the archive, whatever D1 has taken.
    let answer = ask(&site, by_day.clone()).await;
    let scanned = ask(&site, filtered(json!(["exists", "source"]))).await;
    assert_eq!(answer["totals"], json!([2, 3, 2]));
    assert_eq!(answer["rows"], scanned["rows"]);
    assert_eq!(answer["meta"]["source"], "read_models");
    assert_eq!(answer["meta"]["scannedEvents"], 0);
    assert_eq!(scanned["meta"]["source"], "scan");
    assert_eq!(scanned["totals"], answer["totals"]);
    // What comes later is in the next answer.
    site.send_ok(&batch(&[view("/a", "cid")])).await;
    site.settle().await;
    assert_eq!(ask(&site, by_day.clone()).await["totals"], json!([3, 4, 3]));
    // Nor are days of other clocks those of the sums.
    let mut elsewhere = by_day.clone();
    elsewhere["timeZone"] = json!("Asia/Kathmandu");
    assert_eq!(ask(&site, elsewhere).await["meta"]["source"], "scan");
    // Without an event there is no row, and nobody.
    let other = shared().new_site().await;
    let nothing = ask(&other, by_day).await;
    assert_eq!(nothing["rows"], json!([]));
    assert_eq!(nothing["totals"], json!([0, 0, 0]));
    assert_eq!(nothing["meta"]["source"], "read_models");
}

#[tokio::test]
async fn days_of_a_zone_are_as_long_as_its_clocks_say() {
    let site = shared().new_site().await;
    let hour = 3_600_000;
    // When each begins, and how many hours it has.
    for (zone, day, from, hours) in [
        ("Europe/Berlin", "2024-03-31", 1_711_839_600_000_i64, 23),
        ("Europe/Berlin", "2024-10-27", 1_729_980_000_000, 25),
        ("America/St_Johns", "2024-03-10", 1_710_041_400_000, 23),
        ("America/St_Johns", "2024-11-03", 1_730_601_000_000, 25),
        ("Asia/Kathmandu", "2024-03-31", 1_711_822_500_000, 24),
        ("UTC", "2024-03-31", 1_711_843_200_000, 24),
        ("America/Santiago", "2024-09-08", 1_725_768_000_000, 23),
        ("Australia/Lord_Howe", "2024-04-07", 1_712_408_400_000, 24),
    ] {
        let answer = ask(
            &site,
            json!({"metrics": ["events"], "range": [day, day], "timeZone": zone}),
        )
        .await;
        let meta = &answer["meta"];
        let long = meta["to"].as_i64().unwrap() - meta["from"].as_i64().unwrap();
        // Lord Howe's clocks change by half an hour.
        let want = hours * hour + if zone.ends_with("Howe") { hour / 2 } else { 0 };
        assert_eq!(
            (meta["from"].as_i64(), long),
            (Some(from), want),
            "{zone} {day}"
        );
        assert_eq!(meta["timeZone"], zone);
    }
    for zone in ["Mars/Olympus", "Europe/Berlin; DROP", "../UTC", "\u{0}"] {
        let refused = reply(asking(
            &site,
            &json!({"metrics": ["events"], "timeZone": zone}),
        ))
        .await;
        assert_eq!(
            (
                refused.status,
                &refused.body["code"],
                &refused.body["field"]
            ),
            (400, &json!("invalid_parameter"), &json!("timeZone")),
            "{zone}"
        );
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_named_and_nobody_else_is_answered() {
    let site = shared().new_site().await;
    for (body, field) in [
        (json!({}), "metrics"),
        (
            json!({"metrics": ["users"], "filters": ["and", ["is", "planet", "Mars"]]}),
            "filters[1][1]",
        ),
        (json!({"metrics": ["users"], "country": "DE"}), "country"),
    ] {
        let refused = reply(asking(&site, &body)).await;
        assert_eq!(
            (
                refused.status,
                &refused.body["code"],
                &refused.body["field"]
            ),
            (400, &json!("invalid_parameter"), &json!(field)),
            "{body}"
        );
    }
    for token in ["x", site.browser_key.as_str(), site.source_key.as_str()] {
        let url = format!("{}/v1/analytics/query", site.url);
        let body = json!({"metrics": ["users"]});
        let refused = reply(
            shoreline_tests::client()
                .post(url)
                .bearer_auth(token)
                .json(&body),
        )
        .await;
        assert!([401, 403].contains(&refused.status), "{}", refused.status);
    }
}

/// A custom event, as a service sends it.
fn custom(n: usize, user: &str, data: &Value) -> Value {
    json!({"eventId": format!("0198c1d2-6f00-4000-8000-{n:012x}"), "eventType": "custom", "source": "shop",
        "userId": user, "sessionId": format!("s-{user}"), "eventData": data})
}

#[tokio::test]
async fn goals_are_kept_with_the_site_and_asked_for_by_name() {
    let site = shared().new_site().await;
    let goals = format!("{}/v1/sites/{}/goals", site.url, site.id);
    let admin = async |request: RequestBuilder, body: Value| {
        let request = request.bearer_auth(&site.admin_token);
        reply(if body.is_null() {
            request
        } else {
            request.json(&body)
        })
        .await
    };
    let client = shoreline_tests::client();
    let wanted = json!({"name": "Sale", "filter": ["is", "custom", "buy"]});
    let made = admin(client.post(&goals), wanted.clone()).await;
    assert_eq!((made.status, &made.body["name"]), (201, &json!("Sale")));
    assert_eq!(admin(client.post(&goals), wanted.clone()).await.status, 409);
    let wrong = admin(
        client.post(&goals),
        json!({"name": "x", "filter": ["is", "planet", "Mars"]}),
    )
    .await;
    assert_eq!(
        (wrong.status, &wrong.body["field"]),
        (400, &json!("filter[1]"))
    );
    let one = format!("{goals}/{}", made.body["goalId"].as_str().unwrap());
    let other = admin(
        client.post(&goals),
        json!({"name": "Look", "filter": ["is", "custom", "look"]}),
    )
    .await;
    assert_eq!(
        admin(
            client.put(&one),
            json!({"name": "Look", "filter": ["exists", "page"]})
        )
        .await
        .status,
        409
    );
    let elsewhere = format!("{}/v1/sites/nowhere/goals", site.url);
    assert_eq!(admin(client.get(&elsewhere), Value::Null).await.status, 404);

    let sale = |amount: f64, currency: &str| json!({"name": "buy", "revenue": {"amount": amount, "currency": currency}});
    let events = [
        custom(1, "ann", &sale(10.1, "EUR")),
        custom(2, "ann", &sale(0.2, "EUR")),
        custom(3, "bob", &sale(5.0, "USD")),
        custom(4, "cid", &json!({"name": "look"})),
    ];
    let taken = reply(site.ingest().json(&events)).await;
    assert_eq!(taken.body["accepted"], 4, "{}", taken.body);
    site.settle().await;
    let question = json!({"metrics": ["conversions", "converted", "conversionRate", "revenue"], "range": "24h",
        "goal": "Sale"});
    let answer = ask(&site, question.clone()).await;
    assert_eq!(
        answer["totals"],
        json!([3, 2, 2.0 / 3.0, {"EUR": 10.3, "USD": 5}])
    );
    // Several questions at once, with goals by name, by id and by filter.
    let look = &other.body["goalId"];
    let panels = json!({"range": "24h", "panels": [
        {"metrics": ["conversions"], "goal": "Sale"},
        {"metrics": ["conversions"], "goal": look},
        {"metrics": ["conversions"], "goal": ["is", "custom", ["buy", "look"]]},
        {"metrics": ["events"], "dimensions": ["currency"]}]});
    let url = format!("{}/v1/analytics/query/panels", site.url);
    let said = reply(
        client
            .post(&url)
            .bearer_auth(&site.read_token)
            .json(&panels),
    )
    .await;
    assert_eq!(said.status, 200, "{}", said.body);
    let panels = said.body["panels"].as_array().unwrap();
    let totals: Vec<&Value> = panels.iter().map(|panel| &panel["totals"]).collect();
    assert_eq!(totals, [&json!([3]), &json!([1]), &json!([4]), &json!([4])]);
    assert_eq!(panels[3]["rows"].as_array().unwrap().len(), 3);

    // Whoever reads the site sees its goals; another site has none of them.
    let listed = site.get("/v1/analytics/goals").await;
    assert_eq!(listed["goals"].as_array().unwrap().len(), 2);
    let stranger = shared().new_site().await;
    assert_eq!(
        stranger.get("/v1/analytics/goals").await,
        json!({"goals": []})
    );
    let refused = reply(asking(&stranger, &question)).await;
    assert_eq!(
        (refused.status, &refused.body["field"]),
        (400, &json!("goal"))
    );
    // A changed goal counts the past, too; a deleted one is unknown.
    let changed = json!({"name": "Sale", "filter": ["is", "currency", "EUR"]});
    assert_eq!(admin(client.put(&one), changed).await.status, 200);
    assert_eq!(ask(&site, question.clone()).await["totals"][0], 2);
    assert_eq!(admin(client.delete(&one), Value::Null).await.status, 204);
    assert_eq!(admin(client.delete(&one), Value::Null).await.status, 404);
    assert_eq!(reply(asking(&site, &question)).await.status, 400);
}

#[tokio::test]
async fn funnels_cohorts_journeys_features_and_vitals_are_of_events_that_pass() {
    let site = shared().new_site().await;
    let mut vital = view("/a", "ann");
    vital["eventType"] = json!("web_vital");
    vital["eventData"] = json!({"name": "LCP", "value": 1_200, "url": "https://a.example/a"});
    let long = "long ".repeat(80);
    let events = [
        noted("/a", "ann", "in"),
        noted("/b", "ann", long.trim()),
        feature("search", "ann"),
        noted("/a", "bob", "in"),
        noted("/a", "cid", "out"),
        vital,
    ];
    site.send_ok(&batch(&events)).await;
    site.settle().await;
    let post = async |what: &str, body: &Value| {
        let url = format!("{}/v1/analytics/query/{what}", site.url);
        let call = shoreline_tests::client().post(url);
        reply(call.bearer_auth(&site.read_token).json(body)).await
    };
    let steps = json!([["is", "page", "/a"], {"eventType": "feature_use"}, ["starts_with", "data.note", "long"]]);
    let funnel = json!({"steps": steps, "order": "any", "range": "24h", "by": "data.note", "droppedAfter": 1,
        "filters": ["did", ["is", "data.note", "in"]]});
    let Reply { status, body } = post("funnel", &funnel).await;
    assert_eq!(status, 200, "{body}");
    let users: Vec<&Value> = body["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["users"])
        .collect();
    assert_eq!(users, [2, 1, 1], "{body}");
    assert_eq!(body["dropped"]["users"], json!(["bob"]));
    assert_eq!(body["groups"][0]["value"], "in");
    assert!(body["medianMs"].is_number() && body["meta"]["from"].is_number());

    let Reply { body, .. } = post(
        "journeys",
        &json!({"to": "/b", "range": "24h", "timeZone": "Asia/Kathmandu"}),
    )
    .await;
    assert_eq!(body["sessions"], 1, "{body}");
    assert_eq!(
        body["paths"][0]["steps"].as_array().unwrap().last(),
        Some(&json!(["page", "/b"]))
    );
    let goal = json!({"goal": ["exists", "feature"], "range": "7d"});
    let Reply { body, .. } = post("retention", &goal).await;
    let users = body["cohorts"].as_array().unwrap().iter();
    assert_eq!(
        users
            .map(|cohort| cohort["users"].as_i64().unwrap())
            .sum::<i64>(),
        1
    );

    let of = |path: &str, filter: Value| {
        let text = filter.to_string();
        let filter: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("/v1/analytics/{path}?filters={filter}&range=24h")
    };
    let features = site
        .get(&of(
            "metrics/features",
            json!(["did", ["is", "data.note", "in"]]),
        ))
        .await;
    assert_eq!(features["features"][0]["users"], 1, "{features}");
    let vitals = site
        .get(&of("metrics/vitals", json!(["is", "page", "/a"])))
        .await;
    assert_eq!(vitals["vitals"][0]["p50"], 1_200.0, "{vitals}");
    for path in ["metrics/vitals", "metrics/platform"] {
        let url = format!("{}{}", site.url, of(path, json!(["exists", "feature"])));
        let call = shoreline_tests::client().get(url);
        let refused = reply(call.bearer_auth(&site.read_token)).await;
        assert_eq!(
            (refused.status, &refused.body["field"]),
            (400, &json!("filters")),
            "{path}"
        );
    }

    let properties = site
        .get("/v1/analytics/properties?eventType=page_view&range=24h")
        .await;
    let event = &properties["events"][0];
    assert_eq!(
        (&event["eventType"], &event["events"]),
        (&json!("page_view"), &json!(4))
    );
    let held = event["properties"].as_array().unwrap();
    let note = held.iter().find(|one| one["name"] == "note").unwrap();
    assert_eq!((&note["texts"], &note["numbers"]), (&json!(4), &json!(0)));
}

#[tokio::test]
async fn a_site_s_zone_is_that_of_questions_which_name_none() {
    let kathmandu = shared()
        .new_site_with(&json!({"timeZone": "Asia/Kathmandu"}))
        .await;
    let question = json!({"metrics": ["events"], "range": ["2026-11-01", "2026-11-01"]});
    let answer = ask(&kathmandu, question.clone()).await;
    assert_eq!(answer["meta"]["timeZone"], "Asia/Kathmandu");
    // 5:45 before midnight of UTC.
    let midnight = 1_793_491_200_000_i64;
    assert_eq!(answer["meta"]["from"], midnight - 345 * 60_000);
    let mut named = question;
    named["timeZone"] = json!("UTC");
    assert_eq!(ask(&kathmandu, named).await["meta"]["from"], midnight);
    let funnel = json!({"steps": [["exists", "page"]], "range": "today"});
    let url = format!("{}/v1/analytics/query/funnel", kathmandu.url);
    let call = shoreline_tests::client()
        .post(url)
        .bearer_auth(&kathmandu.read_token);
    let answer = reply(call.json(&funnel)).await;
    assert_eq!(answer.body["meta"]["timeZone"], "Asia/Kathmandu");
    // What is no zone is refused before it is kept.
    let call = shoreline_tests::client()
        .post(format!("{}/v1/sites", kathmandu.url))
        .bearer_auth(&kathmandu.admin_token);
    let refused = reply(call.json(&json!({"siteId": "mars", "timeZone": "Mars/Olympus"}))).await;
    assert_eq!(
        (refused.status, &refused.body["field"]),
        (400, &json!("timeZone"))
    );
}
