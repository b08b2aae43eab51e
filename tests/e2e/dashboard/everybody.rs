//! The tabs of the views and what the admin sees: axe-core in both themes, three widths, hostile names.

use serde_json::json;
use shoreline_tests::events::{batch, view};
use shoreline_tests::system::shared;

use super::access::{complaints, complaints_of_colours};
use super::hostile::{NAMES, event};
use super::settings::admin;
use crate::filled::fill;

/// What no view shows at first.
const PLACES: [&str; 12] = [
    "pages&by=country",
    "pages&by=when",
    "properties&eventType=page_view&property=path",
    "funnels&tab=retention",
    "funnels&tab=journeys",
    "quality&hours=168",
    "settings",
    "settings&new=1",
    "settings&part=keys",
    "settings&part=snippet&version=pinned",
    "settings&part=people",
    "settings&part=imports",
];

#[tokio::test]
async fn axe_finds_nothing_behind_tabs_either_and_no_width_scrolls() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = admin(site, "").await;
    for place in PLACES {
        for (width, height) in [(360, 800), (1280, 800), (3840, 2160)] {
            d.resize(width, height).await;
            for scheme in ["light", "dark"] {
                d.scheme(scheme).await;
                d.go(&format!("?view={place}")).await;
                let over = "return document.documentElement.scrollWidth - innerWidth";
                let over = d.browser.run(over).await;
                assert!(over.as_i64().unwrap() <= 0, "{place} {width}: {over}");
                if width < 3840 {
                    let found = match scheme {
                        "light" => complaints(&d).await,
                        _ => complaints_of_colours(&d).await,
                    };
                    assert_eq!(found, Vec::<String>::new(), "{place} {width} {scheme}");
                }
                let name = place.replace(['&', '='], "-");
                d.screenshot(&format!("{name}-{width}-{scheme}")).await;
            }
        }
    }
    // A question, which stands above all.
    d.resize(1280, 800).await;
    for scheme in ["light", "dark"] {
        d.scheme(scheme).await;
        d.go("?view=settings&part=keys").await;
        d.browser.click(".keys .danger").await;
        assert_eq!(complaints(&d).await, Vec::<String>::new(), "{scheme}");
        let inside = "return !!document.activeElement.closest('dialog')";
        assert_eq!(d.browser.run(inside).await, true);
        d.press("Cancel").await;
        let back = "return document.activeElement.textContent";
        assert_eq!(d.browser.run(back).await, "Revoke");
    }
    d.nothing_wrong().await;
}

#[tokio::test]
async fn names_stay_text_behind_tabs_too() {
    let site = shared().new_site().await;
    for name in NAMES {
        let page = json!({"path": format!("/{name}")});
        let error = json!({"message": name, "source": name, "stack": name, "url": name});
        let events = [
            event("page_view", name, page),
            event("feature_use", name, json!({"feature": name})),
            event("error", name, error),
            view("/", name),
        ];
        site.send_ok(&batch(&events)).await;
    }
    site.settle().await;
    let d = admin(site, "").await;
    let chosen = NAMES.iter().flat_map(|name| {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        [
            "funnels&s1",
            "funnels&s1=page_view&p1",
            "funnels&s1=feature_use&f1",
            "funnels&window",
            "funnels&tab",
            "errors&filters",
            "errors&page",
            "quality&hours",
            "settings&site",
            "settings&part=keys&site",
            "settings&part=people&site",
            "settings&part=snippet&site",
            "settings&part=snippet&with",
        ]
        .map(|place| format!("{place}={encoded}"))
    });
    let places = PLACES.iter().map(|place| (*place).to_owned());
    for place in places.chain(chosen) {
        d.go(&format!("?view={place}")).await;
        d.browser
            .run("document.querySelectorAll('details').forEach((e) => { e.open = true })")
            .await;
        let foreign = "return [window.hit ?? null, document.querySelectorAll('#app img, #app script, #app [onload], #app [onerror], #app [href^=\"javascript:\"]').length]";
        assert_eq!(d.browser.run(foreign).await, json!([null, 0]), "{place}");
        d.nothing_wrong().await;
    }
}
