//! RudderStack's browser SDK, which fetches its source's configuration first.

use serde_json::json;
use shoreline_tests::clients::ClientPage;
use shoreline_tests::system::shared;

use super::{of_type, one, stored};

#[tokio::test]
async fn every_call_is_stored_once_by_request_and_by_beacon() {
    for beacon in [false, true] {
        let site = shared().new_local_site().await;
        let config = json!({"collector": site.url, "writeKey": site.browser_key, "beacon": beacon});
        let page = ClientPage::open("rudderstack-browser.mjs", &config, "").await;
        let anonymous = page.browser.value("app.everything()").await;
        let stored = stored(&site, 5).await;
        let view = one(&stored, "name", "Setup");
        assert_eq!(view["eventType"], "page_view");
        assert_eq!(view["userId"], anonymous);
        assert_eq!(view["eventData"]["url"], format!("{}/", page.pages.url));
        assert_eq!(view["eventData"]["colour"], "green");
        assert_eq!(view["metadata"]["platform"], "web");
        let track = one(&stored, "feature", "Order Placed");
        assert_eq!(track["eventData"]["total"], 12.5);
        assert_eq!(track["sessionId"], view["sessionId"]);
        let identify = of_type(&stored, "segment.identify");
        assert_eq!(identify["userId"], "user-1");
        assert_eq!(identify["eventData"]["traits"]["plan"], "pro");
        assert_eq!(
            of_type(&stored, "segment.group")["eventData"]["groupId"],
            "acme"
        );
        let alias = of_type(&stored, "segment.alias");
        assert_eq!(alias["eventData"]["previousId"], "user-1");
    }
}
