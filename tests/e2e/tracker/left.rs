//! Pages that are left before the module is there, and what pages before have stored.

use serde_json::json;
use shoreline_tests::eventually;
use shoreline_tests::proxy::Fault;
use shoreline_tests::visit::{Setup, Visit};

/// Leaves a page before its module came; the batch is answered by a fault.
async fn left_early(visit: &Visit, fault: Fault) {
    visit.proxy.hold_module(true);
    visit.go("/").await;
    visit.proxy.set(fault);
    let lost = "window.reports = []; for (const kind of ['sent', 'rejected', 'retry']) \
        shoreline.on(kind, ({ status }) => reports.push(`${kind} ${status}`)); \
        shoreline('feature', 'f'); dispatchEvent(new Event('pagehide'))";
    visit.browser.run(lost).await;
    eventually("the batch is answered", async || {
        let reports = visit.browser.run("return reports").await;
        (reports != json!([])).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_was_not_taken_before_the_module_came_is_kept_as_after() {
    for (status, wait) in [(503, None), (429, Some("2")), (500, None), (413, None)] {
        let visit = Visit::begin(Setup::default().in_whole_browser()).await;
        left_early(&visit, Fault::Answer(status, wait.map(str::to_owned))).await;
        let reports = visit.browser.run("return reports").await;
        assert_eq!(reports, json!([format!("retry {status}")]));
        let kept = visit.kept().await;
        let has = |name: &str| kept.iter().any(|(key, _)| key.starts_with(name));
        assert!(has("shoreline.b."), "{status}: {kept:?}");
        assert_eq!(
            has("shoreline.barred"),
            wait.is_some(),
            "{status}: {kept:?}"
        );
        // The next page sends it as it was, and not before it may.
        visit.proxy.hold_module(false);
        visit.proxy.set(Fault::None);
        visit.go("/next").await;
        let want = ["page_view /", "feature_use f", "page_view /next"];
        visit.arrived(&want).await;
        let posts = visit.proxy.posts();
        let again = posts
            .iter()
            .skip(1)
            .find(|post| post.batch_id() == posts[0].batch_id());
        let again = again.expect("the same batch");
        assert_eq!(again.body["events"], posts[0].body["events"]);
        if wait.is_some() {
            let waited = again.at - posts[0].at;
            assert!(waited.as_millis() >= 1_900, "{waited:?}");
        }
    }
}

#[tokio::test]
async fn a_batch_refused_for_good_before_the_module_came_is_gone_as_after() {
    let visit = Visit::begin(Setup::default().in_whole_browser()).await;
    left_early(&visit, Fault::Answer(403, None)).await;
    assert_eq!(
        visit.browser.run("return reports").await,
        json!(["rejected 403"])
    );
    let kept = visit.kept().await;
    let left = |key: &str| key.starts_with("shoreline.b.") || key == "shoreline.barred";
    assert!(!kept.iter().any(|(key, _)| left(key)), "{kept:?}");
}

/// What an earlier page stored: an id, a visit, a batch that waits and until when.
const STORED: &str = "if (!sessionStorage.stored) { sessionStorage.stored = 1; \
    localStorage['shoreline.visitor'] = 'somebody'; localStorage['shoreline.session'] = 'a 1 2'; \
    localStorage['shoreline.barred'] = '5'; localStorage['shoreline.b.01890a5d-ac96-774b-bcce-b302099a8057'] = \
    '{\"until\":0,\"dropped\":0,\"events\":[{\"eventId\":\"01890a5d-ac96-774b-bcce-b302099a8058\"}]}' }";

#[tokio::test]
async fn a_page_that_waits_for_consent_removes_what_earlier_pages_stored() {
    let setup = Setup::attributes("data-consent=denied").and_script(STORED);
    let setup = setup.in_whole_browser();
    let visit = Visit::open(setup).await;
    visit.flush().await;
    assert_eq!(visit.kept().await, []);
    assert_eq!(visit.proxy.posts().len(), 0);
    visit.browser.run("shoreline('consent', 'granted')").await;
    visit.flush().await;
    let events = visit.arrived(&["page_view /"]).await;
    assert_ne!(events[0]["userId"], "somebody");
    // What was stored with consent stays.
    visit.go("/next").await;
    visit.flush().await;
    let later = visit.arrived(&["page_view /", "page_view /next"]).await;
    assert_eq!(later[1]["userId"], events[0]["userId"]);
}

#[tokio::test]
async fn who_is_excluded_by_the_address_bar_keeps_nothing_of_earlier_pages() {
    let visit = Visit::begin(Setup::script(STORED).in_whole_browser()).await;
    visit.go("/?shoreline=off").await;
    visit.flush().await;
    let ignore = [("shoreline.ignore".to_owned(), "1".to_owned())];
    eventually("only the refusal is kept", async || {
        (visit.kept().await == ignore).then_some(())
    })
    .await;
    assert_eq!(visit.proxy.posts().len(), 0);
}
