//! Settings: sites and keys, each done on the page and seen by the API.

use reqwest::Method;
use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::shared;
use shoreline_tests::{eventually, eventually_is};

use super::Dashboard;

/// Signed in with the admin token too.
pub(super) async fn admin(site: Site, query: &str) -> Dashboard {
    let d = Dashboard::at_the_door(site, query).await;
    eventually("the form is there", async || {
        let there = "return !!document.querySelector('#admin-token')";
        (d.browser.run(there).await == true).then_some(())
    })
    .await;
    let script = format!(
        "document.querySelector('#admin-token').value = {}",
        json!(d.site.admin_token)
    );
    d.browser.run(&script).await;
    d.sign_in(&d.site.read_token.clone()).await;
    d.ready().await;
    d
}

/// What the API says to the holder of the admin token.
async fn call(site: &Site, method: Method, path: &str) -> Value {
    let url = format!("{}{path}", site.url);
    let answer = reply(
        shoreline_tests::client()
            .request(method, url)
            .bearer_auth(&site.admin_token),
    )
    .await;
    assert!(answer.status < 300, "{path}: {}", answer.body);
    answer.body
}

/// Types into a field.
pub(super) async fn set(d: &Dashboard, css: &str, text: &str) {
    let script = format!(
        "const one = document.querySelector({}); one.value = {}; \
         one.dispatchEvent(new Event('input', {{bubbles: true}}))",
        json!(css),
        json!(text)
    );
    d.browser.run(&script).await;
}

/// Waits until an element says this.
pub(super) async fn says(d: &Dashboard, css: &str, want: &str) {
    let script = format!(
        "return document.querySelector({})?.textContent ?? ''",
        json!(css)
    );
    eventually(want, async || {
        let said = d.browser.run(&script).await;
        said.as_str().unwrap().contains(want).then_some(())
    })
    .await;
}

const BAD_NAME: &str = "<img src=x onerror=\"window.hit=1\">";

#[tokio::test]
async fn a_site_is_made_changed_and_given_a_key() {
    let own = shared().new_site().await;
    let id = format!("{}-made", own.id);
    let d = admin(own.clone(), "?view=settings&new=1").await;
    let rows = d.rows("Sites").await;
    assert!(rows.iter().any(|row| row[0] == own.id), "{rows:?}");

    // What is wrong is said at its field, by the page and by the API.
    set(&d, "#f-siteId", "Not An Id").await;
    d.press("Create site").await;
    says(&d, "#f-siteId-wrong", "match").await;
    set(&d, "#f-siteId", &own.id).await;
    d.press("Create site").await;
    says(&d, "#f-siteId-wrong", "one of this id already").await;
    set(&d, "#f-siteId", &id).await;
    set(&d, "#f-origins", "shop.example").await;
    d.press("Create site").await;
    says(&d, "#f-origins-wrong", "of the form https://host").await;
    let focus = "return document.activeElement.id";
    assert_eq!(d.browser.run(focus).await, "f-origins");

    // Of many, those that are wrong, and the first is selected.
    let many = "https://shop.example\n\n https://a/b\nhttp://localhost:*\nftp://files.example";
    set(&d, "#f-origins", many).await;
    d.press("Create site").await;
    says(
        &d,
        "#f-origins-wrong",
        "Line 3, https://a/b; Line 5, ftp://files.example: ",
    )
    .await;
    let chosen = "const one = document.activeElement; \
        return one.value.slice(one.selectionStart, one.selectionEnd).trim()";
    assert_eq!(d.browser.run(chosen).await, "https://a/b");

    set(
        &d,
        "#f-origins",
        "https://shop.example\nhttps://*.shop.example",
    )
    .await;
    set(&d, "#f-name", BAD_NAME).await;
    set(&d, "#f-hourlyQuota", "5000").await;
    d.press("Create site").await;
    says(&d, "#main", "A key itself is stored nowhere").await;
    d.ready().await;
    let sites = call(&own, Method::GET, "/v1/sites").await;
    let sites = sites["sites"].as_array().unwrap();
    let made = sites.iter().find(|one| one["siteId"] == *id).unwrap();
    assert_eq!(
        made["origins"],
        json!(["https://shop.example", "https://*.shop.example"])
    );
    assert_eq!(made["name"], BAD_NAME);
    assert_eq!(made["hourlyQuota"], 5000);

    // A key, shown once, works.
    d.press("Make a key").await;
    says(&d, ".shown-key", "shown this once").await;
    let key = d
        .browser
        .run("return document.querySelector('.shown-key pre').textContent")
        .await;
    let key = key.as_str().unwrap();
    assert!(key.starts_with(&format!("slb_{id}_")), "{key}");
    let site = Site {
        id: id.clone(),
        browser_key: key.to_owned(),
        origin: "https://shop.example".into(),
        ..own.clone()
    };
    site.send_ok(&batch(&[view("/", "u1")])).await;
    eventually_is("it is listed", 1, async || d.rows("Keys").await.len()).await;
    d.go(&format!("?view=settings&part=keys&site={id}")).await;
    let text = d.browser.text("#main").await;
    assert!(!text.contains(key), "it is shown once");

    // Revoked, after a question that can be answered with no.
    d.press("Revoke").await;
    d.press("Cancel").await;
    let path = format!("/v1/sites/{id}/keys");
    let keys = call(&own, Method::GET, &path).await;
    assert_eq!(keys["keys"][0]["revokedAt"], Value::Null);
    d.press("Revoke").await;
    d.browser.click(".ask [type=submit]").await;
    eventually("it is said to have ended", async || {
        let rows = d.rows("Keys").await;
        rows.first()?[3].starts_with("Ended ").then_some(())
    })
    .await;
    let keys = call(&own, Method::GET, &path).await;
    assert!(keys["keys"][0]["revokedAt"].is_number(), "{keys}");

    // Changed: what the form does not show stays.
    d.go(&format!("?view=settings&site={id}")).await;
    let name = "return document.querySelector('#f-name').value";
    assert_eq!(d.browser.run(name).await, BAD_NAME);
    set(&d, "#f-origins", "https://other.example").await;
    set(&d, "#f-domain", &own.domain).await;
    d.press("Save").await;
    says(&d, ".form-said", "one of this id already").await;
    set(&d, "#f-domain", "").await;
    d.press("Save").await;
    says(&d, ".form-said", "Saved").await;
    let sites = call(&own, Method::GET, "/v1/sites").await;
    let sites = sites["sites"].as_array().unwrap();
    let made = sites.iter().find(|one| one["siteId"] == *id).unwrap();
    assert_eq!(made["origins"], json!(["https://other.example"]));
    assert_eq!(made["hourlyQuota"], 5000);
    assert_eq!(d.browser.run("return window.hit ?? 0").await, 0);
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_read_key_opens_its_site_and_the_admin_token_is_forgotten() {
    let own = shared().new_site().await;
    let other = shared().new_site().await;
    let d = admin(
        own.clone(),
        &format!("?view=settings&part=keys&site={}", other.id),
    )
    .await;
    set(&d, "#f-kind", "read").await;
    d.press("Make a key").await;
    let open = format!("Open the dashboard of {} with it", other.id);
    says(&d, ".shown-key", &open).await;
    d.press(&open).await;
    eventually_is("it is the other site's", json!(other.id), async || {
        d.browser
            .run("return document.querySelector('.side .site')?.textContent")
            .await
    })
    .await;
    d.ready().await;
    d.press("Forget the admin token").await;
    says(&d, "#main", "need the admin token").await;
    let kept = d
        .browser
        .run("return JSON.stringify({...sessionStorage})")
        .await;
    assert!(!kept.as_str().unwrap().contains("sla_"), "{kept}");
    assert!(!d.query().await.contains("slr_"));
    d.nothing_wrong().await;
}
