//! Visitors who do not want to be counted, or not to be known.

use serde_json::Value;
use shoreline_tests::events::{batch, view};
use shoreline_tests::visit::{Setup, Visit};

/// Shows that nothing arrived: what is sent now does, and it alone.
async fn nothing_arrived(visit: &Visit) {
    visit.flush().await;
    assert_eq!(visit.proxy.posts().len(), 0);
    visit.site.send_ok(&batch(&[view("/marker", "u")])).await;
    shoreline_tests::eventually_is("the marker alone is stored", 1, async || {
        visit.site.stored().await.len()
    })
    .await;
}

fn all_anonymous(events: &[Value]) {
    for event in events {
        for field in ["userId", "sessionId"] {
            let id = event[field].as_str().unwrap();
            assert!(id.starts_with("anon-"), "{field} {id}");
        }
    }
}

#[tokio::test]
async fn who_asks_all_sites_for_privacy_is_unknown_from_page_to_page() {
    for (property, value, header) in [
        ("globalPrivacyControl", "true", "sec-gpc"),
        ("doNotTrack", "'1'", "dnt"),
    ] {
        let asks = format!("Object.defineProperty(navigator, '{property}', {{ value: {value} }})");
        let visit = Visit::begin(Setup::script(&asks)).await;
        visit.proxy.add_header(header, "1");
        visit.go("/").await;
        let mut want = visit.features("f", 30).await;
        visit.flush().await;
        assert_eq!(visit.kept().await, []);
        visit.go("/next").await;
        visit.flush().await;
        assert_eq!(visit.kept().await, []);
        want.extend(["page_view /".to_owned(), "page_view /next".to_owned()]);
        all_anonymous(&visit.arrived(&want).await);
        assert_eq!(visit.browser.run("return document.cookie").await, "");
        // Not by anything that was sent, either.
        let view_of = |path: &str| {
            let posts = visit.proxy.taken();
            let mut events = posts
                .iter()
                .flat_map(|post| post.body["events"].as_array().unwrap().clone());
            let is_it = |event: &Value| {
                let url = event["eventData"]["url"].as_str().unwrap_or_default();
                event["eventType"] == "page_view" && url.ends_with(path)
            };
            events.find(is_it).unwrap()
        };
        let (first, next) = (view_of(&format!("{}/", visit.pages.url)), view_of("/next"));
        for field in ["userId", "sessionId"] {
            assert_ne!(first[field], next[field], "{field}");
        }
    }
}

#[tokio::test]
async fn a_page_may_keep_nothing_with_anybody() {
    let visit = Visit::open(Setup::attributes("data-storage=none")).await;
    let mut want = visit.features("f", 30).await;
    visit.flush().await;
    assert_eq!(visit.kept().await, []);
    visit.go("/next").await;
    visit.flush().await;
    assert_eq!(visit.kept().await, []);
    want.extend(["page_view /".to_owned(), "page_view /next".to_owned()]);
    let events = visit.arrived(&want).await;
    // The edge's hash of the day makes one visitor of both pages.
    all_anonymous(&events);
    assert!(
        events
            .iter()
            .all(|event| event["userId"] == events[0]["userId"])
    );
}

#[tokio::test]
async fn without_consent_nothing_is_kept_or_sent_and_with_it_all_that_follows() {
    let visit = Visit::open(Setup::attributes("data-consent=denied")).await;
    visit.features("before", 10).await;
    visit.flush().await;
    assert_eq!(visit.kept().await, []);
    assert_eq!(visit.proxy.posts().len(), 0);
    visit.browser.run("shoreline('consent', 'granted')").await;
    let mut want = visit.features("granted", 10).await;
    visit.flush().await;
    want.push("page_view /".to_owned());
    let events = visit.arrived(&want).await;
    assert!(!visit.kept().await.is_empty());
    // On the next page it still holds.
    visit.go("/next").await;
    visit.flush().await;
    want.push("page_view /next".to_owned());
    let later = visit.arrived(&want).await;
    assert_eq!(later.last().unwrap()["userId"], events[0]["userId"]);
}

#[tokio::test]
async fn consent_withdrawn_clears_what_waits_and_what_is_kept() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    let count = "window.lost = 0; shoreline.on('dropped', ({ events }) => { lost += events })";
    visit.browser.run(count).await;
    visit
        .proxy
        .set(shoreline_tests::proxy::Fault::Answer(503, None));
    visit.features("waiting", 30).await;
    visit.flush().await;
    let sent = visit.proxy.posts().len();
    visit.browser.run("shoreline('consent', 'denied')").await;
    visit.features("denied", 5).await;
    visit.proxy.set(shoreline_tests::proxy::Fault::None);
    visit.flush().await;
    assert_eq!(visit.proxy.posts().len(), sent);
    assert_eq!(visit.browser.run("return lost").await, 30);
    assert_eq!(visit.kept().await, []);
    visit.arrived(&["page_view /"]).await;
}

#[tokio::test]
async fn who_opts_out_is_left_alone_on_every_page_until_opting_in() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    visit.browser.run("shoreline('optOut')").await;
    visit.features("out", 5).await;
    visit.flush().await;
    visit.go("/next").await;
    visit.features("out-too", 5).await;
    visit.flush().await;
    let kept = visit.kept().await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0].0, "shoreline.ignore");
    assert_eq!(visit.proxy.posts().len(), 1);
    visit.browser.run("shoreline('optIn')").await;
    visit.feature("in").await;
    visit.flush().await;
    let mut want = vec!["page_view /", "page_view /next", "feature_use in"];
    visit.arrived(&want).await;
    visit.go("/third").await;
    visit.flush().await;
    want.push("page_view /third");
    visit.arrived(&want).await;
}

/// A page that makes calls, and is left, before the tracker has looked at what the browser keeps.
const AT_ONCE: &str = "<script>addEventListener('DOMContentLoaded', () => { \
    shoreline('identify', 'somebody'); shoreline('feature', 'said'); \
    dispatchEvent(new Event('pagehide')) })</script>";

#[tokio::test]
async fn what_is_told_in_the_page_s_first_task_is_sent_even_if_it_is_left_then() {
    let visit = Visit::open(Setup {
        head: AT_ONCE.into(),
        ..Setup::default()
    })
    .await;
    let events = visit.arrived(&["page_view /", "feature_use said"]).await;
    assert!(events.iter().all(|event| event["userId"] == "somebody"));
}

#[tokio::test]
async fn who_opted_out_is_left_alone_from_the_page_s_first_task_on() {
    let visit = Visit::begin(Setup {
        head: AT_ONCE.into(),
        ..Setup::default()
    })
    .await;
    visit.go("/?shoreline=off").await;
    visit.flush().await;
    assert_eq!(visit.proxy.posts().len(), 0);
    visit.go("/next").await;
    visit.flush().await;
    assert_eq!(visit.proxy.posts().len(), 0);
    let kept = visit.kept().await;
    assert_eq!(kept, [("shoreline.ignore".to_owned(), "1".to_owned())]);
}

#[tokio::test]
async fn a_device_is_excluded_by_its_address_bar() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    visit.go("/off?shoreline=off").await;
    visit.feature("off").await;
    visit.flush().await;
    visit.go("/still-off").await;
    visit.feature("off").await;
    visit.flush().await;
    assert_eq!(visit.made().len(), 1, "the first view alone");
    visit.go("/on?shoreline=on").await;
    visit.feature("on").await;
    visit.flush().await;
    visit
        .arrived(&["page_view /", "page_view /on", "feature_use on"])
        .await;
}

#[tokio::test]
async fn local_pages_and_driven_browsers_do_not_count_unless_told() {
    let visit = Visit::open(Setup {
        include_local: false,
        ..Setup::default()
    })
    .await;
    visit.features("f", 5).await;
    nothing_arrived(&visit).await;
    assert_eq!(visit.kept().await, []);
    // Who does not count need not download the module.
    let asked = visit.proxy.asked();
    assert!(
        !asked.iter().any(|path| path.contains(".wasm")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_sample_of_nobody_sends_nothing_and_of_everybody_all() {
    let visit = Visit::open(Setup::attributes("data-sample=0")).await;
    visit.features("f", 30).await;
    nothing_arrived(&visit).await;

    let visit = Visit::open(Setup::attributes("data-sample=1")).await;
    let mut want = visit.features("f", 30).await;
    visit.flush().await;
    want.push("page_view /".to_owned());
    visit.arrived(&want).await;
}

#[tokio::test]
async fn of_half_a_sample_a_visit_is_counted_as_a_whole_or_not_at_all() {
    // A visit's id decides: of all there are, the lower half by the last 32 bits is counted.
    for (last, is_counted) in [
        ("00000000", true),
        ("7fffffff", true),
        ("80000000", false),
        ("ffffffff", false),
    ] {
        let id = format!("01890a5d-ac96-774b-bcce-b302{last}");
        let began = format!(
            "localStorage['shoreline.session'] ??= '{id} ' + Date.now() + ' ' + Date.now()"
        );
        let setup = Setup::attributes("data-sample=0.5").and_script(&began);
        let visit = Visit::open(setup).await;
        let mut want = visit.features("f", 30).await;
        visit.flush().await;
        visit.go("/next").await;
        want.extend(visit.features("g", 30).await);
        if is_counted {
            visit.flush().await;
            want.extend(["page_view /".to_owned(), "page_view /next".to_owned()]);
            let events = visit.arrived(&want).await;
            assert!(events.iter().all(|event| event["sessionId"] == id.as_str()));
        } else {
            nothing_arrived(&visit).await;
        }
    }
}
