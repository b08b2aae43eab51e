//! Visits, by clocks that cannot be trusted.

use serde_json::Value;
use shoreline_tests::visit::{Setup, Visit};

/// A clock that the test can move: `clock.ms` is how far it is off.
const CLOCK: &str = "window.clock = { ms: 0 }; const right = Date.now; \
    Date.now = () => right() + clock.ms";

const HOUR: i64 = 3_600_000;

fn session<'a>(events: &'a [Value], feature: &str) -> &'a Value {
    let found = events
        .iter()
        .find(|event| event["eventData"]["feature"] == feature);
    &found.unwrap()["sessionId"]
}

#[tokio::test]
async fn clocks_that_jump_lose_nothing_and_hold_nothing_up() {
    let visit = Visit::open(Setup::script(CLOCK)).await;
    let mut want = vec!["page_view /".to_owned()];
    for (n, hours) in [0, 2, 20, -30, 0, -500, 23].into_iter().enumerate() {
        let jump = format!("clock.ms = {}", hours * HOUR);
        visit.browser.run(&jump).await;
        want.extend(visit.features(&format!("jump{n}-"), 5).await);
        // By itself, without a flush: the timer does not wait for the clock to come back.
        shoreline_tests::eventually_is("what was made is taken", want.len(), async || {
            let taken = visit.proxy.taken();
            taken.iter().map(|post| post.ids().len()).sum()
        })
        .await;
    }
    let events = visit.arrived(&want).await;
    assert_ne!(session(&events, "jump0-0"), session(&events, "jump1-0"));
}

#[tokio::test]
async fn a_clock_that_jumps_while_batches_wait_does_not_hold_them_back() {
    let visit = Visit::open(Setup::script(CLOCK)).await;
    visit.flush().await;
    visit.proxy.set(shoreline_tests::proxy::Fault::Cut);
    let mut want = visit.features("before", 10).await;
    visit.flush().await;
    visit
        .browser
        .run(&format!("clock.ms = {}", -10 * HOUR))
        .await;
    want.extend(visit.features("after", 10).await);
    visit.proxy.set(shoreline_tests::proxy::Fault::None);
    want.push("page_view /".to_owned());
    visit.arrived(&want).await;
}

#[tokio::test]
async fn half_an_hour_of_silence_begins_another_visit_of_the_same_visitor() {
    let visit = Visit::open(Setup::script(CLOCK)).await;
    visit.feature("first").await;
    visit
        .browser
        .run(&format!("clock.ms = {}", HOUR / 2 - 60_000))
        .await;
    visit.feature("soon").await;
    visit
        .browser
        .run(&format!("clock.ms = {}", HOUR + 60_000))
        .await;
    visit.feature("later").await;
    visit.flush().await;
    let want = [
        "page_view /",
        "feature_use first",
        "feature_use soon",
        "feature_use later",
    ];
    let events = visit.arrived(&want).await;
    assert_eq!(session(&events, "first"), session(&events, "soon"));
    assert_ne!(session(&events, "first"), session(&events, "later"));
    assert!(
        events
            .iter()
            .all(|event| event["userId"] == events[0]["userId"])
    );
}

#[tokio::test]
async fn a_clock_that_is_a_year_behind_loses_nothing_unsaid() {
    let visit = Visit::open(Setup::early_script(
        "window.counts = { sent: 0, refused: 0 }; \
         shoreline('on', 'sent', ({ events, answer }) => { counts.sent += events - answer.rejected; counts.refused += answer.rejected }); \
         shoreline('on', 'rejected', ({ events }) => { counts.refused += events })",
    )
    .and_script(CLOCK))
    .await;
    visit.flush().await;
    visit
        .browser
        .run(&format!("clock.ms = {}", -8766 * HOUR))
        .await;
    visit.features("year", 10).await;
    visit.flush().await;
    visit.browser.run("clock.ms = 0").await;
    visit.feature("after").await;
    visit.flush().await;
    // The view, ten that were told one way or the other, and what came after.
    let counts = shoreline_tests::eventually("all are told", async || {
        let counts = visit.browser.run("return counts").await;
        let number = |kind: &str| counts[kind].as_u64().unwrap();
        (number("sent") + number("refused") == 12).then_some(number("sent"))
    })
    .await;
    shoreline_tests::eventually_is("what was taken is stored", counts as usize, async || {
        visit.stored().await.len()
    })
    .await;
}
