//! Pages whose elements are named like what the tracker asks for, and clicks that are not where they seem.

use serde_json::{Value, json};
use shoreline_tests::visit::{Setup, Visit};

/// Names that a script finds on a form, the document or the window.
const NAMES: [&str; 24] = [
    "id",
    "name",
    "action",
    "method",
    "elements",
    "matches",
    "closest",
    "dataset",
    "getAttribute",
    "attributes",
    "nodeType",
    "addEventListener",
    "title",
    "referrer",
    "hidden",
    "visibilityState",
    "prerendering",
    "head",
    "body",
    "baseURI",
    "documentElement",
    "currentScript",
    "querySelector",
    "createElement",
];

/// Elements with all these names.
fn all(tag: &str) -> String {
    let one = |name: &&str| format!("<{tag} name={name}>");
    NAMES.iter().map(one).collect()
}

/// Clicks inside open shadow roots lead nowhere, and fall through them like a visitor's.
const CLICK: &str = "addEventListener('click', (event) => event.preventDefault()); \
    window.press = (element) => element.dispatchEvent(\
    new MouseEvent('click', { bubbles: true, composed: true, cancelable: true }));";

#[tokio::test]
async fn clicks_in_open_shadow_roots_and_on_svg_links_are_captured() {
    let body = "<p id=host></p><svg><a id=svg href='http://127.0.0.1:9/svg'><circle id=dot r=9 /></a>\
        <a id=old xlink:href='/files/old.pdf'><text id=text>old</text></a>\
        <a data-shoreline-feature=drawn><rect id=rect width=9 height=9 /></a></svg>\
        <map name=m><area id=area href='http://127.0.0.1:9/area'></map>\
        <a id=slotted href='http://127.0.0.1:9/slotted'></a><script>\
        const open = (host, html) => { const root = host.attachShadow({ mode: 'open' }); root.innerHTML = html; return root };\
        const outer = open(host, '<a href=\"http://127.0.0.1:9/shadow\"><b>away</b></a>\
        <button data-shoreline-feature=shadow data-shoreline-item-count=3><i>it</i></button><p></p>');\
        window.inner = open(outer.querySelector('p'), '<a href=\"/files/deep.zip\"><b>file</b></a>');\
        window.outer = outer; slotted.append(document.createElement('p'));\
        window.slot = open(slotted.firstChild, '<b>in the link</b>')</script>";
    let asked = Setup::attributes("data-outbound data-downloads");
    let visit = Visit::open(asked.and_script(CLICK).and_body(body)).await;
    for inside in [
        "outer.querySelector('b')",
        "outer.querySelector('i')",
        "inner.querySelector('b')",
        "slot.querySelector('b')",
        "dot",
        "document.querySelector('#text')",
        "rect",
        "area",
    ] {
        visit.browser.run(&format!("press({inside})")).await;
    }
    visit.flush().await;
    let want = [
        "page_view /",
        "outbound http://127.0.0.1:9/shadow",
        "feature_use shadow",
        "download /files/deep.zip",
        "outbound http://127.0.0.1:9/slotted",
        "outbound http://127.0.0.1:9/svg",
        "download /files/old.pdf",
        "feature_use drawn",
        "outbound http://127.0.0.1:9/area",
    ];
    let events = visit.arrived(&want).await;
    let shadow = json!({"feature": "shadow", "itemCount": "3"});
    assert!(events.iter().any(|event| event["eventData"] == shadow));
}

#[tokio::test]
async fn a_forms_fields_are_not_its_properties() {
    let inputs = all("input");
    let body = format!(
        "<form id=contact data-shoreline-feature=asked data-shoreline-plan=pro>{inputs}\
         <a id=away href='http://127.0.0.1:9/away'><b id=b>away</b></a><button id=send>send</button></form>\
         <form name=named>{inputs}<button id=other>send</button></form>\
         <form>{inputs}<button id=none>send</button></form>\
         <script>for (const one of document.querySelectorAll('input')) one.self = one; \
         addEventListener('submit', (event) => event.preventDefault())</script>"
    );
    let asked = Setup::attributes("data-forms data-outbound");
    let visit = Visit::open(asked.and_script(CLICK).and_body(&body)).await;
    visit
        .browser
        .run("press(document.querySelector('#b'))")
        .await;
    let send = "for (const form of document.querySelectorAll('form')) \
        form.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }))";
    let send = send.replace(
        "form.dispatchEvent",
        "EventTarget.prototype.dispatchEvent.call",
    );
    let send = send.replace("call(new", "call(form, new");
    visit.browser.run(&send).await;
    visit.flush().await;
    let url = format!("{}/", visit.pages.url);
    let want = [
        "page_view /",
        "feature_use asked",
        "outbound http://127.0.0.1:9/away",
        "form contact",
        "form named",
        "form",
    ];
    let mut found: Vec<Value> = Vec::new();
    for event in visit.arrived(&want).await {
        if event["eventType"] == "form" {
            found.push(event["eventData"].clone());
        }
        if event["eventType"] == "feature_use" {
            assert_eq!(
                event["eventData"],
                json!({"feature": "asked", "plan": "pro"})
            );
        }
    }
    for form in [
        json!({"name": "contact", "id": "contact", "url": url}),
        json!({"name": "named", "id": "", "url": url}),
        json!({"name": "", "id": "", "url": url}),
    ] {
        assert!(found.contains(&form), "{form}: {found:?}");
    }
}

#[tokio::test]
async fn images_named_like_the_documents_properties_are_not_taken_for_them() {
    let head = format!(
        "{}<form name=images></form><div id=shoreline></div>",
        all("img")
    );
    let asked = Setup::attributes("data-outbound");
    let page = Setup {
        head,
        ..asked.and_body("<a id=away href='http://127.0.0.1:9/away'>away</a>")
    };
    let visit = Visit::begin(page.and_script(CLICK)).await;
    visit.go("/named").await;
    visit.browser.run("press(away)").await;
    visit.feature("f").await;
    visit.flush().await;
    visit.go_away("about:blank").await;
    let want = [
        "page_view /named",
        "outbound http://127.0.0.1:9/away",
        "feature_use f",
    ];
    let events = visit.arrived(&want).await;
    let view = events
        .iter()
        .find(|event| event["eventType"] == "page_view");
    assert_eq!(view.unwrap()["eventData"]["title"], "/named");
    let left = shoreline_tests::eventually("the page is left", async || {
        let events = visit.site.stored().await;
        events
            .into_iter()
            .find(|event| event["eventType"] == "page_leave")
    })
    .await;
    assert_eq!(left["eventData"]["scrollDepth"], 100, "{left}");
    assert!(
        left["eventData"]["engagedMs"].as_f64() > Some(0.0),
        "{left}"
    );
}

#[tokio::test]
async fn elements_named_shoreline_stand_in_nobodys_way() {
    let early = "<script>shoreline('feature', 'early')</script>";
    for element in [
        "<div id=shoreline></div>",
        "<div id=shoreline></div><div id=shoreline></div>",
        "<form id=shoreline><input name=on><input name=q><input name=silent></form>",
    ] {
        let stub = shoreline_tests::visit::stub();
        let visit = Visit::open(Setup {
            head: format!("{element}<script>{stub}</script>{early}"),
            ..Setup::default()
        })
        .await;
        visit.flush().await;
        visit.arrived(&["page_view /", "feature_use early"]).await;
        // And where the first line of the snippet was left out.
        let alone = visit
            .browser
            .run("return document.querySelector('script[data-key]').outerHTML");
        let alone = alone.await.as_str().unwrap().to_owned();
        let pages = shoreline_tests::pages::Pages::serve(shoreline_tests::pages::Page {
            head: element.into(),
            snippet: alone,
            ..Default::default()
        })
        .await;
        visit.go_away(&format!("{}/alone", pages.url)).await;
        visit.loaded().await;
        visit.flush().await;
        let want = ["page_view /", "feature_use early", "page_view /alone"];
        visit.arrived(&want).await;
    }
}
