//! Where the focus is after something was done: where the keyboard goes on, and not at the top of the page.

use serde_json::json;
use shoreline_tests::eventually_is;
use shoreline_tests::system::shared;

use super::filters::encoded;
use super::settings::{admin, says};
use super::{Dashboard, date_range};
use crate::filled::fill;

/// Waits until an element has the focus: by its id, else its class, else its text.
async fn is_at(d: &Dashboard, want: &str) {
    let focus = "const one = document.activeElement; \
        return one === document.body ? 'body' : one.id || one.className || one.textContent";
    eventually_is("the focus", json!(want), async || {
        d.browser.run(focus).await
    })
    .await;
}

/// Moves the focus to an element and presses Enter there, as who has no mouse does.
async fn enter(d: &Dashboard, css: &str, text: &str) {
    let focus = format!(
        "[...document.querySelectorAll({})].find((one) => one.textContent.includes({})).focus()",
        json!(css),
        json!(text)
    );
    d.browser.run(&focus).await;
    for kind in ["keyDown", "keyUp"] {
        let text = if kind == "keyDown" { "\r" } else { "" };
        let event = json!({"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": text});
        d.browser.devtools("Input.dispatchKeyEvent", event).await;
    }
}

#[tokio::test]
async fn after_signing_in_the_view_has_it() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::at_the_door(site, "").await;
    is_at(&d, "read-token").await;
    d.sign_in(&d.site.read_token.clone()).await;
    d.ready().await;
    is_at(&d, "main").await;
    // A page that was just loaded begins at its top.
    d.go("").await;
    is_at(&d, "body").await;
    d.press("Sign out").await;
    is_at(&d, "read-token").await;
}

#[tokio::test]
async fn after_a_choice_of_days_their_button_has_it() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site, "").await;
    for choice in ["Yesterday", "Last 7 days"] {
        enter(&d, "#range", "").await;
        enter(&d, ".range a", choice).await;
        d.ready().await;
        is_at(&d, "range").await;
        let open = "return document.querySelector('.range').open";
        assert_eq!(d.browser.run(open).await, false, "{choice}");
    }
    enter(&d, "#range", "").await;
    let (from, to) = date_range();
    let days = format!(
        "document.querySelector('#range-from').value = '{from}'; \
         document.querySelector('#range-to').value = '{to}'"
    );
    d.browser.run(&days).await;
    enter(&d, ".range button", "Apply").await;
    d.ready().await;
    assert_eq!(d.query().await, format!("?from={from}&to={to}"));
    is_at(&d, "range").await;
    // With a mouse, too.
    d.browser.click("#range").await;
    d.browser.click(".range li:first-child a").await;
    d.ready().await;
    is_at(&d, "range").await;
}

#[tokio::test]
async fn what_goes_when_it_is_pressed_leaves_it_in_the_view() {
    let site = shared().new_site().await;
    fill(&site).await;
    let filter = encoded(&json!(["is", "page", ["/2"]]));
    let d = Dashboard::open(site, &format!("?view=pages&filters={filter}")).await;
    enter(&d, "#remove-0", "").await;
    d.ready().await;
    assert_eq!(d.query().await, "?view=pages");
    is_at(&d, "main").await;
    // And a row that is there again has it again.
    enter(&d, ".row-link", "/2").await;
    d.ready().await;
    is_at(&d, "row-link").await;
    // A button that was busy.
    enter(&d, ".icon-button", "CSV").await;
    is_at(&d, "icon-button").await;
}

#[tokio::test]
async fn a_form_that_was_sent_keeps_it() {
    let d = admin(shared().new_site().await, "?view=settings").await;
    enter(&d, ".form button", "Save").await;
    says(&d, ".form-said", "Saved").await;
    is_at(&d, "button primary").await;
}
