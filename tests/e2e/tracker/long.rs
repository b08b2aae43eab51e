//! Texts that are too long: cut to what the edge keeps of them, rather than losing the event.

use shoreline_tests::visit::{Setup, Visit};

#[tokio::test]
async fn a_page_of_a_long_address_title_or_referrer_is_viewed() {
    let visit = Visit::open(Setup::default()).await;
    visit.go(&format!("/loaded#{}", "x".repeat(40_000))).await;
    let go = "const long = 'x'.repeat(40000); \
        history.pushState({}, '', '/fragment?utm_source=one#' + long); \
        history.pushState({}, '', `/query?state=${long}&utm_source=two&gclid=3&x=${long}`); \
        history.pushState({}, '', '/many?' + 'a=1&'.repeat(10000) + 'utm_medium=mail'); \
        history.pushState({}, '', '/path/' + long); \
        history.pushState({}, '', '/title'); document.title = long;";
    visit.browser.run(go).await;
    visit.flush().await;
    let long = format!("page_view /path/{}", "x".repeat(40_000));
    let whole = 1000 - visit.pages.url.len() + "page_view ".len();
    let want = [
        "page_view /",
        "page_view /loaded",
        "page_view /fragment?utm_source=one",
        "page_view /query?utm_source=two&gclid=true",
        "page_view /many?utm_medium=mail",
        &long[..whole],
        "page_view /title",
    ];
    visit.arrived(&want).await;
}

#[tokio::test]
async fn what_is_captured_may_be_long_too() {
    let body = "<a id=away>away</a><a id=file>file</a><form id=f></form><script>\
        window.long = 'x'.repeat(40000); \
        away.href = 'http://127.0.0.1:9/away#' + long; file.href = '/f.pdf?token=' + long; \
        f.name = 'form'; \
        const fail = () => setTimeout(() => { throw new Error('failed ' + long) }); history.replaceState({}, '', '/#' + long); \
        for (const type of ['click', 'submit']) addEventListener(type, (event) => event.preventDefault())</script>";
    let asked = Setup::attributes("data-outbound data-downloads data-forms data-errors");
    let visit = Visit::open(asked.and_body(body)).await;
    let act = "away.click(); file.click(); f.requestSubmit(); \
        shoreline('feature', 'mine', { text: long, lines: [long, long] }); \
        fail()";
    visit.browser.run(act).await;
    visit.flush().await;
    let failed = format!("error failed {}", "x".repeat(993));
    let want = [
        "page_view /",
        "outbound http://127.0.0.1:9/away",
        "download /f.pdf",
        "form form",
        "feature_use mine",
        &failed,
    ];
    let events = visit.arrived(&want).await;
    let mine = events
        .iter()
        .find(|event| event["eventType"] == "feature_use");
    let data = &mine.unwrap()["eventData"];
    for text in [&data["text"], &data["lines"][1]] {
        assert_eq!(text.as_str().unwrap(), "x".repeat(1000));
    }
}

#[tokio::test]
async fn a_long_text_is_cut_as_the_edge_would_have_cut_it() {
    let visit = Visit::open(Setup::default()).await;
    // 1,000 code points are twice as many of what a script counts; and a text is no URL by its question marks.
    let text = "shoreline('feature', 'f', { emoji: '😀'.repeat(1500), \
        prose: 'Why? because & so on. '.repeat(200) })";
    visit.browser.run(text).await;
    visit.flush().await;
    let events = visit.arrived(&["page_view /", "feature_use f"]).await;
    let data = &events[1]["eventData"];
    assert_eq!(data["emoji"].as_str().unwrap(), "😀".repeat(1000));
    let prose: String = "Why? because & so on. "
        .repeat(200)
        .chars()
        .take(1000)
        .collect();
    assert_eq!(data["prose"].as_str().unwrap(), prose.trim());
}
