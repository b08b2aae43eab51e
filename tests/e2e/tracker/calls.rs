//! What a page may call, when, and what comes of it.

use serde_json::{Value, json};
use shoreline_tests::eventually;
use shoreline_tests::visit::{Setup, Visit};

#[tokio::test]
async fn every_call_is_an_event_as_documented() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    calls_are_events(&visit).await;
}

#[tokio::test]
async fn calls_while_the_module_is_on_its_way_are_the_same_events() {
    let visit = Visit::begin(Setup::default()).await;
    visit.proxy.hold_module(true);
    visit.go("/").await;
    calls_are_events(&visit).await;
}

/// Makes every call; then the module comes, if it was held back.
async fn calls_are_events(visit: &Visit) {
    let calls = "\
        shoreline.page(); \
        shoreline.feature('export', { format: 'csv', duration: 12.5 }); \
        shoreline.track('page_leave', { by: 'hand' }); \
        shoreline.content('article', { words: 300 }); \
        shoreline.ai({ model: 'm-1', tokens: 1200, cost: 0.001234 }); \
        shoreline.error(new RangeError('out of range'), { part: 'chart' }); \
        shoreline.error('a message'); \
        shoreline.identify('user-7'); \
        shoreline.feature('as a user'); \
        shoreline.reset(); \
        shoreline.feature('as nobody');";
    visit.browser.run(calls).await;
    visit.proxy.hold_module(false);
    let outcome = visit.flush().await;
    for lost in ["rejected", "dropped", "pending"] {
        assert_eq!(outcome[lost], 0, "{outcome}");
    }
    let want = [
        "page_view /",
        "page_view /",
        "feature_use export",
        "content_create",
        "ai_request",
        "error out of range",
        "error a message",
        "identify",
        "feature_use as a user",
        "feature_use as nobody",
    ];
    let events = visit.arrived(&want).await;
    let find = |kind: &str, key: &str, value: &str| -> &Value {
        let is_it = |e: &&Value| e["eventType"] == kind && e["eventData"][key] == value;
        events.iter().find(is_it).unwrap_or(&Value::Null)
    };
    let feature = find("feature_use", "feature", "export");
    assert_eq!(
        feature["eventData"],
        json!({"feature": "export", "format": "csv", "duration": 12.5})
    );
    let content = find("content_create", "contentType", "article");
    assert_eq!(content["eventData"]["words"], 300);
    let ai = find("ai_request", "model", "m-1");
    assert_eq!(
        ai["eventData"],
        json!({"model": "m-1", "tokens": 1200, "cost": 0.001234})
    );
    let error = find("error", "message", "out of range");
    assert_eq!(error["eventData"]["part"], "chart");
    assert!(
        error["eventData"]["stack"]
            .as_str()
            .unwrap()
            .contains("RangeError")
    );
    let user = find("feature_use", "feature", "as a user");
    let nobody = find("feature_use", "feature", "as nobody");
    assert_eq!(user["userId"], "user-7");
    assert_eq!(user["sessionId"], feature["sessionId"]);
    for other in [user, feature] {
        assert_ne!(nobody["userId"], other["userId"]);
        assert_ne!(nobody["sessionId"], other["sessionId"]);
    }
}

#[tokio::test]
async fn calls_before_the_script_is_there_are_made_in_order() {
    let early = "shoreline('identify', 'early-bird'); \
        for (let n = 0; n < 100; n++) shoreline('feature', `early${n}`); \
        window.flushed = 0; shoreline('on', 'sent', ({ events }) => { flushed += events })";
    let visit = Visit::open(Setup::early_script(early)).await;
    visit.flush().await;
    let mut want = shoreline_tests::visit::numbered("early", 100);
    want.push("page_view /".to_owned());
    let events = visit.arrived(&want).await;
    assert!(events.iter().all(|event| event["userId"] == "early-bird"));
    let mut sent = Vec::new();
    for post in visit.proxy.taken() {
        let events = post.body["events"].as_array().unwrap().clone();
        sent.extend(
            events
                .iter()
                .filter_map(|e| e["eventData"]["feature"].as_str().map(str::to_owned)),
        );
    }
    let order: Vec<String> = (0..100).map(|n| format!("early{n}")).collect();
    assert_eq!(sent, order);
    eventually("the page is told of all", async || {
        (visit.browser.run("return flushed").await == 101).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nothing_is_thrown_into_the_page() {
    let watch = "window.thrown = []; \
        addEventListener('error', (event) => thrown.push(String(event.message))); \
        addEventListener('unhandledrejection', (event) => thrown.push(String(event.reason)))";
    let visit = Visit::open(Setup::script(watch)).await;
    let calls = "\
        const cyclic = {}; cyclic.self = cyclic; \
        const hostile = { get name() { throw new Error('getter') } }; \
        const odd = [undefined, null, 0, -1, NaN, '', 'x', true, 7n, Symbol('s'), [], {}, cyclic, hostile, \
            { n: 7n }, { toJSON() { throw new Error('toJSON') } }, () => {}, new Proxy({}, { get() { throw new Error('proxy') } }), \
            document, window]; \
        const names = ['init', 'page', 'feature', 'track', 'content', 'ai', 'error', 'identify', 'on', 'flush', \
            'constructor', '__proto__', 'nothing', undefined, null, 7n, {}, Symbol('name'), /name/]; \
        const tried = []; \
        for (const name of names) for (const first of odd) for (const second of [undefined, cyclic, hostile, 7n]) { \
            try { shoreline(name, first, second) } catch (error) { tried.push(`${String(name)}: ${error}`) } \
            try { if (typeof shoreline[name] === 'function' && typeof name === 'string' && name !== 'constructor') shoreline[name](first, second) } \
            catch (error) { tried.push(`.${String(name)}: ${error}`) } } \
        try { shoreline() } catch (error) { tried.push(`none: ${error}`) } \
        return tried";
    assert_eq!(visit.browser.run(calls).await, json!([]));
    visit.flush().await;
    visit
        .browser
        .run("shoreline('identify', 'u'); shoreline('feature', 'still works')")
        .await;
    visit.flush().await;
    eventually("the next event is stored", async || {
        let events = visit.site.stored().await;
        events
            .iter()
            .any(|event| event["eventData"]["feature"] == "still works")
            .then_some(())
    })
    .await;
    assert_eq!(visit.browser.run("return thrown").await, json!([]));
}

#[tokio::test]
async fn what_cannot_be_sent_is_told() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    let calls = "window.lost = []; \
        shoreline.on('dropped', ({ events, reason }) => lost.push(`${events} ${reason}`)); \
        const cyclic = {}; cyclic.self = cyclic; \
        shoreline.feature('cyclic', cyclic); shoreline.feature('big', { n: 1n }); \
        shoreline.feature('huge', { texts: Array(40).fill('x'.repeat(1000)) }); \
        shoreline.nothing?.(); shoreline('nothing')";
    visit.browser.run(calls).await;
    let told = json!(["0 bad_call", "1 bad_data", "1 bad_data", "1 too_large"]);
    shoreline_tests::eventually_is("all is told", told, async || {
        visit.browser.run("return lost.toSorted()").await
    })
    .await;
    visit.feature("after").await;
    visit.flush().await;
    visit.arrived(&["page_view /", "feature_use after"]).await;
}

#[tokio::test]
async fn more_events_than_there_is_room_for_give_way_oldest_first_and_the_next_batch_says_so() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    visit
        .browser
        .run("window.lost = 0; shoreline.on('dropped', ({ events }) => { lost += events })")
        .await;
    visit.proxy.set(shoreline_tests::proxy::Fault::Cut);
    visit.features("f", 1200).await;
    visit.flush().await;
    visit.proxy.set(shoreline_tests::proxy::Fault::None);
    visit.flush().await;
    let kept = eventually("all that was kept is taken", async || {
        let outcome = visit.flush().await;
        let features = |post: &shoreline_tests::proxy::Post| post.ids().len();
        let taken: usize = visit.proxy.taken().iter().skip(1).map(features).sum();
        (outcome["pending"] == 0).then_some(taken)
    })
    .await;
    let lost = visit.browser.run("return lost").await.as_u64().unwrap();
    assert_eq!(kept as u64 + lost, 1200);
    assert!((200..1200).contains(&lost), "{lost} lost");
    let mut said = 0;
    let mut names = Vec::new();
    for post in visit.proxy.taken().iter().skip(1) {
        said += post.body["dropped"].as_u64().unwrap_or(0);
        names.extend(
            post.body["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["eventData"]["feature"].clone()),
        );
    }
    assert_eq!(said, lost, "batches say how many events gave way");
    let newest: Vec<Value> = (lost..1200).map(|n| json!(format!("f{n}"))).collect();
    assert_eq!(names, newest, "the oldest give way");
}
