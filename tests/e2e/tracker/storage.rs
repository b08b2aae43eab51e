//! What the browser keeps: refused, full, or written over by somebody else.

use serde_json::json;
use shoreline_tests::browser::Profile;
use shoreline_tests::visit::{Setup, Visit};

/// Keeps every error of the page.
const ERRORS: &str = "window.errors = []; \
    addEventListener('error', (event) => errors.push(String(event.message))); \
    addEventListener('unhandledrejection', (event) => errors.push(String(event.reason)))";

/// Makes events, which must arrive, and looks for errors.
async fn works(visit: &Visit) {
    let mut want = visit.features("f", 30).await;
    visit.flush().await;
    want.push("page_view /".to_owned());
    visit.arrived(&want).await;
    assert_eq!(visit.browser.run("return errors").await, json!([]));
}

#[tokio::test]
async fn a_browser_that_keeps_nothing_for_pages_still_sends() {
    let blocked = json!({"profile.default_content_setting_values.cookies": 2});
    let visit = Visit::open(Setup {
        profile: Profile::with_preferences(blocked),
        ..Setup::script(ERRORS)
    })
    .await;
    let refused = "try { return localStorage.length } catch (error) { return error.name }";
    assert_eq!(visit.browser.run(refused).await, "SecurityError");
    works(&visit).await;
}

#[tokio::test]
async fn a_storage_that_throws_at_every_touch_is_left_alone() {
    let throws = "const refuse = () => { throw new DOMException('no', 'SecurityError') }; \
        for (const name of ['getItem', 'setItem', 'removeItem', 'key']) Storage.prototype[name] = refuse; \
        Object.defineProperty(Storage.prototype, 'length', { get: refuse })";
    let visit = Visit::open(Setup::script(ERRORS).and_script(throws).in_whole_browser()).await;
    works(&visit).await;
}

#[tokio::test]
async fn a_full_storage_is_no_error() {
    let fill = "let all = ''; for (let size = 2 ** 23; size; size >>= 1) \
        try { localStorage.setItem('page', all + 'x'.repeat(size)); all += 'x'.repeat(size) } catch {}";
    let visit = Visit::open(Setup::script(ERRORS).and_script(fill).in_whole_browser()).await;
    let full =
        "try { localStorage.setItem('more', 'xx'); return '' } catch (error) { return error.name }";
    assert_eq!(visit.browser.run(full).await, "QuotaExceededError");
    works(&visit).await;
}

#[tokio::test]
async fn garbage_under_the_trackers_keys_breaks_nothing() {
    let visit = Visit::open(Setup::script(ERRORS).in_whole_browser()).await;
    visit.feature("first").await;
    visit.flush().await;
    visit.arrived(&["page_view /", "feature_use first"]).await;
    let garble = "localStorage['shoreline.b.0'] = localStorage['shoreline.b.' + crypto.randomUUID()] = ''; \
        for (const key of Object.keys(localStorage)) if (key.startsWith('shoreline.')) localStorage[key] = ";
    let texts = [
        "'\\u0000{]\"\\\\\\n'",
        "''",
        "'[[[]]]'",
        "'{\"events\":[null]}\\n{}'",
        "'x'.repeat(200000)",
        "'\\ud800 ' + Date.now() + ' ' + Date.now()",
    ];
    let mut want = vec!["page_view /".to_owned(), "feature_use first".to_owned()];
    for (n, text) in texts.iter().enumerate() {
        visit.browser.run(&format!("{garble}{text}")).await;
        visit.feature(&format!("same-page{n}")).await;
        visit.flush().await;
        visit.browser.run(&format!("{garble}{text}")).await;
        visit.go("/again").await;
        visit.feature(&format!("next-page{n}")).await;
        visit.flush().await;
        want.push("page_view /again".to_owned());
        want.push(format!("feature_use same-page{n}"));
        want.push(format!("feature_use next-page{n}"));
        assert_eq!(
            visit.browser.run("return errors").await,
            json!([]),
            "{text}"
        );
    }
    visit.arrived(&want).await;
}

#[tokio::test]
async fn a_browser_without_web_locks_sends_once_all_the_same() {
    let without = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })";
    let visit = Visit::open(Setup::script(ERRORS).and_script(without).in_whole_browser()).await;
    let mut want = visit.features("first", 30).await;
    visit.browser.new_tab().await;
    visit.go("/second").await;
    want.extend(visit.features("second", 30).await);
    visit.flush().await;
    want.extend(["page_view /".to_owned(), "page_view /second".to_owned()]);
    visit.arrived(&want).await;
    assert_eq!(visit.browser.run("return errors").await, json!([]));
}
