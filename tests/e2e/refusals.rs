//! Every case of the contract's status table, and answers that any page can read.

use reqwest::Method;
use serde_json::{Value, json};
use shoreline_tests::contract::Checked as _;
use shoreline_tests::events::{batch, view};
use shoreline_tests::site::{Reply, Site, reply};
use shoreline_tests::system::shared;
use shoreline_worker::endpoints::ENDPOINTS;

fn code(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.body["code"].as_str().unwrap_or("none"))
}

fn nested(open: &str, core: &str, close: &str, levels: usize) -> String {
    format!("{}{core}{}", open.repeat(levels), close.repeat(levels))
}

async fn post_body(site: &Site, body: impl Into<reqwest::Body>) -> Reply {
    reply(site.post().body(body)).await
}

/// A wrong question has no answer, whoever asks it.
#[tokio::test]
async fn every_path_names_a_parameter_that_it_does_not_know() {
    let site = shared().new_site().await;
    for endpoint in ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.params.is_some())
    {
        let path = endpoint.path.replace("{part}", "1").replace(['{', '}'], "");
        let key = match endpoint.path {
            "/v1/events" => &site.browser_key,
            "/v1/ingest" => &site.source_key,
            _ => &site.read_token,
        };
        for method in endpoint
            .methods()
            .filter(|method| !["HEAD", "OPTIONS"].contains(method))
        {
            let url = format!("{}{path}?country=DE", site.url);
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let asked = shoreline_tests::client()
                .request(method.clone(), url)
                .bearer_auth(key);
            let refused = reply(asked.header("origin", &site.origin)).await;
            assert_eq!(
                code(&refused),
                (400, "invalid_parameter"),
                "{method} {path}"
            );
            assert_eq!(refused.body["field"], "country", "{method} {path}");
        }
    }
    let step = json!({"steps": [{"eventType": "page_view", "country": "DE"}]});
    let asked = shoreline_tests::client().post(format!("{}/v1/analytics/query/funnel", site.url));
    let refused = reply(asked.bearer_auth(&site.read_token).json(&step)).await;
    assert_eq!(code(&refused), (400, "invalid_parameter"));
    assert_eq!(refused.body["field"], "steps[0].country");
}

/// The next request after whatever was refused is served as ever.
async fn still_works(site: &Site) {
    let answer = site.send_ok(&batch(&[view("/", "u")])).await;
    assert_eq!(answer["accepted"], 1);
}

#[tokio::test]
async fn bad_bodies_are_4xx_and_the_next_request_is_served() {
    let site = shared().new_site().await;
    let deep = nested("[", "", "]", 10_000);
    let deep_object = nested("{\"a\":", "1", "}", 10_000);
    let many = json!({"events": vec![json!({}); 101]}).to_string();
    let cases: Vec<(String, u16, &str)> = vec![
        ("not json".into(), 400, "malformed_json"),
        (String::new(), 400, "malformed_json"),
        ("null".into(), 400, "malformed_json"),
        ("[]".into(), 400, "malformed_json"),
        ("[{\"events\":[]}]".into(), 400, "malformed_json"),
        ("\"text\"".into(), 400, "malformed_json"),
        ("{\"events\":7}".into(), 400, "malformed_json"),
        (
            "{\"batchId\":\"x\",\"events\":[{}]}".into(),
            400,
            "malformed_json",
        ),
        (deep, 400, "malformed_json"),
        (deep_object, 400, "malformed_json"),
        ("x".repeat(10_000_000), 413, "payload_too_large"),
        (many, 413, "payload_too_large"),
        ("{\"events\":[]}".into(), 422, "no_valid_event"),
        ("{\"events\":[null,7,{}]}".into(), 422, "no_valid_event"),
    ];
    for (body, status, want) in cases {
        let shown: String = body.chars().take(40).collect();
        let reply = post_body(&site, body).await;
        assert_eq!(code(&reply), (status, want), "{shown}");
        assert_eq!(reply.body["status"], status, "{shown}");
        assert!(
            reply.body["detail"].as_str().unwrap().ends_with('.'),
            "{shown}"
        );
        still_works(&site).await;
    }
    let invalid_utf8 = post_body(&site, b"{\"events\":[{\"a\":\"\xff\"}]}".to_vec()).await;
    assert_eq!(code(&invalid_utf8), (400, "malformed_json"));
    still_works(&site).await;
}

#[tokio::test]
async fn an_event_nested_without_end_does_not_spoil_its_neighbours() {
    let site = shared().new_site().await;
    let good = view("/", "u").to_string();
    let deep = nested("{\"a\":", "1", "}", 1_000);
    let overflow = view("/b", "u")
        .to_string()
        .replacen("{", "{\"n\":1e999,", 1);
    let surrogate = view("/c", "u")
        .to_string()
        .replace("A page", "half \\ud83d");
    let body = format!("{{\"events\":[{deep},{good},{overflow},{surrogate}]}}");
    let reply = post_body(&site, body).await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    assert_eq!(reply.body["accepted"], 3, "{}", reply.body);
    assert_eq!(reply.body["results"][0]["code"], "too_deep");
}

#[tokio::test]
async fn a_422_says_of_every_event_what_is_wrong() {
    let site = shared().new_site().await;
    let mut no_user = view("/", "u");
    no_user["userId"] = Value::Null;
    let mut old = view("/", "u");
    old["timestamp"] = json!(1_000_000_000_000_i64);
    let mut domain = view("/", "u");
    domain["eventType"] = json!("ProductCreated");
    let reply = site.send(&batch(&[no_user, old, domain, json!([])])).await;
    assert_eq!(code(&reply), (422, "no_valid_event"));
    let results = reply.body["results"].as_array().unwrap();
    let told: Vec<(i64, &str, &str)> = results
        .iter()
        .map(|result| {
            (
                result["index"].as_i64().unwrap(),
                result["code"].as_str().unwrap(),
                result["field"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, "missing_field", "userId"),
            (1, "timestamp_out_of_range", "timestamp"),
            (2, "invalid_event_type", "eventType"),
            (3, "wrong_type", ""),
        ]
    );
}

#[tokio::test]
async fn keys_and_origins_decide_who_may_send() {
    let site = shared().new_site().await;
    let other = shared().new_site().await;
    let body = batch(&[view("/", "u")]).to_string();
    let send = async |key: &str, origin: Option<&str>| {
        let mut request = shoreline_tests::client()
            .post(format!("{}/v1/events?key={key}", site.url))
            .header("content-type", "text/plain")
            .header("user-agent", "test")
            .body(body.clone());
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        reply(request).await
    };
    let origin = Some(site.origin.as_str());
    let unknown = "slb_demo_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for key in ["", "x", unknown, "slb_demo_'%20OR%201=1--"] {
        assert_eq!(
            code(&send(key, origin).await),
            (401, "unknown_key"),
            "{key}"
        );
    }
    let read = site.read_token.clone();
    assert_eq!(code(&send(&read, origin).await), (403, "wrong_scope"));
    for origin in [
        None,
        Some("null"),
        Some("https://evil.example"),
        Some(other.origin.as_str()),
    ] {
        let reply = send(&site.browser_key, origin).await;
        assert_eq!(code(&reply), (403, "origin_not_allowed"), "{origin:?}");
    }
    assert_eq!(send(&site.browser_key, origin).await.status, 202);
    // The key as a bearer does as well.
    let bearer = shoreline_tests::client()
        .post(format!("{}/v1/events", site.url))
        .bearer_auth(&site.browser_key)
        .header("origin", &site.origin)
        .header("user-agent", "test")
        .header("content-type", "application/json")
        .body(batch(&[view("/", "u")]).to_string());
    assert_eq!(reply(bearer).await.status, 202);
}

#[tokio::test]
async fn media_types_and_methods_are_checked() {
    let site = shared().new_site().await;
    let body = batch(&[view("/", "u")]).to_string();
    for (name, value) in [
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-type", "text/html"),
        ("content-encoding", "br"),
    ] {
        let mut request = site.post().body(body.clone()).build().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = shoreline_tests::client().execute(request).await.unwrap();
        assert_eq!(answer.status(), 415, "{value}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "unsupported_media_type");
    }
    let client = shoreline_tests::client();
    for (method, path, status, allow) in [
        (Method::GET, "/v1/events", 405, Some("POST, OPTIONS")),
        (Method::PUT, "/v1/events", 405, Some("POST, OPTIONS")),
        (
            Method::POST,
            "/v1/analytics/live",
            405,
            Some("GET, HEAD, OPTIONS"),
        ),
        (
            Method::from_bytes(b"PROPFIND").unwrap(),
            "/health",
            405,
            Some("GET, HEAD, OPTIONS"),
        ),
        (
            Method::from_bytes(b"PURGE").unwrap(),
            "/v1/events",
            405,
            Some("POST, OPTIONS"),
        ),
        (Method::POST, "/v1/nothing", 404, None),
        (Method::GET, "/v1/nothing", 404, None),
    ] {
        let answer = client
            .request(method.clone(), format!("{}{path}", site.url))
            .sent()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        let header = answer.headers().get("allow").map(|v| v.to_str().unwrap());
        assert_eq!(header, allow, "{method} {path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn any_page_can_read_the_answer() {
    let site = shared().new_site().await;
    let client = shoreline_tests::client();
    for (key, status) in [(site.browser_key.as_str(), 403), ("x", 401)] {
        let answer = client
            .post(format!("{}/v1/events?key={key}", site.url))
            .header("origin", "https://stranger.example")
            .header("content-type", "text/plain")
            .body("{}")
            .sent()
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("access-control-allow-origin"),
            "https://stranger.example"
        );
        assert!(header("access-control-expose-headers").contains("Retry-After"));
        assert_eq!(header("vary"), "Origin");
        assert!(
            answer
                .headers()
                .get("access-control-allow-credentials")
                .is_none()
        );
    }
    let preflight = client
        .request(Method::OPTIONS, format!("{}/v1/events", site.url))
        .header("origin", "https://stranger.example")
        .header("access-control-request-method", "POST")
        .sent()
        .await
        .unwrap();
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-max-age"], "86400");
    assert_eq!(
        preflight.headers()["access-control-allow-origin"],
        "https://stranger.example"
    );
}

#[tokio::test]
async fn a_dry_run_judges_and_stores_nothing() {
    let site = shared().new_site().await;
    let batch = batch(&[view("/", "u"), json!({})]);
    let mut request = site.post().body(batch.to_string()).build().unwrap();
    request
        .url_mut()
        .query_pairs_mut()
        .append_pair("dryRun", "1");
    let answer = shoreline_tests::client().execute(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["accepted"], &body["rejected"]),
        (&json!(1), &json!(1))
    );
    // The same batch is new afterwards.
    assert_eq!(site.send_ok(&batch).await["accepted"], 1);
    assert_eq!(site.live_count("page_view").await, 1);
}
