//! Shared links on the page: made and revoked in the settings, opened with and without a password, framed.

use serde_json::{Value, json};
use shoreline_tests::browser::Browser;
use shoreline_tests::pages::{Page, Pages};
use shoreline_tests::site::Site;
use shoreline_tests::system::shared;
use shoreline_tests::{eventually, eventually_is};

use super::access::complaints;
use super::filters::{answer, encoded};
use super::settings::{admin, says, set};
use super::{Dashboard, number};
use crate::filled::fill;
use crate::links::{VIEWS, share};

/// Opens the page of a link.
async fn open(site: &Site, link: &Value, query: &str) -> Dashboard {
    let d = Dashboard::at_the_door(site.clone(), "").await;
    let path = link["path"]
        .as_str()
        .unwrap()
        .replace('#', &format!("{query}#"));
    d.browser.open(&format!("{}{path}", site.url)).await;
    d
}

/// What the navigation offers.
async fn offered(d: &Dashboard) -> Value {
    let names = "return [...document.querySelectorAll('.nav a')].map((one) => one.id.slice(4))";
    d.browser.run(names).await
}

#[tokio::test]
async fn a_link_is_made_opened_and_revoked() {
    let site = shared().new_site().await;
    fill(&site).await;
    let filter = json!(["is", "platform", ["web"]]);
    let place = format!("?view=settings&part=links&filters={}", encoded(&filter));
    let d = admin(site.clone(), &place).await;
    says(&d, "#main", "Nothing is shared.").await;
    d.press("Make a link").await;
    says(&d, "#f-name-wrong", "fill").await;
    set(&d, "#f-name", "The board").await;
    d.browser.click("#share-pages").await;
    d.press("Make a link").await;
    eventually_is("it is listed", json!(1), async || {
        json!(d.rows("Shared links").await.len())
    })
    .await;
    let row = d.rows("Shared links").await.remove(0);
    assert_eq!(
        row[..3],
        ["The board", "Overview, Pages & sources", "Platform is web"],
        "{row:?}"
    );
    assert_eq!(complaints(&d).await, Vec::<String>::new());
    let url = d.browser.text(".shown-key pre").await;
    assert!(url.starts_with(&format!("{}/shared/", site.url)), "{url}");

    let guest = Dashboard::at_the_door(site.clone(), "").await;
    guest.browser.open(&url).await;
    guest.ready().await;
    assert_eq!(offered(&guest).await, json!(["overview", "pages"]));
    // The figures are those of the link's events, whatever the guest does.
    let asked = json!({"metrics": ["users", "events"], "range": "30d", "filters": filter});
    let api = answer(&site, asked).await;
    assert_eq!(
        guest.figure("Active users").await,
        number(&api["totals"][0])
    );
    let main = guest.browser.text("#main").await;
    assert!(main.contains("Always: Platform is web"), "{main}");
    for (scheme, width) in [("light", 1280), ("dark", 360)] {
        guest.scheme(scheme).await;
        guest.resize(width, 900).await;
        assert_eq!(complaints(&guest).await, Vec::<String>::new(), "{scheme}");
    }
    guest.resize(1280, 900).await;
    // A place of it is a link, too: what the URL says is shown again.
    guest.browser.click("#nav-pages").await;
    guest.ready().await;
    let place = guest.browser.run("return location.href").await;
    assert!(
        place.as_str().unwrap().contains("?view=pages#slv_"),
        "{place}"
    );
    guest.browser.open(place.as_str().unwrap()).await;
    guest.ready().await;
    assert_eq!(guest.browser.text("h1").await, "Pages & sources");
    let failures = "return document.querySelectorAll('.failure').length";
    assert_eq!(guest.browser.run(failures).await, 0);
    // Nothing of it stays in the browser, and a view that was not chosen is not there.
    let kept = "return [sessionStorage.length, document.cookie, JSON.stringify({...localStorage}).includes('slv_')]";
    assert_eq!(guest.browser.run(kept).await, json!([0, "", false]));
    guest
        .browser
        .run(
            "history.replaceState(null, '', '?view=settings' + location.hash); \
        dispatchEvent(new Event('popstate'))",
        )
        .await;
    guest.ready().await;
    assert_eq!(guest.browser.text("h1").await, "Overview");
    guest.nothing_wrong().await;

    // The head of the column says the same.
    d.browser.click("[id^=revoke-]").await;
    d.browser.click("dialog .danger").await;
    says(&d, "#main", "Nothing is shared.").await;
    d.nothing_wrong().await;
    guest.browser.open(&url).await;
    let gone = async || {
        let text = guest.browser.run("return document.body.textContent").await;
        text.as_str().unwrap().contains("not_found").then_some(())
    };
    eventually("the page is gone", gone).await;
}

#[tokio::test]
async fn every_view_of_a_link_shows_what_it_may() {
    let site = shared().new_site().await;
    fill(&site).await;
    let wide = share(&site, json!({"views": VIEWS})).await;
    let narrowed: Vec<&str> = VIEWS
        .into_iter()
        .filter(|view| *view != "properties")
        .collect();
    let narrow = share(
        &site,
        json!({"views": narrowed, "filters": ["is", "platform", "web"]}),
    )
    .await;
    for (link, views) in [(&wide, &VIEWS[..]), (&narrow, &narrowed[..])] {
        let d = open(&site, link, "").await;
        d.ready().await;
        assert_eq!(offered(&d).await, json!(views));
        for view in views {
            d.browser.click(&format!("#nav-{view}")).await;
            let shown = format!("return !!document.querySelector('.view-{view}')");
            eventually_is("the view is there", json!(true), async || {
                d.browser.run(&shown).await
            })
            .await;
            d.ready().await;
            let failed =
                "return [...document.querySelectorAll('.failure')].map((one) => one.textContent)";
            assert_eq!(d.browser.run(failed).await, json!([]), "{view}");
        }
        d.nothing_wrong().await;
        // No single user or event was asked for, and nothing was refused.
        let asked = "return performance.getEntriesByType('resource')\
            .filter((one) => one.name.includes('/v1/') && one.responseStatus >= 400).map((one) => one.name)";
        assert_eq!(d.browser.run(asked).await, json!([]));
    }
}

#[tokio::test]
async fn a_link_with_a_password_asks_for_it() {
    let site = shared().new_site().await;
    fill(&site).await;
    let link = share(&site, json!({"views": ["pages"], "password": "p4ssword!"})).await;
    let d = open(&site, &link, "").await;
    says(&d, "#main", "with a password").await;
    assert_eq!(complaints(&d).await, Vec::<String>::new());
    set(&d, "#f-password", "p4ssword?").await;
    d.press("Open").await;
    says(&d, "#f-password-wrong", "not the password").await;
    set(&d, "#f-password", "p4ssword!").await;
    d.press("Open").await;
    d.ready().await;
    assert_eq!(offered(&d).await, json!(["pages"]));
    d.nothing_wrong().await;
    // Without its token the address opens nothing.
    let path = link["path"].as_str().unwrap();
    let bare = path.split('#').next().unwrap();
    let other = Dashboard::at_the_door(site.clone(), "").await;
    other.browser.open(&format!("{}{bare}", site.url)).await;
    says(&other, "#main", "not whole").await;
}

#[tokio::test]
async fn a_link_is_framed_by_the_pages_that_may() {
    let site = shared().new_site().await;
    fill(&site).await;
    let browser = Browser::start().await;
    for (origins, want) in [
        (json!(["http://localhost:*"]), true),
        (json!(["https://other.example"]), false),
    ] {
        let link = share(&site, json!({"views": ["pages"], "origins": origins})).await;
        let url = format!("{}{}", site.url, link["path"].as_str().unwrap());
        let body = format!("<iframe src=\"{url}\" width=1000 height=800></iframe>");
        let page = Pages::serve(Page {
            body,
            ..Page::default()
        })
        .await;
        // Another origin, by its port.
        assert_ne!(site.url, page.url);
        browser.open(&format!("{}/", page.url)).await;
        browser.driver().enter_frame(0).await.unwrap();
        let shown = eventually("the frame has something", async || {
            let text = browser
                .run("return document.body ? document.body.textContent : ''")
                .await;
            let text = text.as_str().unwrap_or_default().to_owned();
            let is_blocked = browser.run("return location.protocol").await == "chrome-error:";
            (is_blocked || text.contains("Top pages") || text.contains("Entry pages"))
                .then_some(text)
        })
        .await;
        assert_eq!(shown.contains("Entry pages"), want, "{shown}");
    }
}
