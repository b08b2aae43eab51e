//! The demo page: an event's steps, and each button, in real Chromium.

use serde_json::{Value, json};
use shoreline_tests::browser::Browser;
use shoreline_tests::system::shared;
use shoreline_tests::{eventually, eventually_is, lake};

/// A button of the app that is a feature.
const FEATURE: &str = "[data-shoreline-feature=\"tide-check\"]";

/// The demo page, with its first view made.
pub(crate) async fn open() -> Browser {
    let browser = Browser::start().await;
    browser.open(&shared().at("/")).await;
    first_view(&browser).await;
    browser
}

async fn first_view(browser: &Browser) {
    eventually_is("the first view is made", true, async || {
        let script = "return !!window.shoreline?.flush && document.querySelectorAll('#events > li').length > 0";
        browser.run(script).await == true
    })
    .await;
}

async fn flush(browser: &Browser) {
    browser.click("#flush").await;
}

/// The newest event of a type: its id.
async fn newest(browser: &Browser, event_type: &str) -> String {
    let script =
        format!("return document.querySelector('[data-type=\"{event_type}\"]')?.dataset.event");
    eventually("the event is listed", async || {
        browser.run(&script).await.as_str().map(str::to_owned)
    })
    .await
}

/// An event's steps and their states.
async fn steps(browser: &Browser, id: &str) -> Vec<String> {
    let script = format!(
        "return [...document.querySelectorAll('[data-event=\"{id}\"] [data-step]')].map((step) => `${{step.dataset.step}} ${{step.dataset.state}}`)"
    );
    serde_json::from_value(browser.run(&script).await).unwrap()
}

async fn reaches(browser: &Browser, id: &str, step: &str) {
    eventually(&format!("{id} is {step}"), async || {
        let steps = steps(browser, id).await;
        steps.contains(&format!("{step} done")).then_some(())
    })
    .await;
}

async fn number(browser: &Browser, css: &str) -> i64 {
    browser.text(css).await.parse().unwrap()
}

async fn said(browser: &Browser, words: &str) {
    eventually(&format!("the page says: {words}"), async || {
        browser.text("#state").await.contains(words).then_some(())
    })
    .await;
}

async fn kept(browser: &Browser) -> Value {
    let script = "return Object.keys(localStorage).filter((key) => key.startsWith('shoreline.') && key !== 'shoreline.ignore').length";
    browser.run(script).await
}

#[tokio::test]
async fn each_step_is_shown_when_it_has_happened() {
    let site = shared().demo();
    let browser = open().await;
    browser.click(FEATURE).await;
    let id = newest(&browser, "feature_use").await;
    assert_eq!(steps(&browser, &id).await[0], "made done");
    flush(&browser).await;
    reaches(&browser, &id, "answered").await;
    reaches(&browser, &id, "counted").await;
    assert!(site.stored_ids().await.contains(&id), "it is stored");
    reaches(&browser, &id, "landed").await;
    let (state, name) = (site.state.clone(), site.id.clone());
    let pulled =
        tokio::task::spawn_blocking(move || lake::ids_of(&lake::pull(state.path()), &name));
    assert!(pulled.await.unwrap().contains(&id), "it is in the lake");
    assert_eq!(
        steps(&browser, &id).await,
        [
            "made done",
            "batched done",
            "answered done",
            "counted done",
            "landed done"
        ]
    );
    let times = format!(
        "return [...document.querySelectorAll('[data-event=\"{id}\"] [data-step] b')].slice(1).every((b) => /^\\+[\\d.]+ m?s$/.test(b.textContent))"
    );
    assert_eq!(browser.run(&times).await, true, "each with its time");
    assert!(number(&browser, "#counted").await >= number(&browser, "#landed").await);
    browser.close().await;
}

#[tokio::test]
async fn a_cut_line_keeps_events_until_it_is_back() {
    let browser = open().await;
    flush(&browser).await;
    let view = newest(&browser, "page_view").await;
    reaches(&browser, &view, "answered").await;
    browser.click("#offline").await;
    said(&browser, "The line is cut").await;
    browser.click(FEATURE).await;
    let id = newest(&browser, "feature_use").await;
    flush(&browser).await;
    eventually_is("no answer comes", "retry 0".to_owned(), async || {
        let row = "const row = document.querySelector('#batches > li'); return `${row?.dataset.kind} ${row?.dataset.status}`";
        browser.run(row).await.as_str().unwrap().to_owned()
    })
    .await;
    assert!(
        steps(&browser, &id)
            .await
            .contains(&"answered waiting".to_owned())
    );
    assert!(!shared().demo().stored_ids().await.contains(&id));
    browser.click("#offline").await;
    reaches(&browser, &id, "counted").await;
    browser.close().await;
}

#[tokio::test]
async fn without_consent_nothing_is_made_or_kept() {
    let browser = open().await;
    assert_ne!(kept(&browser).await, 0);
    browser.click(FEATURE).await;
    let pending = newest(&browser, "feature_use").await;
    browser.click("#consent").await;
    said(&browser, "Consent is withdrawn").await;
    assert_eq!(kept(&browser).await, 0);
    assert!(
        steps(&browser, &pending)
            .await
            .contains(&"landed failed".to_owned())
    );
    let made = number(&browser, "#made").await;
    browser.click(FEATURE).await;
    flush(&browser).await;
    assert_eq!(number(&browser, "#made").await, made);
    browser.click("#consent").await;
    eventually_is("it counts again", made + 1, async || {
        number(&browser, "#made").await
    })
    .await;
    let view = newest(&browser, "page_view").await;
    flush(&browser).await;
    reaches(&browser, &view, "counted").await;
    assert!(!shared().demo().stored_ids().await.contains(&pending));
    browser.close().await;
}

#[tokio::test]
async fn with_privacy_control_ids_last_a_day() {
    let browser = open().await;
    browser.click("#gpc").await;
    eventually_is("the page is loaded again", true, async || {
        let script = "return document.querySelector('#gpc')?.getAttribute('aria-pressed') === 'true' && navigator.globalPrivacyControl === true";
        browser.run(script).await == true
    })
    .await;
    first_view(&browser).await;
    assert_eq!(kept(&browser).await, 0);
    browser.click(FEATURE).await;
    let id = newest(&browser, "feature_use").await;
    flush(&browser).await;
    reaches(&browser, &id, "counted").await;
    let stored = shared().demo().stored().await;
    let event = stored.iter().find(|event| event["eventId"] == id.as_str());
    let user = event.unwrap()["userId"].as_str().unwrap();
    assert!(user.starts_with("anon-"), "{user}");
    let shown = format!(
        "return document.querySelector('[data-event=\"{id}\"] [data-step=\"counted\"]').title"
    );
    assert_eq!(browser.run(&shown).await, format!("stored as {user}"));
    browser.close().await;
}

#[tokio::test]
async fn garbage_is_refused_with_its_code() {
    let browser = open().await;
    let want = [
        (400, "malformed_json"),
        (422, "missing_field"),
        (422, "invalid_event_type"),
        (422, "timestamp_out_of_range"),
        (401, "unknown_key"),
    ];
    for (count, (status, code)) in want.into_iter().enumerate() {
        browser.click("#garbage").await;
        let refused = format!("{status}: refused ({code})");
        eventually_is(code, (count + 1, refused), async || {
            let rows = browser
                .run("return document.querySelectorAll('[data-garbage]').length")
                .await;
            let shown = browser
                .run("return document.querySelector('[data-garbage] .result')?.textContent ?? ''")
                .await;
            (
                usize::try_from(rows.as_u64().unwrap()).unwrap(),
                shown.as_str().unwrap().to_owned(),
            )
        })
        .await;
    }
    browser.close().await;
}

#[tokio::test]
async fn a_page_without_a_token_asks_for_one() {
    let browser = open().await;
    let forget = "document.querySelector('meta[name=\"shoreline-read-token\"]').remove(); sessionStorage.setItem('inspector.token', 'slr_demo_nobody')";
    browser.run(forget).await;
    browser.click(FEATURE).await;
    let id = newest(&browser, "feature_use").await;
    flush(&browser).await;
    said(&browser, "This read token is not known").await;
    let token = &shared().keys().read_token;
    let typed = format!(
        "document.querySelector('#token').value = '{token}'; document.querySelector('#token-form').requestSubmit()"
    );
    browser.run(&typed).await;
    reaches(&browser, &id, "counted").await;
    let hidden = "return document.querySelector('#token-form').hidden";
    assert_eq!(browser.run(hidden).await, true);
    browser.close().await;
}

#[tokio::test]
async fn it_fits_a_small_screen_and_the_keyboard() {
    let browser = open().await;
    let small = json!({"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": true});
    browser
        .devtools("Emulation.setDeviceMetricsOverride", small)
        .await;
    browser.click(FEATURE).await;
    browser.click("#garbage").await;
    for scheme in ["light", "dark"] {
        // Without motion, so that no colour is on its way.
        let media = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        browser.devtools("Emulation.setEmulatedMedia", media).await;
        let wide =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.run(wide).await, 0, "{scheme}: nothing is cut off");
        assert_eq!(browser.run(CONTRAST).await, json!([]), "{scheme}");
    }
    let reached = "return ['flush', 'offline', 'gpc', 'consent', 'garbage'].filter((id) => { const button = document.getElementById(id); button.focus(); return document.activeElement !== button || button.tagName !== 'BUTTON' || !button.textContent.trim(); })";
    assert_eq!(browser.run(reached).await, json!([]), "each by keyboard");
    browser.close().await;
}

/// The texts of the panel that are less than 4.5:1 from what is behind them.
const CONTRAST: &str = "
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => { for (let at = node; at; at = at.parentElement) { const colour = rgb(getComputedStyle(at).backgroundColor); if (colour[3] !== 0) return colour; } return [255, 255, 255]; };
    return [...document.querySelectorAll('#inspector *')].filter((node) => node.offsetParent && [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())).flatMap((node) => {
      const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      return ratio < 4.5 ? [`${node.textContent} ${ratio.toFixed(2)}`] : [];
    });
";
