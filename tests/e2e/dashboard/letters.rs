//! Dead letters: shown to the admin alone, and replayed until they are stored.

use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::site::reply;
use shoreline_tests::system::{StateDir, System, shared};
use shoreline_tests::{PATIENCE, eventually, eventually_is, within};

use super::Dashboard;
use super::settings::admin;
use crate::archives;
use crate::filled::fill;

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

#[tokio::test]
async fn a_token_that_is_none_shows_no_dead_letters() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), "?view=quality").await;
    let give = async |token: &str| {
        let script = format!(
            "document.querySelector('#f-admin-token').value = {}; document.querySelector('.gate form').requestSubmit()",
            json!(token)
        );
        d.browser.run(&script).await;
    };
    give("sla_wrong").await;
    eventually("it is refused", async || {
        let said = d.browser.text(".gate").await;
        said.contains("unknown, expired or revoked").then_some(())
    })
    .await;
    give(&site.admin_token).await;
    eventually("the list is there", async || {
        let there = "return !!document.querySelector('#replay-all')";
        (d.browser.run(there).await == true).then_some(())
    })
    .await;
    d.ready().await;
    let answer = reply(
        shoreline_tests::client()
            .get(format!("{}/v1/dead-letters?siteId={}", site.url, site.id))
            .bearer_auth(&site.admin_token),
    )
    .await;
    assert_eq!(list(&answer.body["deadLetters"]).len(), 0);
    let text = d.browser.text("#main").await;
    assert!(text.contains("No dead letters."), "{text}");
    let kept =
        "return [location.href, JSON.stringify({...localStorage}), document.cookie].join(' ')";
    let kept = d.browser.run(kept).await;
    assert!(!kept.as_str().unwrap().contains("sla_"), "{kept}");
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_dead_letter_is_replayed() {
    let system = System::start(&StateDir::new());
    let site = system.demo();
    let poison = batch(&[view("/poison", "u"), view("/poison-too", "u")]);
    let id = poison["events"][0]["eventId"].as_str().unwrap();
    site.send_ok(&batch(&[view("/good", "u")])).await;
    site.settle().await;
    let reason = "constraint <img src=x onerror=window.hit=1>";
    archives::poison(&site.state, id, Some(reason));
    site.send_ok(&poison).await;
    let list_path = format!("{}/v1/dead-letters", site.url);
    let listed = async || {
        let call = shoreline_tests::client()
            .get(&list_path)
            .bearer_auth(&site.admin_token);
        list(&reply(call).await.body["deadLetters"]).clone()
    };
    // The queue tries five times, five seconds apart, whatever else the machine does.
    within(3 * PATIENCE, "it is a dead letter", async || {
        (!listed().await.is_empty()).then_some(())
    })
    .await;
    // Nothing else may count a try meanwhile.
    site.settle().await;
    let d = admin(site.clone(), "?view=quality").await;
    let rows = d.rows("Dead letters").await;
    assert_eq!(rows.len(), 1);
    assert!(
        rows[0][0].contains("<img src=x onerror=window.hit=1>"),
        "{rows:?}"
    );
    assert_eq!(rows[0][1], "2", "events");

    let said = async |want: &str| {
        eventually(want, async || {
            let said = "return document.querySelector('.replay-said')?.textContent ?? ''";
            (d.browser.run(said).await == want).then_some(())
        })
        .await;
    };
    d.browser.click("tbody .button").await;
    said("Replayed 1: 0 stored, 1 failed again.").await;
    archives::poison(&site.state, id, None);
    d.press("Replay all").await;
    said("Replayed 1: 1 stored.").await;
    eventually_is("the list is empty", 0, async || {
        d.rows("Dead letters").await.len()
    })
    .await;
    assert!(listed().await.is_empty());
    site.settle().await;
    assert_eq!(site.stored().await.len(), 3);
    assert_eq!(d.browser.run("return window.hit ?? 0").await, 0);
    d.nothing_wrong().await;
}
