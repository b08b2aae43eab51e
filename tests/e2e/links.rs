//! Shared links: what their holders are told, and what they are refused.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shoreline_tests::contract::Checked as _;
use shoreline_tests::events::{batch, feature, view};
use shoreline_tests::site::{Reply, Site, reply};
use shoreline_tests::system::shared;

/// The views that a link may show, in the order of the dashboard.
pub(crate) const VIEWS: [&str; 9] = [
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

/// What the holder of the admin token says about a site's links.
async fn admin(site: &Site, method: Method, below: &str, body: &Value) -> Reply {
    let url = format!("{}/v1/sites/{}/links{below}", site.url, site.id);
    let request = shoreline_tests::client().request(method, url);
    let request = request.bearer_auth(&site.admin_token);
    reply(if body.is_null() {
        request
    } else {
        request.json(body)
    })
    .await
}

/// Makes a link.
pub(crate) async fn share(site: &Site, mut link: Value) -> Value {
    link["name"] = json!("For the board");
    let made = admin(site, Method::POST, "", &link).await;
    assert_eq!(made.status, 201, "{link}: {}", made.body);
    made.body
}

fn asks(site: &Site, link: &Value, path: &str, body: &Value) -> RequestBuilder {
    let url = format!("{}/v1/analytics/{path}", site.url);
    let client = shoreline_tests::client();
    let request = if body.is_null() {
        client.get(url)
    } else {
        client.post(url).json(body)
    };
    request.bearer_auth(link["token"].as_str().unwrap())
}

async fn ask(site: &Site, link: &Value, path: &str, body: Value) -> Reply {
    reply(asks(site, link, path, &body)).await
}

fn from(country: &str, mut event: Value) -> Value {
    event["eventData"]["country"] = json!(country);
    event
}

/// Two users of one plan and one of another, each with a page that the others did not see.
async fn visited() -> Site {
    let site = shared().new_site().await;
    let planned = |plan: &str, event: Value| {
        let mut event = from(plan, event);
        event["eventData"]["plan"] = json!(plan);
        event
    };
    let events = [
        planned("pro", view("/", "ann")),
        planned("pro", view("/a", "ann")),
        planned("pro", view("/", "bob")),
        planned("free", view("/", "cid")),
        planned("free", view("/secret", "cid")),
        planned("free", view("/secret", "ann")),
        feature("search", "bob"),
    ];
    site.send_ok(&batch(&events)).await;
    site.settle().await;
    site
}

#[tokio::test]
async fn a_link_tells_what_passes_its_filters_and_nothing_beyond() {
    let site = visited().await;
    let only = json!(["is", "data.plan", ["pro"]]);
    let views = ["overview", "features", "funnels", "errors"];
    let link = share(&site, json!({"views": views, "filters": only})).await;
    let pages = |filters: Value| {
        json!({"metrics": ["users", "views"], "dimensions": ["page"], "range": "24h",
            "filters": filters, "orderBy": [["page", "asc"]]})
    };
    let want = json!([{"dimensions": ["/"], "metrics": [2, 2]}, {"dimensions": ["/a"], "metrics": [1, 1]}]);
    let told = ask(&site, &link, "query", pages(Value::Null)).await;
    assert_eq!(
        (told.status, &told.body["rows"]),
        (200, &want),
        "{}",
        told.body
    );
    // No filter of theirs reaches further, in whatever form, nor by what users did.
    let secret = json!(["is", "page", ["/secret"]]);
    for filters in [
        secret.clone(),
        json!(["not", ["not", secret]]),
        json!(["did", secret]),
        json!(["and", ["did", secret]]),
    ] {
        let told = ask(&site, &link, "query", pages(filters.clone())).await;
        assert_eq!(told.status, 200, "{filters}: {}", told.body);
        assert_eq!(told.body["rows"], json!([]), "{filters}");
    }
    for filters in [
        json!(["or", ["not", secret], secret]),
        json!(["did_not", secret]),
    ] {
        let told = ask(&site, &link, "query", pages(filters.clone())).await;
        assert_eq!(told.body["rows"], want, "{filters}: {}", told.body);
    }
    // A body that is no UTF-8 is narrowed by nobody, and so not answered.
    let broken = b"{\"metrics\": [\"users\"], \"dimensions\": [\"page\"], \"range\": \"24h\", \
        \"filters\": [\"is_not\", \"country\", \"\xff\"]}";
    let url = format!("{}/v1/analytics/query", site.url);
    let call = shoreline_tests::client().post(url).body(broken.to_vec());
    let told = reply(call.bearer_auth(link["token"].as_str().unwrap())).await;
    assert_eq!(
        (told.status, &told.body["code"]),
        (400, &json!("malformed_json")),
        "{}",
        told.body
    );
    let panels = json!({"range": "24h", "panels": [
        {"metrics": ["users"]}, {"metrics": ["users"], "filters": secret}]});
    let told = ask(&site, &link, "query/panels", panels).await.body;
    assert_eq!(told["panels"][0]["totals"], json!([2]), "{told}");
    assert_eq!(told["panels"][1]["totals"], json!([0]), "{told}");
    let steps = json!({"range": "24h", "steps": [{"eventType": "page_view"}, secret]});
    let told = ask(&site, &link, "query/funnel", steps).await.body;
    assert_eq!(
        (&told["steps"][0]["users"], &told["steps"][1]["users"]),
        (&json!(2), &json!(0))
    );
    let told = ask(&site, &link, "query/journeys", json!({"range": "24h"}))
        .await
        .body;
    assert!(!told.to_string().contains("secret"), "{told}");
    let told = ask(
        &site,
        &link,
        "query/retention",
        json!({"range": "24h", "period": "day"}),
    )
    .await
    .body;
    let users: i64 = told["cohorts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["users"].as_i64().unwrap())
        .sum();
    assert_eq!(users, 2, "{told}");
    let told = ask(&site, &link, "metrics/breakdown?by=page", Value::Null)
        .await
        .body;
    let keys: Vec<&str> = told["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["/", "/a"], "{told}");
    let told = ask(&site, &link, "metrics/features", Value::Null)
        .await
        .body;
    assert_eq!(told["features"], json!([]), "{told}");
    let told = ask(&site, &link, "metrics/vitals", Value::Null).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let csv = asks(&site, &link, "query?format=csv", &pages(Value::Null))
        .sent()
        .await
        .unwrap();
    let csv = csv.text().await.unwrap();
    assert!(csv.contains("/a") && !csv.contains("secret"), "{csv}");
}

#[tokio::test]
async fn a_link_that_asks_for_more_than_it_may_is_refused_by_name() {
    let site = visited().await;
    let narrow = share(
        &site,
        json!({"views": ["pages"], "filters": ["is", "page", "/"]}),
    )
    .await;
    let wide = share(&site, json!({"views": ["overview", "funnels", "ask"]})).await;
    for (path, body) in [
        ("metrics/platform", Value::Null),
        ("metrics/features", Value::Null),
        ("metrics/vitals", Value::Null),
        ("metrics/engagement", Value::Null),
        ("metrics/summary", Value::Null),
        ("goals", Value::Null),
        ("properties", Value::Null),
        ("live", Value::Null),
        ("events/recent", Value::Null),
        ("users/ann/events", Value::Null),
        ("operations", Value::Null),
        (
            "query/funnel",
            json!({"steps": [{"eventType": "page_view"}]}),
        ),
    ] {
        let told = ask(&site, &narrow, path, body).await;
        assert_eq!(
            (told.status, &told.body["code"]),
            (403, &json!("wrong_scope")),
            "{path}: {}",
            told.body
        );
    }
    for (asked, field) in [
        (
            json!({"metrics": ["users", "sum(data.amount)"]}),
            "metrics[1]",
        ),
        (
            json!({"metrics": ["users"], "dimensions": ["data.plan"]}),
            "dimensions[0]",
        ),
        (
            json!({"metrics": ["users"], "filters": ["is", "data.plan", "pro"]}),
            "filters[1]",
        ),
        (json!({"metrics": ["revenue"]}), "metrics[0]"),
    ] {
        let told = ask(&site, &narrow, "query", asked.clone()).await;
        let want = (403, &json!("wrong_scope"), &json!(field));
        assert_eq!(
            (told.status, &told.body["code"], &told.body["field"]),
            want,
            "{asked}"
        );
    }
    // What a view shows may be asked; users are told to nobody.
    for path in ["metrics/platform", "properties", "goals", "site"] {
        let told = ask(&site, &wide, path, Value::Null).await;
        assert_eq!(told.status, 200, "{path}: {}", told.body);
    }
    let dropped = json!({"steps": [{"eventType": "page_view"}, {"eventType": "feature_use"}], "droppedAfter": 1});
    let told = ask(&site, &wide, "query/funnel", dropped).await;
    assert_eq!(
        (told.status, &told.body["field"]),
        (403, &json!("droppedAfter")),
        "{}",
        told.body
    );
    let told = ask(&site, &wide, "events/recent", Value::Null).await;
    assert_eq!(told.status, 403, "{}", told.body);
}

#[tokio::test]
async fn a_link_opens_with_its_password_until_it_is_revoked_and_no_other_site() {
    let (site, other) = (shared().new_site().await, shared().new_site().await);
    let link = share(
        &site,
        json!({"views": ["pages"], "password": "p4ssword!", "expiresInDays": 1}),
    )
    .await;
    let token = link["token"].as_str().unwrap().to_owned();
    assert_eq!(
        link["path"],
        format!("/shared/{}#{token}", link["linkId"].as_str().unwrap())
    );
    let told = async |password: Option<&str>| {
        let request = asks(&site, &link, "site", &Value::Null);
        reply(match password {
            Some(password) => request.header("x-link-password", password),
            None => request,
        })
        .await
    };
    for wrong in [None, Some(""), Some("p4ssword")] {
        let refused = told(wrong).await;
        let want = (401, &json!("password_required"));
        assert_eq!((refused.status, &refused.body["code"]), want, "{wrong:?}");
    }
    let open = told(Some("p4ssword!")).await.body;
    let want = json!({"siteId": site.id, "name": site.id, "timeZone": null,
        "link": {"name": "For the board", "views": ["pages"], "filters": null}});
    assert_eq!(open, want);
    // A read token is told the same, of no link.
    assert_eq!(site.get("/v1/analytics/site").await["link"], Value::Null);

    // It is listed without what opens it. Another site's path neither lists nor ends it.
    let listed = admin(&site, Method::GET, "", &Value::Null).await.body;
    assert_eq!(listed["links"].as_array().unwrap().len(), 1);
    assert!(
        !listed.to_string().contains("slv_") && !listed.to_string().contains("p4ss"),
        "{listed}"
    );
    let elsewhere = admin(&other, Method::GET, "", &Value::Null).await.body;
    assert_eq!(elsewhere["links"], json!([]));
    let below = format!("/{}", link["linkId"].as_str().unwrap());
    assert_eq!(
        admin(&other, Method::DELETE, &below, &Value::Null)
            .await
            .status,
        404
    );
    // The site that a token names is the one that it reads.
    let forged = json!({"token": token.replace(&site.id, &other.id)});
    assert_eq!(ask(&site, &forged, "site", Value::Null).await.status, 401);

    assert_eq!(
        admin(&site, Method::DELETE, &below, &Value::Null)
            .await
            .status,
        204
    );
    let gone = told(Some("p4ssword!")).await;
    assert_eq!(
        (gone.status, &gone.body["code"]),
        (401, &json!("unknown_key")),
        "at once"
    );
    assert_eq!(
        admin(&site, Method::DELETE, &below, &Value::Null)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_page_of_a_link_says_whose_pages_may_frame_it() {
    let site = shared().new_site().await;
    let framed = share(
        &site,
        json!({"views": ["pages"],
        "origins": ["https://wiki.example", "https://*.shop.example"]}),
    )
    .await;
    let plain = share(&site, json!({"views": ["pages"]})).await;
    let page = async |link: &Value| {
        let id = link["linkId"].as_str().unwrap();
        let url = format!("{}/shared/{id}?view=pages", site.url);
        shoreline_tests::client().get(url).sent().await.unwrap()
    };
    for (link, ancestors) in [
        (
            &framed,
            "frame-ancestors https://wiki.example https://*.shop.example;",
        ),
        (&plain, "frame-ancestors 'none';"),
    ] {
        let answer = page(link).await;
        assert_eq!(answer.status(), 200);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.contains(ancestors), "{policy}");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(answer.text().await.unwrap().contains("/dashboard/a/"));
    }
    // The policy is the dashboard's, but for who may frame it.
    let dashboard = format!("{}/dashboard/", site.url);
    let dashboard = reqwest::get(dashboard).await.unwrap();
    let own = dashboard.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    let of_link = page(&plain).await;
    assert_eq!(of_link.headers()["content-security-policy"], own);
    let none = json!({"linkId": "0123456789abcdef"});
    assert_eq!(page(&none).await.status(), 404);
}
