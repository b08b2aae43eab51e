//! What the snippet costs a page.
//!
//! A busy machine only ever makes things slower: what is measured several times and was below a
//! bound once does not need more than that bound.

use serde_json::{Value, json};
use shoreline_tests::proxy::Fault;
use shoreline_tests::visit::{Setup, Visit};

/// How often something is measured.
const ROUNDS: usize = 7;

/// A phone, as the developer tools imitate one.
async fn slow_down(visit: &Visit) {
    visit
        .browser
        .devtools("Emulation.setCPUThrottlingRate", json!({"rate": 4}))
        .await;
}

#[tokio::test]
async fn the_snippet_hears_no_unload_and_adds_no_long_task() {
    let watch = "window.heard = []; window.long = []; \
        const add = EventTarget.prototype.addEventListener; \
        EventTarget.prototype.addEventListener = function (name, ...rest) { heard.push(name); return add.call(this, name, ...rest) }; \
        new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration))) \
        .observe({ type: 'longtask', buffered: true })";
    let visit = Visit::begin(Setup::script(watch)).await;
    slow_down(&visit).await;
    let mut least = usize::MAX;
    for _ in 0..ROUNDS {
        visit.go("/").await;
        visit.features("f", 100).await;
        visit.flush().await;
        let long: Vec<f64> =
            serde_json::from_value(visit.browser.run("return long").await).unwrap();
        least = least.min(long.len());
    }
    assert_eq!(least, 0, "long tasks in every round");
    let heard: Vec<String> =
        serde_json::from_value(visit.browser.run("return heard").await).unwrap();
    assert!(heard.contains(&"pagehide".to_owned()), "{heard:?}");
    for name in ["unload", "beforeunload"] {
        assert!(!heard.contains(&name.to_owned()), "{heard:?}");
    }
    assert_eq!(
        visit
            .browser
            .run("return [window.onunload, window.onbeforeunload]")
            .await,
        json!([null, null])
    );
    let views = vec!["page_view /".to_owned(); ROUNDS];
    let features = shoreline_tests::visit::numbered("f", 100);
    let mut want = views;
    for _ in 0..ROUNDS {
        want.extend(features.clone());
    }
    // More than one answer of the collector's lists; those that were taken are counted instead.
    let taken: usize = visit
        .proxy
        .taken()
        .iter()
        .flat_map(|post| post.body["events"].as_array().unwrap().clone())
        .filter(|event| event["eventType"] != "page_leave")
        .count();
    assert_eq!(taken, want.len());
}

#[tokio::test]
async fn beginning_takes_a_slow_page_fifteen_milliseconds_at_most() {
    let visit = Visit::open(Setup::default()).await;
    slow_down(&visit).await;
    visit.browser.devtools("Profiler.enable", json!({})).await;
    let interval = json!({"interval": 100});
    visit
        .browser
        .devtools("Profiler.setSamplingInterval", interval)
        .await;
    let mut least = f64::MAX;
    for round in 0..ROUNDS {
        visit.browser.devtools("Profiler.start", json!({})).await;
        visit.go(&format!("/{round}")).await;
        visit.flush().await;
        let profile = visit.browser.devtools("Profiler.stop", json!({})).await;
        let ms = time_in(&profile["profile"], &visit.proxy.url);
        assert!(ms > 0.0, "the tracker was not seen at work");
        least = least.min(ms);
    }
    assert!(least <= 15.0, "{least} ms");
}

/// The time that a profile spent in scripts from there and in what they called, milliseconds.
fn time_in(profile: &Value, url: &str) -> f64 {
    let nodes = profile["nodes"].as_array().unwrap();
    let mut inside = std::collections::BTreeSet::new();
    // Parents come before their children.
    for node in nodes {
        let is_ours = node["callFrame"]["url"].as_str().unwrap().starts_with(url);
        if is_ours || inside.contains(&node["id"].as_i64().unwrap()) {
            inside.insert(node["id"].as_i64().unwrap());
            for child in node["children"].as_array().into_iter().flatten() {
                inside.insert(child.as_i64().unwrap());
            }
        }
    }
    let samples = profile["samples"].as_array().unwrap();
    let deltas = profile["timeDeltas"].as_array().unwrap();
    // What passed until the next sample was spent in this one.
    let spent: f64 = samples
        .iter()
        .zip(&deltas[1..])
        .filter(|(sample, _)| inside.contains(&sample.as_i64().unwrap()))
        .map(|(_, delta)| delta.as_f64().unwrap())
        .sum();
    spent / 1000.0
}

#[tokio::test]
async fn a_feature_costs_a_slow_page_fifty_microseconds_at_most() {
    let visit = Visit::open(Setup::default()).await;
    slow_down(&visit).await;
    let mut least = f64::MAX;
    let mut want = vec!["page_view /".to_owned()];
    for round in 0..ROUNDS {
        let measure = format!(
            "const start = performance.now(); \
             for (let n = 0; n < 50; n++) shoreline.feature(`r{round}-${{n}}`, {{ plan: 'pro' }}); \
             return (performance.now() - start) * 1000 / 50"
        );
        let each = visit.browser.run(&measure).await;
        least = least.min(each.as_f64().unwrap());
        want.extend(shoreline_tests::visit::numbered(&format!("r{round}-"), 50));
        visit.flush().await;
    }
    assert!(least <= 50.0, "{least} µs");
    visit.arrived(&want).await;
}

#[tokio::test]
async fn a_thousand_events_that_wait_take_a_megabyte_at_most() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    visit.proxy.set(Fault::Cut);
    let heap = async || {
        visit
            .browser
            .devtools("HeapProfiler.collectGarbage", json!({}))
            .await;
        let usage = visit
            .browser
            .devtools("Runtime.getHeapUsage", json!({}))
            .await;
        ["usedSize", "embedderHeapUsedSize", "backingStorageSize"]
            .iter()
            .filter_map(|part| usage[part].as_f64())
            .sum::<f64>()
    };
    let before = heap().await;
    visit.features("f", 1000).await;
    let outcome = visit.flush().await;
    let pending = outcome["pending"].as_f64().unwrap();
    let after = heap().await;
    assert!(pending > 500.0, "{outcome}");
    let of_a_thousand = (after - before) * 1000.0 / pending;
    assert!(of_a_thousand <= 1_048_576.0, "{of_a_thousand} bytes");
}
