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
        visit.features("f", 20).await;
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
    let mut want = Vec::new();
    for _ in 0..ROUNDS {
        want.push("page_view /".to_owned());
        want.extend(shoreline_tests::visit::numbered("f", 20));
    }
    visit.arrived(&want).await;
}

#[tokio::test]
async fn beginning_takes_a_slow_page_fifteen_milliseconds_at_most() {
    let visit = Visit::open(Setup::default()).await;
    // The main thread's own time, without what other programs take of the processor meanwhile.
    let own_time = json!({"timeDomain": "threadTicks"});
    visit.browser.devtools("Performance.enable", own_time).await;
    let mut least = f64::MAX;
    for round in 0..ROUNDS {
        slow_down(&visit).await;
        visit.go(&format!("/{round}")).await;
        visit.flush().await;
        let metrics = visit
            .browser
            .devtools("Performance.getMetrics", json!({}))
            .await;
        // Since the page began: the tracker until its first batch was answered for, and the test's
        // own scripts.
        let ms =
            1000.0 * (metric(&metrics, "ScriptDuration") + metric(&metrics, "V8CompileDuration"));
        assert!(ms > 0.0, "{metrics}");
        least = least.min(ms);
    }
    assert!(least <= 15.0, "{least} ms");
}

fn metric(metrics: &Value, name: &str) -> f64 {
    let all = metrics["metrics"].as_array().unwrap();
    let found = all.iter().find(|metric| metric["name"] == name);
    found.unwrap()["value"].as_f64().unwrap()
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
