//! For everybody: axe-core on every view in both themes, the keyboard alone, three widths.

use serde_json::{Value, json};
use shoreline_tests::browser::Browser;
use shoreline_tests::root;
use shoreline_tests::system::shared;

use super::{Dashboard, VIEWS};
use crate::filled::fill;

/// What axe-core has against the dashboard, in short.
pub(super) async fn complaints(d: &Dashboard) -> Vec<String> {
    complaints_of(&d.browser).await
}

/// The same of what hangs on the theme: its colours. Everything else was looked at in the other theme.
pub(super) async fn complaints_of_colours(d: &Dashboard) -> Vec<String> {
    let rules = json!({"runOnly": ["color-contrast", "link-in-text-block"]});
    complaints_by(&d.browser, rules).await
}

/// What axe-core has against a page, in short.
pub(crate) async fn complaints_of(browser: &Browser) -> Vec<String> {
    complaints_by(browser, json!({})).await
}

async fn complaints_by(browser: &Browser, mut options: Value) -> Vec<String> {
    options["resultTypes"] = json!(["violations"]);
    let path = root().join("node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(path).unwrap();
    browser.run(&axe).await;
    let run = format!("axe.run(document, {options}).then(({{violations}}) => violations)");
    let found = browser.value(&run).await;
    let list = found.as_array().unwrap().iter();
    list.map(|one| {
        let nodes = one["nodes"].as_array().unwrap().iter();
        let where_: Vec<String> = nodes
            .map(|node| format!("{} {}", node["target"], node["any"][0]["message"]))
            .collect();
        format!("{}: {}", one["id"], where_.join(" | "))
    })
    .collect()
}

#[tokio::test]
async fn axe_finds_nothing_in_either_theme() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::at_the_door(site.clone(), "").await;
    for scheme in ["light", "dark"] {
        d.scheme(scheme).await;
        assert_eq!(
            complaints(&d).await,
            Vec::<String>::new(),
            "{scheme} sign in"
        );
    }
    d.sign_in(&site.read_token).await;
    d.ready().await;
    for view in VIEWS {
        for (scheme, width) in [("light", 1280), ("dark", 1280), ("dark", 360)] {
            d.resize(width, 1000).await;
            d.scheme(scheme).await;
            d.go(&format!("?view={view}")).await;
            d.nothing_wrong().await;
            let found = match (scheme, width) {
                ("dark", 1280) => complaints_of_colours(&d).await,
                _ => complaints(&d).await,
            };
            assert_eq!(found, Vec::<String>::new(), "{view} {scheme} {width}");
        }
    }
    // What a click opens.
    d.resize(1280, 1000).await;
    d.go("?view=features&filters=%5B%22is%22%2C%22feature%22%2C%5B%22f1%22%5D%5D")
        .await;
    d.browser
        .run("document.querySelectorAll('details').forEach((e) => { e.open = true })")
        .await;
    assert_eq!(complaints(&d).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_first_pages_are_for_everybody_too() {
    let site = shared().new_site().await;
    let d = Dashboard::at_the_door(site.clone(), "").await;
    d.sign_in(&site.read_token).await;
    shoreline_tests::eventually("it tells what to paste", async || {
        let there = "return !!document.querySelector('.onboarding')";
        (d.browser.run(there).await == true).then_some(())
    })
    .await;
    for scheme in ["light", "dark"] {
        d.scheme(scheme).await;
        assert_eq!(complaints(&d).await, Vec::<String>::new(), "{scheme}");
    }
    d.nothing_wrong().await;
}

#[tokio::test]
async fn the_theme_is_chosen_and_kept() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site, "").await;
    d.scheme("light").await;
    let ground = "return getComputedStyle(document.body).backgroundColor";
    let light = d.browser.run(ground).await;
    let choose = "const list = document.querySelector('#theme'); list.value = 'dark'; \
        list.dispatchEvent(new Event('change'))";
    d.browser.run(choose).await;
    let dark = d.browser.run(ground).await;
    assert_ne!(light, dark);
    d.go("?view=features").await;
    assert_eq!(d.browser.run(ground).await, dark);
    d.nothing_wrong().await;
}

#[tokio::test]
async fn no_width_makes_the_page_scroll_sideways_and_nothing_moves() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site, "").await;
    let shift = "return new Promise((done) => { let sum = 0; new PerformanceObserver((list) => { \
        for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value }) \
        .observe({type: 'layout-shift', buffered: true}); requestAnimationFrame(() => setTimeout(() => done(sum), 0)) })";
    for (width, height) in [(360, 800), (1280, 800), (3840, 2160)] {
        d.resize(width, height).await;
        for view in VIEWS {
            for scheme in d.pictured_schemes() {
                d.scheme(scheme).await;
                d.go(&format!("?view={view}")).await;
                let wide = "return document.documentElement.scrollWidth - innerWidth";
                let over = d.browser.run(wide).await;
                assert!(over.as_i64().unwrap() <= 0, "{view} {width}: {over}");
                let moved = d.browser.run(shift).await.as_f64().unwrap();
                assert!(moved < 0.1, "{view} {width}: layout shift {moved}");
                d.screenshot(&format!("{view}-{width}-{scheme}")).await;
            }
        }
    }
    d.nothing_wrong().await;
}

#[tokio::test]
async fn the_keyboard_alone_reaches_everything() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site, "").await;
    // From the top of a page that was just loaded.
    d.go("").await;
    let key = async |name: &str, code: u32| {
        for kind in ["rawKeyDown", "keyUp"] {
            let text = if name == "Enter" && kind == "rawKeyDown" {
                "\r"
            } else {
                ""
            };
            let kind = if text.is_empty() { kind } else { "keyDown" };
            let event = json!({"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code, "text": text});
            d.browser.devtools("Input.dispatchKeyEvent", event).await;
        }
    };
    let mut reached: Vec<String> = Vec::new();
    for _ in 0..120 {
        key("Tab", 9).await;
        let now = "const e = document.activeElement; return e === document.body ? '' : \
            e.id || e.className || e.textContent.slice(0, 20)";
        let Value::String(name) = d.browser.run(now).await else {
            panic!("no name")
        };
        if name.is_empty() || (name == "skip" && !reached.is_empty()) {
            break;
        }
        reached.push(name);
    }
    for want in [
        "skip",
        "nav-overview",
        "nav-settings",
        "theme",
        "range",
        "figure-sessions",
        "row-link",
    ] {
        assert!(
            reached.iter().any(|name| name == want),
            "{want}: {reached:?}"
        );
    }
    d.browser
        .run("document.querySelector('#figure-sessions').focus()")
        .await;
    key("Enter", 13).await;
    d.ready().await;
    assert_eq!(d.query().await, "?metric=sessions");
    let focus = d.browser.run("return document.activeElement.id").await;
    assert_eq!(focus, "figure-sessions", "the focus stays where it was");
    d.browser
        .run("document.querySelector('#range').focus()")
        .await;
    key("Enter", 13).await;
    let open = "return document.querySelector('.range').open";
    assert_eq!(d.browser.run(open).await, true);
    key("Escape", 27).await;
    assert_eq!(d.browser.run(open).await, false);
    assert_eq!(
        d.browser.run("return document.activeElement.id").await,
        "range"
    );
    d.nothing_wrong().await;
}
