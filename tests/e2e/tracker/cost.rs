//! What the snippet costs a page, as far as it is no matter of time: `npm run bench -- tracker`
//! measures that.

use serde_json::json;
use shoreline_tests::proxy::Fault;
use shoreline_tests::visit::{Setup, Visit};

#[tokio::test]
async fn the_snippet_hears_no_unload() {
    let watch = "window.heard = []; \
        const add = EventTarget.prototype.addEventListener; \
        EventTarget.prototype.addEventListener = function (name, ...rest) { heard.push(name); return add.call(this, name, ...rest) }";
    let visit = Visit::begin(Setup::script(watch)).await;
    visit.go("/").await;
    visit.flush().await;
    let heard: Vec<String> =
        serde_json::from_value(visit.browser.run("return heard").await).unwrap();
    assert!(heard.contains(&"pagehide".to_owned()), "{heard:?}");
    for name in ["unload", "beforeunload"] {
        assert!(!heard.contains(&name.to_owned()), "{heard:?}");
    }
    let set = "return [window.onunload, window.onbeforeunload]";
    assert_eq!(visit.browser.run(set).await, json!([null, null]));
    visit.arrived(&["page_view /".to_owned()]).await;
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
