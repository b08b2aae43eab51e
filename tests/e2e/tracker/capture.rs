//! What is recorded by itself, and what only where the page asks for it.

use serde_json::{Value, json};
use shoreline_tests::eventually;
use shoreline_tests::visit::{Setup, Visit, told};

/// A page with something of everything. What is clicked does not lead away.
const BODY: &str = "\
    <a id=outbound href='http://127.0.0.1:9/away?q=1'>away</a>\
    <a id=inbound href='/inside'>inside</a>\
    <a id=download href='/files/report.pdf'>a file</a>\
    <a id=named href='/made' download='x'>another</a>\
    <form id=contact name=contact action='/sent'>\
    <input name=email value='secret@mail.example'><input name=note value='between us'>\
    <button id=send>send</button></form>\
    <script>addEventListener('submit', (event) => event.preventDefault()); \
    addEventListener('click', (event) => event.target.closest('a') && event.preventDefault())</script>";

/// A page that fails.
const FAILURES: &str = "<script>\
    function failOften() {\
    for (let n = 0; n < 20; n++) setTimeout(() => { throw new Error('the same') });\
    Promise.reject(new TypeError('refused')); Promise.reject('a text'); Promise.reject() }\
    function failWithoutEnd() {\
    for (let n = 0; n < 500; n++) setTimeout(() => { throw new Error('other ' + n) });\
    setTimeout(() => shoreline('feature', 'after the errors'), 100) }</script>";

const CLICKS: [&str; 5] = ["#outbound", "#inbound", "#download", "#named", "#send"];

/// The data of the only event of a type.
fn data<'a>(events: &'a [Value], event_type: &str) -> &'a Value {
    let mut of_type = events.iter().filter(|e| e["eventType"] == event_type);
    let found = of_type.next().unwrap_or(&Value::Null);
    assert!(of_type.next().is_none(), "one {event_type}");
    &found["eventData"]
}

#[tokio::test]
async fn nothing_is_captured_that_the_page_did_not_ask_for() {
    let visit = Visit::open(Setup::default().and_body(BODY)).await;
    for css in CLICKS {
        visit.browser.click(css).await;
    }
    visit
        .browser
        .run("setTimeout(() => { throw new Error('nobody asked') })")
        .await;
    visit.feature("the end").await;
    visit.flush().await;
    visit.go_away("about:blank").await;
    visit.arrived(&["page_view /", "feature_use the end"]).await;
}

#[tokio::test]
async fn links_downloads_and_forms_are_captured_where_asked_for() {
    let asked = Setup::attributes("data-outbound data-downloads data-forms");
    let visit = Visit::open(asked.and_body(BODY)).await;
    for css in CLICKS {
        visit.browser.click(css).await;
    }
    visit.flush().await;
    let want = [
        "page_view /",
        "outbound http://127.0.0.1:9/away",
        "download /files/report.pdf",
        "download /made",
        "form contact",
    ];
    let events = visit.arrived(&want).await;
    let form = data(&events, "form");
    assert_eq!(form["url"], format!("{}/", visit.pages.url));
    // Not only what is stored: nothing that was written left the page.
    for post in visit.proxy.posts() {
        let body = post.body.to_string();
        assert!(
            !body.contains("secret@") && !body.contains("between us"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_link_that_really_leads_away_is_told_on_the_way_out() {
    let link = "<a id=away target=_self>away</a>\
        <script>away.href = location.href.replace('localhost', '127.0.0.1') + 'there'</script>";
    let asked = Setup::attributes("data-outbound");
    let visit = Visit::open(asked.and_body(link)).await;
    visit.browser.click("#away").await;
    eventually("the other site is shown", async || {
        let host = visit.browser.run("return location.pathname").await;
        (host == "/there").then_some(())
    })
    .await;
    let there = visit.pages.url.replace("localhost", "127.0.0.1") + "/there";
    visit
        .arrived(&["page_view /".to_owned(), format!("outbound {there}")])
        .await;
}

#[tokio::test]
async fn features_are_marked_in_the_page_with_properties_of_their_own() {
    let buttons = "<button id=buy data-shoreline-feature=buy data-shoreline-plan=pro \
        data-shoreline-item-count=3 data-other=no><b id=inner>Buy</b></button>\
        <script>buy.addEventListener('click', (event) => event.stopImmediatePropagation(), true)</script>";
    let visit = Visit::open(Setup::default().and_body(buttons)).await;
    visit.browser.click("#inner").await;
    visit.flush().await;
    let events = visit.arrived(&["page_view /", "feature_use buy"]).await;
    let want = json!({"feature": "buy", "plan": "pro", "itemCount": "3"});
    assert_eq!(data(&events, "feature_use"), &want);
}

#[tokio::test]
async fn errors_are_told_once_each_and_not_without_end() {
    let visit = Visit::open(Setup::attributes("data-errors").and_body(FAILURES)).await;
    visit.browser.run("failOften()").await;
    let want = [
        "page_view /",
        "error the same",
        "error refused",
        "error a text",
        "error undefined",
    ];
    let events = visit.arrived(&want).await;
    for event in events.iter().skip(1) {
        let stack = event["eventData"]["stack"].as_str().unwrap_or_default();
        assert!(stack.chars().count() <= 1000);
    }
    visit.browser.run("failWithoutEnd()").await;
    eventually("what came after them is stored", async || {
        visit.flush().await;
        let told = told(&visit.stored().await);
        told.contains(&"feature_use after the errors".to_owned())
            .then_some(())
    })
    .await;
    let errors = visit.stored().await.len() - 2;
    assert!((4..=50).contains(&errors), "{errors} errors");
}

#[tokio::test]
async fn vitals_are_told_when_the_page_is_hidden() {
    let slow = "<h1>Large</h1><button id=b>b</button><script>\
        b.onclick = () => { const start = performance.now(); while (performance.now() - start < 60); };\
        new PerformanceObserver((list) => { window.interacted ||= list.getEntries().some((e) => e.interactionId) })\
        .observe({ type: 'event', durationThreshold: 16 })</script>";
    let visit = Visit::open(Setup::attributes("data-vitals").and_body(slow)).await;
    visit.browser.click("#b").await;
    eventually("the browser tells of the interaction", async || {
        let interacted = visit.browser.run("return window.interacted").await;
        (interacted == true).then_some(())
    })
    .await;
    visit.go_away("about:blank").await;
    let vitals = eventually("the vitals are stored", async || {
        let mut events = visit.stored().await;
        events.retain(|event| event["eventType"] == "web_vital");
        (events.len() >= 5).then_some(events)
    })
    .await;
    let mut names = Vec::new();
    for vital in &vitals {
        let value = vital["eventData"]["value"].as_f64().unwrap();
        assert!((0.0..60_000.0).contains(&value), "{vital}");
        let url = vital["eventData"]["url"].as_str().unwrap();
        assert!(
            url.starts_with(&visit.pages.url),
            "the page that was loaded: {url}"
        );
        names.push(vital["eventData"]["name"].as_str().unwrap());
    }
    names.sort_unstable();
    assert_eq!(names, ["CLS", "FCP", "INP", "LCP", "TTFB"]);
}

#[tokio::test]
async fn one_slow_interaction_of_many_is_not_the_pages_inp() {
    let slow = "<button id=b>b</button><script>let clicks = 0; \
        b.onclick = () => { const ms = clicks++ ? 20 : 900; const start = performance.now(); while (performance.now() - start < ms); };\
        window.slow = 0; new PerformanceObserver((list) => { for (const { name, duration } of list.getEntries()) if (name === 'click') slow++ })\
        .observe({ type: 'event', durationThreshold: 16 })</script>";
    let visit = Visit::open(Setup::attributes("data-vitals").and_body(slow)).await;
    for _ in 0..51 {
        visit.browser.click("#b").await;
    }
    eventually("the browser tells of the interactions", async || {
        let slow = visit.browser.run("return slow").await;
        (slow.as_u64() >= Some(51)).then_some(())
    })
    .await;
    visit.go_away("about:blank").await;
    let inp = eventually("INP is stored", async || {
        let events = visit.stored().await;
        let inp = events
            .iter()
            .find(|event| event["eventData"]["name"] == "INP");
        inp.and_then(|event| event["eventData"]["value"].as_f64())
    })
    .await;
    assert!(inp < 900.0, "{inp}");
}

#[tokio::test]
async fn a_left_page_tells_how_long_and_how_far_it_was_read() {
    let visit = Visit::open(Setup::default().and_body("<div style='height:9000px'></div>")).await;
    visit.browser.run("scrollTo(0, 4500)").await;
    let time = async || {
        let time = visit.browser.run("return performance.now()").await;
        time.as_f64().unwrap()
    };
    let there = time().await;
    eventually("the page has been looked at", async || {
        (time().await > there + 1100.0).then_some(())
    })
    .await;
    visit
        .browser
        .run("history.pushState({}, '', '/route')")
        .await;
    let left = time().await;
    visit.go_away("about:blank").await;
    let mut leaves = eventually("both pages are left", async || {
        let mut events = visit.site.stored().await;
        events.retain(|event| event["eventType"] == "page_leave");
        (events.len() == 2).then_some(events)
    })
    .await;
    leaves.sort_by_key(|event| event["timestamp"].as_i64());
    let first = &leaves[0]["eventData"];
    assert_eq!(first["url"], format!("{}/", visit.pages.url));
    assert_eq!(
        leaves[1]["eventData"]["url"],
        format!("{}/route", visit.pages.url)
    );
    let engaged = first["engagedMs"].as_f64().unwrap();
    assert!((1100.0..=left).contains(&engaged), "{first}");
    let depth = first["scrollDepth"].as_f64().unwrap();
    assert!((50.0..70.0).contains(&depth), "{first}");
    // A leave is not a view.
    assert_eq!(visit.site.live_count("page_view").await, 2);
}

#[tokio::test]
async fn a_view_says_where_its_visitor_comes_from_and_no_more() {
    let visit = Visit::begin(Setup::default()).await;
    let landing = "/landing?utm_source=news&utm_medium=mail&gclid=abc123&secret=1#part";
    visit.go(landing).await;
    visit.flush().await;
    let events = visit
        .arrived(&["page_view /landing?utm_source=news&utm_medium=mail&gclid=true"])
        .await;
    let view = data(&events, "page_view");
    assert_eq!(view["title"], "/landing");
    visit.browser.run("location.href = '/inside'").await;
    let inside = eventually("the next view is stored", async || {
        let events = visit.stored().await;
        (events.len() == 2).then(|| events[1]["eventData"].clone())
    })
    .await;
    // The site's own page is told by the tracker and is no referrer.
    assert_eq!(inside["url"], format!("{}/inside", visit.pages.url));
    assert_eq!(inside["referrer"], Value::Null, "{inside}");
}
