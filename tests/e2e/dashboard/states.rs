//! What is shown where data could not be had.

use shoreline_tests::eventually;
use shoreline_tests::system::shared;

use super::Dashboard;
use crate::filled::fill;

#[tokio::test]
async fn without_a_network_what_is_there_stays_and_is_said_to_be_old() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), "").await;
    let sessions = d.figure("Sessions").await;
    // The code of the other view is loaded, its data is not.
    d.browser.click("#nav-features").await;
    d.ready().await;
    d.browser.click("#nav-overview").await;
    d.ready().await;
    d.browser.set_offline(true).await;
    d.browser.click("#figure-sessions").await;
    eventually("it is said to be old", async || {
        let state =
            "return document.querySelector('.headline.stale .panel-state')?.textContent ?? ''";
        let state = d.browser.run(state).await;
        state.as_str().unwrap().starts_with("As of ").then_some(())
    })
    .await;
    assert_eq!(d.figure("Sessions").await, sessions);
    d.browser.click("#nav-features").await;
    d.browser.click("#range").await;
    d.press("Yesterday").await;
    eventually("it says that nobody answered", async || {
        let state = "return document.querySelector('.failure')?.textContent ?? ''";
        let state = d.browser.run(state).await;
        state
            .as_str()
            .unwrap()
            .contains("cannot be reached")
            .then_some(())
    })
    .await;
    d.browser.set_offline(false).await;
    eventually("trying again helps", async || {
        let again = "document.querySelectorAll('.failure button').forEach((b) => b.click());\
            return document.querySelectorAll('.failure, .skeleton').length";
        (d.browser.run(again).await == 0).then_some(())
    })
    .await;
    assert!(!d.rows("Features").await.is_empty());
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_revoked_token_leads_back_to_the_door() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), "").await;
    // As if it had been revoked: the system's own cache of keys takes a minute.
    let script = "sessionStorage.setItem('shoreline-session', \
        JSON.stringify({read: 'slr_gone_aaaaaaaaaaaaaaaaaaaaaaaaaa', admin: ''})); location.reload()";
    d.browser.run(script).await;
    eventually("it says why", async || {
        let said = "return document.querySelector('.sign-in .bad')?.textContent ?? ''";
        let said = d.browser.run(said).await;
        said.as_str().unwrap().contains("refused").then_some(())
    })
    .await;
}
