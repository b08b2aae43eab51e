//! The demo page is for everybody: axe-core on each of its pages.

use serde_json::json;

use crate::dashboard::access::complaints_of;
use crate::demo::open;

#[tokio::test]
async fn axe_finds_nothing_on_any_page_in_either_theme() {
    let browser = open().await;
    for scheme in ["light", "dark"] {
        // Nothing is looked at while it fades in.
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}]});
        browser.devtools("Emulation.setEmulatedMedia", media).await;
        for width in [360, 1280] {
            let size =
                json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
            browser
                .devtools("Emulation.setDeviceMetricsOverride", size)
                .await;
            for route in ["/", "/catalog", "/pool", "/journal"] {
                browser
                    .run(&format!(
                        "document.querySelector('[data-route=\"{route}\"]').click()"
                    ))
                    .await;
                // What buttons do, too.
                let press = "for (const one of document.querySelectorAll('main section:not([hidden]) button')) one.click()";
                browser.run(press).await;
                let found = complaints_of(&browser).await;
                assert_eq!(found, Vec::<String>::new(), "{route} {scheme} {width}");
            }
        }
    }
    browser.close().await;
}
