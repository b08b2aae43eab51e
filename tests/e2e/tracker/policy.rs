//! Pages with a policy.

use serde_json::json;
use shoreline_tests::proxy::Fault;
use shoreline_tests::visit::{Setup, Visit};

/// Keeps what the page's policy refused, and errors.
const WATCH: &str = "window.refused = []; window.errors = []; \
    addEventListener('securitypolicyviolation', (event) => refused.push(event.blockedURI)); \
    addEventListener('error', (event) => errors.push(String(event.message))); \
    addEventListener('unhandledrejection', (event) => errors.push(String(event.reason)))";

/// A page whose scripts may be its own and those of any port of this machine.
fn with_policy(scripts: &str) -> Setup {
    let policy = format!(
        "default-src 'none'; img-src data:; script-src 'unsafe-inline' http://localhost:* {scripts}; \
         connect-src http://localhost:*"
    );
    Setup {
        headers: vec![("content-security-policy".into(), policy)],
        ..Setup::script(WATCH)
    }
}

#[tokio::test]
async fn where_wasm_is_refused_views_and_features_are_sent_all_the_same() {
    let visit = Visit::open(with_policy("")).await;
    let compiles = "WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => 'yes', () => 'no')";
    assert_eq!(visit.browser.value(compiles).await, "no");
    let mut want = visit.features("f", 5).await;
    visit
        .browser
        .run("history.pushState({}, '', '/route')")
        .await;
    visit.feature("on the route").await;
    visit.flush().await;
    visit.feature("on the way out").await;
    visit.go("/next").await;
    visit.flush().await;
    want.extend(
        [
            "page_view /",
            "page_view /route",
            "feature_use on the route",
        ]
        .map(str::to_owned),
    );
    want.extend(["feature_use on the way out", "page_view /next"].map(str::to_owned));
    let events = visit.arrived(&want).await;
    for field in ["userId", "sessionId"] {
        let first = &events[0][field];
        assert!(events.iter().all(|event| &event[field] == first), "{field}");
    }
    assert_eq!(visit.browser.run("return errors").await, json!([]));
}

#[tokio::test]
async fn where_wasm_is_refused_and_the_collector_too_the_loss_is_told() {
    let visit = Visit::open(with_policy("")).await;
    visit.flush().await;
    let count = "window.lost = 0; for (const kind of ['dropped', 'rejected']) \
        shoreline.on(kind, ({ events }) => { lost += events })";
    visit.browser.run(count).await;
    visit.proxy.set(Fault::Answer(503, None));
    visit.features("f", 5).await;
    visit.flush().await;
    shoreline_tests::eventually_is("the page is told of five", json!(5), async || {
        visit.browser.run("return lost").await
    })
    .await;
    visit.arrived(&["page_view /"]).await;
}

/// The policy that docs/TRACKER.md tells pages to have.
fn documented() -> String {
    let text = std::fs::read_to_string(shoreline_tests::root().join("docs/TRACKER.md")).unwrap();
    let section = text.split("### Content Security Policy").nth(1).unwrap();
    let line = section.split("```").nth(1).unwrap().trim();
    let hash = section.split("for `STUB`").next().unwrap();
    let hash = hash.rsplit('`').nth(1).unwrap();
    line.replace("STUB", hash)
}

#[tokio::test]
async fn the_documented_policy_is_enough() {
    let visit = Visit::begin(Setup {
        headers: vec![("content-security-policy".into(), documented())],
        ..Setup::default()
    })
    .await;
    let watch = json!({"source": WATCH});
    let command = "Page.addScriptToEvaluateOnNewDocument";
    visit.browser.devtools(command, watch).await;
    visit.go("/").await;
    let mut want = visit.features("f", 30).await;
    visit.flush().await;
    want.push("page_view /".to_owned());
    visit.arrived(&want).await;
    let refused = visit.browser.run("return [refused, errors]").await;
    assert_eq!(refused, json!([[], []]));
    // The module did it: two batches, not one request an event.
    let posts = visit.proxy.posts().len();
    assert!(posts <= 3, "{posts} requests");
}
