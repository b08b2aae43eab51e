//! One person: a visitor who says who they are is one user in every answer, past views included.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::eventually_is;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::shared;
use shoreline_tests::visit::{Setup, Visit};

use crate::folds::fold;

fn asking(site: &Site, path: &str, body: &Value) -> RequestBuilder {
    let url = format!("{}/v1/analytics/{path}", site.url);
    let post = shoreline_tests::client().post(url);
    post.bearer_auth(&site.read_token).json(body)
}

async fn ask(site: &Site, path: &str, body: Value) -> Value {
    let answer = reply(asking(site, path, &body)).await;
    assert_eq!(answer.status, 200, "{path} {body}: {}", answer.body);
    answer.body
}

/// A call about a user, for the admin.
async fn admin(site: &Site, method: Method, path: &str) -> Value {
    let url = format!("{}/v1/analytics/users/{path}siteId={}", site.url, site.id);
    let request = shoreline_tests::client().request(method, url);
    let answer = reply(request.bearer_auth(&site.admin_token)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

/// What counts users, of today.
async fn counts(site: &Site) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        "platform",
        "engagement",
        "breakdown?by=page",
        "breakdown?by=source",
    ] {
        let path = format!("/v1/analytics/metrics/{path}");
        all.push(site.get(&path).await);
    }
    all
}

/// Users by every way that counts them.
async fn users(site: &Site) -> Vec<Value> {
    let platform = site.get("/v1/analytics/metrics/platform").await;
    let asked = ask(site, "query", json!({"metrics": ["users"], "range": "24h"})).await;
    let retention = ask(site, "query/retention", json!({"periods": 1})).await;
    let live = site.get("/v1/analytics/live").await;
    let cohorts = retention["cohorts"].as_array().unwrap().iter();
    let returned: i64 = cohorts.filter_map(|one| one["users"].as_i64()).sum();
    vec![
        platform["activeUsers"].clone(),
        platform["totalUsers"].clone(),
        asked["totals"][0].clone(),
        returned.into(),
        live["activeUsers"].clone(),
    ]
}

fn user_ids(events: &[Value]) -> Vec<&str> {
    let mut ids: Vec<&str> = events
        .iter()
        .filter_map(|event| event["userId"].as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[tokio::test]
async fn a_visitor_who_says_who_they_are_is_one_user_everywhere() {
    let visit = Visit::open(Setup::default()).await;
    visit.go("/pricing").await;
    visit.flush().await;
    let site = &visit.site;
    let before = visit.arrived(&["page_view /", "page_view /pricing"]).await;
    let anonymous = before[0]["userId"].as_str().unwrap().to_owned();
    assert!(anonymous.starts_with("v-"), "{anonymous}");
    site.settle().await;
    // D1 has what they were before as somebody else.
    fold(site).await;
    assert_eq!(users(site).await, vec![json!(1); 5]);

    visit.browser.run("shoreline.identify('user-7')").await;
    visit.feature("bought").await;
    visit.go("/thanks").await;
    visit.flush().await;
    let want = [
        "page_view /",
        "page_view /pricing",
        "identify",
        "feature_use bought",
        "page_view /thanks",
    ];
    let events = visit.arrived(&want).await;
    let told = events
        .iter()
        .find(|event| event["eventType"] == "identify")
        .unwrap();
    assert_eq!(
        (&told["userId"], &told["eventData"]),
        (&json!("user-7"), &json!({"anonymousId": anonymous}))
    );
    assert_eq!(user_ids(&events), ["user-7", anonymous.as_str()]);
    site.settle().await;

    // Of what is not folded yet, and when it is.
    let looked = counts(site).await;
    assert_eq!(users(site).await, vec![json!(1); 5]);
    fold(site).await;
    assert_eq!(counts(site).await, looked);
    assert_eq!(users(site).await, vec![json!(1); 5]);
    for row in looked[2]["rows"].as_array().unwrap() {
        assert_eq!(row["users"], 1, "{row}");
    }
    let steps = json!([
        {"eventType": "page_view", "page": "/"},
        {"eventType": "feature_use", "feature": "bought"},
        {"eventType": "page_view", "page": "/thanks"},
    ]);
    let funnel = ask(site, "query/funnel", json!({"steps": steps})).await;
    let steps = funnel["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["users"] == 1), "{funnel}");
    let did = json!({"metrics": ["users"], "range": "24h",
        "filters": ["and", ["is", "page", ["/"]], ["did", ["is", "feature", ["bought"]]]]});
    assert_eq!(ask(site, "query", did).await["totals"], json!([1]));

    // Both ids tell all of it.
    let stored = site.stored().await.len();
    for id in ["user-7", anonymous.as_str()] {
        let page = site.get(&format!("/v1/analytics/users/{id}/events")).await;
        assert_eq!(page["events"].as_array().unwrap().len(), stored, "{id}");
        let export = admin(site, Method::GET, &format!("{id}/export?")).await;
        assert_eq!(export["events"].as_array().unwrap().len(), stored, "{id}");
        assert_eq!(export["profile"]["activeDays"].as_array().unwrap().len(), 1);
    }

    // One erasure takes both ids, by whichever it is asked for, and no count changes.
    let erased = admin(site, Method::DELETE, &format!("{anonymous}?")).await;
    assert_eq!(erased, json!({"events": stored, "complete": true}));
    let left = site.stored().await;
    assert_eq!(left.len(), stored);
    for event in &left {
        let text = event.to_string();
        assert!(
            !text.contains("user-7") && !text.contains(&anonymous),
            "{text}"
        );
    }
    assert_eq!(user_ids(&left).len(), 1);
    let asked = ask(site, "query", json!({"metrics": ["users"], "range": "24h"})).await;
    assert_eq!(asked["totals"], json!([1]));
    assert_eq!(counts(site).await, looked);
    let export = admin(site, Method::GET, "user-7/export?").await;
    assert!(export["profile"]["erasedAt"].is_i64(), "{export}");
    assert_eq!(admin(site, Method::DELETE, "user-7?").await["events"], 0);
}

#[tokio::test]
async fn two_users_of_one_device_stay_two() {
    let visit = Visit::open(Setup::default()).await;
    let say = "shoreline.identify('ann'); shoreline.feature('as ann'); \
        shoreline.identify('bob'); shoreline.feature('as bob'); \
        shoreline.reset(); shoreline.feature('as nobody'); shoreline.identify('bob'); shoreline.feature('again')";
    // The view is of who was there before.
    visit.flush().await;
    visit.browser.run(say).await;
    visit.flush().await;
    let want = [
        "page_view /",
        "identify",
        "feature_use as ann",
        "feature_use as bob",
        "feature_use as nobody",
        "identify",
        "feature_use again",
    ];
    let events = visit.arrived(&want).await;
    assert_eq!(user_ids(&events).len(), 4, "{events:?}");
    visit.site.settle().await;
    assert_eq!(users(&visit.site).await, vec![json!(2); 5]);
    let of = async |user: &str| {
        let page = visit
            .site
            .get(&format!("/v1/analytics/users/{user}/events"))
            .await;
        page["events"].as_array().unwrap().len()
    };
    assert_eq!((of("ann").await, of("bob").await), (3, 4));
}

#[tokio::test]
async fn a_page_can_leave_it_out_and_a_private_visit_never_tells() {
    for (setup, two) in [
        (Setup::attributes("data-stitch=off"), 2),
        (Setup::attributes("data-storage=none"), 1),
    ] {
        let visit = Visit::open(setup).await;
        visit.flush().await;
        visit
            .browser
            .run("shoreline.identify('ann'); shoreline.feature('as ann')")
            .await;
        visit.flush().await;
        let events = visit.arrived(&["page_view /", "feature_use as ann"]).await;
        assert_eq!(user_ids(&events).len(), two);
    }
    // One that comes all the same is skipped, and its text is nowhere.
    let site = shared().new_site().await;
    let mut told = view("/", "ann");
    told["eventType"] = json!("identify");
    told["eventData"] = json!({"anonymousId": "v-0198c1d2-0000-7000-8000-000000000001"});
    let private = site.post().header("sec-gpc", "1");
    let answer = reply(private.body(batch(&[told.clone()]).to_string())).await;
    assert_eq!(answer.body["skipped"], 1, "{}", answer.body);
    assert_eq!(answer.body["results"][0]["code"], "private_visit");
    // A page says of nobody whose id can be known that they are somebody else.
    for (id, code) in [
        (json!("bob"), "invalid_user_id"),
        (
            json!("0198c1d2-0000-7000-8000-000000000001"),
            "invalid_user_id",
        ),
        (json!(" "), "empty_field"),
        (json!(7), "wrong_type"),
        (Value::Null, "missing_field"),
    ] {
        told["eventData"]["anonymousId"] = id;
        let answer = site.send(&batch(&[told.clone()])).await;
        let result = &answer.body["results"][0];
        assert_eq!(
            (answer.status, &result["code"], &result["field"]),
            (422, &json!(code), &json!("eventData.anonymousId")),
            "{told}"
        );
    }
    site.settle().await;
    assert_eq!(site.stored().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_service_joins_ids_of_its_own() {
    let site = shared().new_site().await;
    let at = |user: &str, more: Value| {
        let mut event = view("/", user);
        event["metadata"] =
            json!({"userAgent": "x", "ipAddress": "192.0.2.1", "platform": "server"});
        event["source"] = json!("crm");
        for (name, value) in more.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    };
    let is = |user: &str, before: &str| {
        at(
            user,
            json!({"eventType": "identify", "eventData": {"anonymousId": before}}),
        )
    };
    // A chain, an e-mail address as an id, and somebody else.
    let events = [
        at("lead@example.com", json!({})),
        at("lead-2", json!({})),
        at("user-3", json!({})),
        is("lead-2", "lead@example.com"),
        is("user-3", "lead-2"),
        at("other@example.com", json!({})),
    ];
    let body = Value::Array(events.to_vec()).to_string();
    let answer = reply(site.ingest().body(body)).await;
    assert_eq!(answer.body["accepted"], 6, "{}", answer.body);
    site.settle().await;
    let asked = json!({"metrics": ["users", "events"], "range": "24h"});
    assert_eq!(ask(&site, "query", asked).await["totals"], json!([2, 6]));
    // Several archives would know no person of several ids: the site keeps the one that it has.
    let url = format!("{}/v1/sites/{}/archives", site.url, site.id);
    let asked = |body: Value| {
        let post = shoreline_tests::client().post(&url).json(&body);
        reply(post.bearer_auth(&site.admin_token))
    };
    let refused = asked(json!({"archives": 2})).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (409, &json!("conflict"))
    );
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("joined ids"), "{detail}");
    let kept = asked(json!({"archives": 1})).await;
    assert_eq!(
        (kept.status, kept.body),
        (200, json!({"archives": 1, "change": null}))
    );
    eventually_is("people are active", json!(2), async || {
        site.get("/v1/analytics/live").await["activeUsers"].clone()
    })
    .await;
}
