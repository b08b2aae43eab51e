//! Settings: users' data, imports and the snippet, each done on the page and seen by the API.

use serde_json::{Value, json};
use shoreline_tests::events::{batch, feature, view};
use shoreline_tests::site::reply;
use shoreline_tests::system::shared;
use shoreline_tests::{eventually, eventually_is};

use super::settings::{admin, says, set};
use super::{Dashboard, number};

/// The newest file in a folder, once it is whole.
async fn downloaded(folder: &std::path::Path) -> String {
    let file = eventually("the file is there", async || {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        let mut files = entries.map(|entry| entry.path());
        files.find(|path| path.extension().is_none_or(|end| end != "crdownload"))
    })
    .await;
    std::fs::read_to_string(file).unwrap()
}

#[tokio::test]
async fn a_user_is_exported_and_erased() {
    let site = shared().new_site().await;
    let user = "<b>ann</b>@x";
    let events = [view("/", user), feature("search", user), view("/", "bob")];
    site.send_ok(&batch(&events)).await;
    site.settle().await;
    let d = admin(site.clone(), "?view=settings&part=people").await;
    let folder = tempfile::tempdir().unwrap();
    let allow = json!({"behavior": "allow", "downloadPath": folder.path()});
    d.browser.devtools("Page.setDownloadBehavior", allow).await;
    set(&d, "#f-export-user", user).await;
    d.press("Export").await;
    says(&d, "#main", "2 events are in the file").await;
    let file: Value = serde_json::from_str(&downloaded(folder.path()).await).unwrap();
    assert_eq!(file["userId"], user);
    assert_eq!(file["complete"], true);
    assert_eq!(file["events"].as_array().unwrap().len(), 2);
    assert!(file["profile"]["firstSeenAt"].is_number(), "{file}");

    set(&d, "#f-erase-user", user).await;
    d.press("Erase…").await;
    let disabled = "return document.querySelector('.ask [type=submit]').disabled";
    assert_eq!(d.browser.run(disabled).await, true);
    set(&d, "#ask-typed", "ann").await;
    assert_eq!(d.browser.run(disabled).await, true);
    // Enter does not get around it.
    d.browser
        .run("document.querySelector('.ask form').requestSubmit()")
        .await;
    let of_user = async || {
        let stored = site.stored().await.into_iter();
        stored.filter(|event| event["userId"] == user).count()
    };
    assert_eq!(of_user().await, 2);
    set(&d, "#ask-typed", user).await;
    d.browser.click(".ask [type=submit]").await;
    says(&d, "#main", "Erased: 2 events were made nameless").await;
    assert_eq!(of_user().await, 0);
    assert_eq!(site.stored().await.len(), 3);
    assert_eq!(site.get("/v1/analytics/metrics/summary").await["total"], 3);
    assert!(!d.query().await.contains("ann"));

    // What the API refuses is said: another site's, which there is not.
    d.go("?view=settings&part=people&site=_no").await;
    set(&d, "#f-export-user", "bob").await;
    d.press("Export").await;
    says(&d, ".form-said", "siteId must be the id of a site").await;
    d.nothing_wrong().await;
}

#[tokio::test]
async fn an_import_is_watched() {
    let site = shared().new_site().await;
    let lines = "{\"eventType\":\"shop.ordered\",\"source\":\"shop\"}\nnot an event\n";
    let made = shoreline_tests::client()
        .post(format!("{}/v1/imports", site.url))
        .bearer_auth(&site.source_key)
        .header("content-type", "application/x-ndjson")
        .body(lines);
    let made = reply(made).await;
    let id = made.body["importId"].as_str().unwrap();
    let d = admin(site.clone(), "?view=settings&part=imports").await;
    set(&d, "#f-import-id", id).await;
    set(&d, "#f-source-key", "sls_wrong").await;
    d.press("Show progress").await;
    says(&d, ".form-said", "unknown, expired or revoked").await;
    set(&d, "#f-source-key", &site.source_key).await;
    d.press("Show progress").await;
    says(&d, ".import", "Finished").await;
    let url = format!("{}/v1/imports/{id}", site.url);
    let api = reply(
        shoreline_tests::client()
            .get(url)
            .bearer_auth(&site.source_key),
    )
    .await
    .body;
    let shown = d
        .browser
        .run("return Object.fromEntries([...document.querySelectorAll('.import dl > div')].map((one) => [one.firstChild.textContent, one.lastChild.textContent]))")
        .await;
    for (name, field) in [
        ("Lines", "received"),
        ("Taken", "processed"),
        ("Rejected", "rejected"),
    ] {
        assert_ne!(api[field], 0, "{field}");
        assert_eq!(shown[name], number(&api[field]), "{name}");
    }
    let bars = "return [...document.querySelectorAll('.import progress')].map((one) => one.value / one.max)";
    assert_eq!(d.browser.run(bars).await, json!([1, 1, 1]));
    let rows = d.rows("Lines that were not taken").await;
    assert_eq!(rows, [["wrong_type", "", "1", "2"]]);
    let kept = "return JSON.stringify({...sessionStorage, ...localStorage}) + location.href";
    let kept = d.browser.run(kept).await;
    assert!(!kept.as_str().unwrap().contains("sls_"), "{kept}");
    d.nothing_wrong().await;
}

#[tokio::test]
async fn the_snippet_is_the_built_trackers() {
    let site = shared().new_site().await;
    site.send_ok(&batch(&[view("/", "u")])).await;
    // No admin token is needed.
    let d = Dashboard::open(site.clone(), "?view=settings&part=snippet&version=pinned").await;
    set(&d, "#snippet-key", &site.browser_key).await;
    d.browser.click("#option-3").await;
    let texts =
        "return [...document.querySelectorAll('.copyable pre')].map((one) => one.textContent)";
    eventually_is("both are there", 2, async || {
        d.browser.run(texts).await.as_array().unwrap().len()
    })
    .await;
    let shown = d.browser.run(texts).await;
    let (snippet, policy) = (shown[0].as_str().unwrap(), shown[1].as_str().unwrap());
    assert!(
        snippet.contains(&format!("data-key=\"{}\" data-errors>", site.browser_key)),
        "{snippet}"
    );
    assert!(d.query().await.contains("with=data-errors"));
    assert!(!d.query().await.contains("slb_"));
    let within = |text: &str, before: &str, after: &str| {
        let from = text.find(before).unwrap() + before.len();
        text[from..from + text[from..].find(after).unwrap()].to_owned()
    };
    let script = within(snippet, "src=\"", "\"");
    assert!(
        script.starts_with(&format!("{}/t/shoreline.", site.url)),
        "{script}"
    );
    let hash = format!(
        "fetch({}).then((answer) => answer.arrayBuffer()).then((bytes) => crypto.subtle.digest('SHA-384', bytes))\
         .then((digest) => 'sha384-' + btoa(String.fromCharCode(...new Uint8Array(digest))))",
        json!(script)
    );
    let hash = d.browser.value(&hash).await;
    assert_eq!(
        within(snippet, "integrity=\"", "\""),
        hash.as_str().unwrap()
    );
    // The page of the documentation says the same of the inline line.
    let docs = std::fs::read_to_string(shoreline_tests::root().join("docs/TRACKER.md")).unwrap();
    let stub = within(policy, "'sha256-", "'");
    assert!(docs.contains(&stub), "{policy}");
    assert!(
        policy.contains(&format!("script-src {script} 'wasm-unsafe-eval'")),
        "{policy}"
    );
    assert!(
        policy.contains(&format!("connect-src {}", site.url)),
        "{policy}"
    );
    // What is no key is not shown as one.
    set(&d, "#snippet-key", "\"><script>alert(1)</script>").await;
    let shown = d.browser.run(texts).await;
    assert!(!shown[0].as_str().unwrap().contains("alert"), "{shown}");
    d.nothing_wrong().await;
}
