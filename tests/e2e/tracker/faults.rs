//! A collector in trouble: what it did not take comes again, under the same ids, when it may.

use std::time::{Duration, Instant};

use shoreline_tests::eventually;
use shoreline_tests::proxy::{Fault, Post};
use shoreline_tests::visit::{Setup, Visit};

/// Keeps what the tracker reports, for a test to read.
const REPORTS: &str = "window.reports = []; \
    for (const kind of ['sent', 'dropped', 'rejected']) \
    window.shoreline('on', kind, (report) => reports.push([kind, report.events]))";

fn with_reports() -> Setup {
    Setup::early_script(REPORTS)
}

async fn reported(visit: &Visit, kind: &str) -> i64 {
    let script = format!(
        "return reports.filter(([k]) => k === '{kind}').reduce((sum, [, n]) => sum + n, 0)"
    );
    visit.browser.run(&script).await.as_i64().unwrap()
}

/// The batch that was posted again and again.
fn same_batch(posts: &[Post]) {
    for post in posts {
        assert_eq!(post.batch_id(), posts[0].batch_id());
        assert_eq!(post.body["events"], posts[0].body["events"]);
    }
}

#[tokio::test]
async fn a_batch_refused_three_times_with_503_comes_again_as_it_was() {
    let visit = Visit::open(with_reports()).await;
    visit.flush().await;
    visit
        .proxy
        .set_times(3, Fault::Answer(503, Some("1".into())));
    let mut want = visit.features("f", 10).await;
    visit.browser.run("void shoreline.flush()").await;
    want.push("page_view /".to_owned());
    let events = visit.arrived(&want).await;
    let posts = visit.proxy.posts();
    assert_eq!(posts.len(), 1 + 4);
    same_batch(&posts[1..]);
    for pair in posts[1..].windows(2) {
        let waited = pair[1].at - pair[0].at;
        assert!(waited >= Duration::from_secs(1), "{waited:?}");
    }
    eventually("the page is told", async || {
        (reported(&visit, "sent").await == 11).then_some(())
    })
    .await;
    assert_eq!(reported(&visit, "rejected").await, 0);
    visit.landed(&events).await;
}

#[tokio::test]
async fn retry_after_is_kept_to_even_by_a_flush() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    visit
        .proxy
        .set_times(1, Fault::Answer(429, Some("4".into())));
    let mut want = visit.features("f", 10).await;
    visit.flush().await;
    want.extend(visit.features("meanwhile", 10).await);
    visit.flush().await;
    want.push("page_view /".to_owned());
    visit.arrived(&want).await;
    let posts = visit.proxy.posts();
    same_batch(&posts[1..3]);
    let waited = posts[2].at - posts[1].at;
    assert!(waited >= Duration::from_secs(4), "{waited:?}");
    assert_eq!(posts.len(), 4);
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    // Dates have whole seconds: this one is four seconds away at least.
    let not_before = Instant::now() + Duration::from_secs(4);
    let date = "return new Date(Date.now() + 5000).toUTCString()";
    let date = visit.browser.run(date).await;
    let date = date.as_str().unwrap().to_owned();
    visit.proxy.set_times(1, Fault::Answer(503, Some(date)));
    let mut want = visit.features("f", 10).await;
    visit.flush().await;
    want.push("page_view /".to_owned());
    visit.arrived(&want).await;
    let posts = visit.proxy.posts();
    assert_eq!(posts.len(), 3);
    same_batch(&posts[1..]);
    assert!(posts[2].at >= not_before);
}

#[tokio::test]
async fn a_batch_too_large_for_the_collector_is_split_until_it_fits() {
    let visit = Visit::open(with_reports()).await;
    visit.flush().await;
    visit.proxy.set(Fault::TooLarge(5));
    let mut want = visit.features("f", 20).await;
    visit.flush().await;
    want.push("page_view /".to_owned());
    visit.arrived(&want).await;
    let posts = visit.proxy.posts();
    assert!(
        posts
            .iter()
            .any(|post| post.fault == Fault::Answer(413, None))
    );
    let mut ids: Vec<&str> = posts.iter().map(Post::batch_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), posts.len(), "a part is a batch of its own");
    assert_eq!(reported(&visit, "dropped").await, 0);
    assert_eq!(reported(&visit, "rejected").await, 0);
}

#[tokio::test]
async fn an_event_too_large_by_itself_is_given_up_and_told() {
    let visit = Visit::open(with_reports()).await;
    visit.flush().await;
    visit.proxy.set(Fault::TooLarge(0));
    visit.features("f", 3).await;
    visit.flush().await;
    eventually("the page is told of three", async || {
        let told = reported(&visit, "dropped").await + reported(&visit, "rejected").await;
        (told == 3).then_some(())
    })
    .await;
    visit.proxy.set(Fault::None);
    visit.feature("after").await;
    visit.flush().await;
    visit.arrived(&["page_view /", "feature_use after"]).await;
}

#[tokio::test]
async fn what_the_collector_refuses_for_good_is_told_and_not_sent_again() {
    let visit = Visit::open(with_reports()).await;
    visit.flush().await;
    for status in [400, 401, 403, 404, 415, 422] {
        visit.proxy.set_times(1, Fault::Answer(status, None));
        visit.features(&format!("s{status}-"), 2).await;
        visit.flush().await;
    }
    visit.feature("after").await;
    visit.flush().await;
    visit.arrived(&["page_view /", "feature_use after"]).await;
    assert_eq!(visit.proxy.posts().len(), 1 + 6 + 1);
    eventually("the page is told of twelve", async || {
        (reported(&visit, "rejected").await == 12).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_batch_stored_without_an_answer_comes_again_and_counts_once() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    visit.proxy.set_times(2, Fault::StoreAndCut);
    let mut want = visit.features("f", 20).await;
    visit.browser.run("void shoreline.flush()").await;
    want.push("page_view /".to_owned());
    eventually("the batch has come three times", async || {
        (visit.proxy.posts().len() == 4 && visit.proxy.taken().len() == 4).then_some(())
    })
    .await;
    let posts = visit.proxy.posts();
    same_batch(&posts[1..]);
    let events = visit.arrived(&want).await;
    assert_eq!(visit.site.live_count("feature_use").await, 20);
    visit.landed(&events).await;
}

#[tokio::test]
async fn a_collector_that_falls_silent_is_given_up_waiting_for_and_asked_again() {
    // The test has no half minute: it asks what the deadline is, and gives the request that is held a shorter one. All
    // others keep theirs: a busy machine may take half a second for an answer.
    let shorter = "window.deadlines = []; const real = AbortSignal.timeout; \
        AbortSignal.timeout = (ms) => { deadlines.push(ms); const part = window.part ?? 1; window.part = 1; \
        return real.call(AbortSignal, ms * part) }";
    let visit = Visit::open(with_reports().and_script(shorter)).await;
    visit.flush().await;
    visit.proxy.set_times(1, Fault::StoreAndHold);
    visit.browser.run("window.part = 1 / 60").await;
    let mut want = visit.features("f", 60).await;
    visit.browser.run("void shoreline.flush()").await;
    want.push("page_view /".to_owned());
    let events = visit.arrived(&want).await;
    let posts = visit.proxy.posts();
    assert_eq!(posts.len(), 1 + 4, "the first of three comes twice");
    same_batch(&posts[1..3]);
    assert!(posts[2].at - posts[1].at >= Duration::from_millis(500));
    eventually("the page is told of all", async || {
        (reported(&visit, "sent").await == 61).then_some(())
    })
    .await;
    let deadlines = visit.browser.run("return [...new Set(deadlines)]").await;
    assert_eq!(deadlines, serde_json::json!([30_000]));
    visit.landed(&events).await;
}

#[tokio::test]
async fn an_event_refused_within_a_batch_is_told_in_the_answer() {
    let visit = Visit::open(Setup::early_script(
        "window.answers = []; shoreline('on', 'sent', ({ events, status, answer }) => answers.push([events, status, answer]))",
    ))
    .await;
    visit
        .browser
        .run("shoreline('track', 'iam.user-registered', { n: 1 })")
        .await;
    visit.feature("f").await;
    visit.flush().await;
    let stored = ["feature_use f", "page_view /"].map(str::to_owned).to_vec();
    shoreline_tests::eventually_is("the others are stored", stored, async || {
        shoreline_tests::visit::told(&visit.stored().await)
    })
    .await;
    let answers = visit.browser.run("return answers").await;
    assert_eq!(answers[0][0], 3, "{answers}");
    assert_eq!(answers[0][1], 202);
    assert_eq!(answers[0][2]["accepted"], 2);
    assert_eq!(answers[0][2]["results"][0]["code"], "invalid_event_type");
}
