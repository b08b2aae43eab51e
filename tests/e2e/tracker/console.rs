//! What a developer is told in the console, and by `flush`.

use serde_json::{Value, json};
use shoreline_tests::events::{batch, view};
use shoreline_tests::proxy::Fault;
use shoreline_tests::visit::{Setup, Visit};

/// Keeps what is said in the console.
const LISTEN: &str = "window.said = []; for (const kind of ['log', 'info', 'warn', 'error']) { \
    const real = console[kind]; \
    console[kind] = (...all) => { said.push(all.join(' ')); real.apply(console, all) } }";

async fn said(visit: &Visit) -> Vec<String> {
    serde_json::from_value(visit.browser.run("return said").await).unwrap()
}

#[tokio::test]
async fn events_that_were_refused_within_a_batch_are_told_by_flush_and_once_in_the_console() {
    let visit = Visit::open(Setup::script(LISTEN)).await;
    for round in 0..2 {
        visit.features(&format!("f{round}-"), 6).await;
        let refused = "shoreline('track', 'iam.user-registered'); shoreline('track', 'not a type')";
        visit.browser.run(refused).await;
        let outcome = visit.flush().await;
        let sent = if round == 0 { 7 } else { 6 };
        let want = json!({"sent": sent, "rejected": 2, "dropped": 0, "pending": 0});
        assert_eq!(outcome, want);
    }
    let said = said(&visit).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("invalid_event_type"), "{said:?}");
}

#[tokio::test]
async fn a_batch_that_was_refused_and_what_was_lost_here_are_said_once_each() {
    let visit = Visit::open(Setup::script(LISTEN)).await;
    visit.flush().await;
    visit.proxy.set_times(2, Fault::Answer(403, None));
    for _ in 0..2 {
        visit.features("f", 3).await;
        let outcome = visit.flush().await;
        assert_eq!(
            (&outcome["sent"], &outcome["rejected"]),
            (&json!(0), &json!(3))
        );
    }
    let lost = "for (let n = 0; n < 2; n++) { shoreline('feature', 'f', { n: 1n }); \
        shoreline('feature', 'f', { texts: Array(40).fill('x'.repeat(1000)) }) }";
    visit.browser.run(lost).await;
    visit.flush().await;
    let said = said(&visit).await;
    for (at, word) in ["rejected", "bad_data", "too_large"].iter().enumerate() {
        assert!(said[at].contains(word), "{word}: {said:?}");
    }
    assert_eq!(said.len(), 3, "{said:?}");
    // A batch that waits is no loss.
    visit
        .proxy
        .set_times(1, Fault::Answer(503, Some("1".into())));
    visit.feature("waits").await;
    visit.flush().await;
    visit.arrived(&["page_view /", "feature_use waits"]).await;
    assert_eq!(visit.browser.run("return said.length").await, 3);
}

#[tokio::test]
async fn a_page_that_does_not_count_says_why_and_how_it_would() {
    let visit = Visit::open(Setup {
        include_local: false,
        ..Setup::script(LISTEN)
    })
    .await;
    visit.features("f", 5).await;
    let said_once = said(&visit).await;
    assert_eq!(said_once.len(), 1, "{said_once:?}");
    for word in ["automated", "data-include-local"] {
        assert!(said_once[0].contains(word), "{said_once:?}");
    }
    // On a machine whose browser nobody drives, the address is what is left.
    let alone = "Object.defineProperty(Navigator.prototype, 'webdriver', { value: false })";
    let visit = Visit::open(Setup {
        include_local: false,
        ..Setup::script(LISTEN).and_script(alone)
    })
    .await;
    let said = said(&visit).await;
    for word in ["local", "data-include-local"] {
        assert!(said[0].contains(word), "{said:?}");
    }
    visit.site.send_ok(&batch(&[view("/marker", "u")])).await;
    assert_eq!(visit.proxy.posts().len(), 0);
}

#[tokio::test]
async fn an_e_mail_address_as_an_id_is_warned_of_once() {
    let visit = Visit::open(Setup::script(LISTEN)).await;
    for call in [
        "'u-1'",
        "7",
        "'alice@example.com'",
        "'bob@example.com'",
        "null",
    ] {
        visit
            .browser
            .run(&format!("shoreline('identify', {call})"))
            .await;
    }
    let said_once = said(&visit).await;
    assert_eq!(said_once.len(), 1, "{said_once:?}");
    assert!(said_once[0].contains("data-hash-ids"), "{said_once:?}");
    assert!(!said_once[0].contains("alice"), "{said_once:?}");

    // A page that asks for hashes says so with each batch, and is not warned.
    let visit = Visit::open(Setup::attributes("data-hash-ids").and_script(LISTEN)).await;
    let call = "shoreline('identify', 'alice@example.com'); shoreline('feature', 'f')";
    visit.browser.run(call).await;
    visit.flush().await;
    let asked = "return performance.getEntriesByType('resource').map(({ name }) => name)\
        .filter((name) => name.includes('/v1/events'))";
    let Value::Array(asked) = visit.browser.run(asked).await else {
        panic!("no list")
    };
    assert!(!asked.is_empty());
    for url in asked {
        assert!(url.as_str().unwrap().ends_with("&hashIds=1"), "{url}");
    }
    assert_eq!(said(&visit).await, Vec::<String>::new());
}
