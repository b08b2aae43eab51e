//! A view's title is the one that its page has when the view is sent.

use std::collections::BTreeMap;

use shoreline_tests::visit::{Setup, Visit};

/// Titles by path.
async fn titles(visit: &Visit, want: &[&str]) -> BTreeMap<String, String> {
    let mut titles = BTreeMap::new();
    for event in visit.arrived(want).await {
        let text = |key: &str| {
            event["eventData"][key]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        if event["eventType"] == "page_view" {
            titles.insert(text("url").replace(&visit.pages.url, ""), text("title"));
        }
    }
    titles
}

/// Goes on when a task of the page's own, some time later, is done.
async fn later(visit: &Visit, script: &str) {
    let expression =
        format!("new Promise((done) => setTimeout(() => {{ {script}; done(null) }}, 300))");
    visit.browser.value(&expression).await;
}

#[tokio::test]
async fn a_title_set_by_a_timer_after_push_state_is_the_new_pages() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    // Something else happens before the title is there.
    let go = "history.pushState({}, '', '/a'); shoreline('feature', 'soon')";
    visit.browser.run(go).await;
    later(&visit, "document.title = 'A'").await;
    // As React writes a title: into the text that is there.
    visit.browser.run("history.pushState({}, '', '/b')").await;
    later(
        &visit,
        "document.querySelector('title').firstChild.nodeValue = 'B'",
    )
    .await;
    // A router that sets the title first, and one that puts another element there.
    visit
        .browser
        .run("document.title = 'C'; history.pushState({}, '', '/c')")
        .await;
    visit.browser.run("history.pushState({}, '', '/d')").await;
    let replace = "const title = document.createElement('title'); title.textContent = 'D \"d\"'; \
        document.querySelector('title').replaceWith(title)";
    later(&visit, replace).await;
    visit
        .browser
        .run("history.pushState({}, '', '/e'); document.title = 'E'")
        .await;
    visit.flush().await;
    // It was sent with this one.
    later(&visit, "document.title = 'too late'").await;
    visit.flush().await;
    let want = [
        "page_view /",
        "page_view /a",
        "feature_use soon",
        "page_view /b",
        "page_view /c",
        "page_view /d",
        "page_view /e",
    ];
    let titles = titles(&visit, &want).await;
    for (path, title) in [
        ("/", "/"),
        ("/a", "A"),
        ("/b", "B"),
        ("/c", "C"),
        ("/d", "D \"d\""),
        ("/e", "E"),
    ] {
        assert_eq!(titles[path], title, "{path}: {titles:?}");
    }
}

#[tokio::test]
async fn a_title_set_while_the_module_is_on_its_way_is_the_pages_too() {
    let visit = Visit::begin(Setup::default()).await;
    visit.proxy.hold_module(true);
    visit.go("/").await;
    later(&visit, "document.title = 'late'").await;
    visit.browser.run("history.pushState({}, '', '/a')").await;
    later(&visit, "document.title = 'A'").await;
    visit.proxy.hold_module(false);
    visit.flush().await;
    let titles = titles(&visit, &["page_view /", "page_view /a"]).await;
    assert_eq!((&*titles["/"], &*titles["/a"]), ("late", "A"));
}

#[tokio::test]
async fn a_batch_is_the_same_whatever_its_title_becomes_while_it_is_tried() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    let fault = shoreline_tests::proxy::Fault::Answer(503, Some("1".into()));
    visit.proxy.set_times(1, fault);
    visit.browser.run("history.pushState({}, '', '/a')").await;
    later(&visit, "document.title = 'A'").await;
    visit.flush().await;
    later(&visit, "document.title = 'B'").await;
    let titles = titles(&visit, &["page_view /", "page_view /a"]).await;
    assert_eq!(titles["/a"], "A");
    let posts = visit.proxy.posts();
    let [.., first, again] = &posts[..] else {
        panic!("{posts:?}")
    };
    assert_eq!(first.batch_id(), again.batch_id());
    assert_eq!(first.body["events"], again.body["events"]);
}
