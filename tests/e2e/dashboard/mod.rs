//! The dashboard in Chromium, against the real system.
//!
//! Every test of a view ends with the numbers of the API; no test leaves a violation of the page's
//! policy or an error of its scripts behind.

pub(crate) mod access;
mod ask;
mod everybody;
mod filters;
mod focus;
mod goals;
mod hostile;
mod letters;
mod live;
mod people;
mod pictures;
mod place;
mod policy;
mod properties;
mod quality;
mod questions;
mod settings;
mod shared;
mod speed;
mod states;
mod stream;
mod times;
mod views;

use serde_json::{Value, json};
use shoreline_tests::browser::{Browser, Profile};
use shoreline_tests::eventually;
use shoreline_tests::root;
use shoreline_tests::site::Site;

/// Every view.
pub(crate) const VIEWS: [&str; 12] = [
    "overview",
    "now",
    "pages",
    "features",
    "content",
    "funnels",
    "goals",
    "properties",
    "ask",
    "errors",
    "quality",
    "settings",
];

/// With this set, views are painted in all widths and themes. It takes a minute of processor time, and asserts nothing.
const SCREENSHOTS: &str = "SHORELINE_SCREENSHOTS";

/// Notes what must not happen on the page.
const WATCH: &str = "window.wrongs = [];\
    addEventListener('securitypolicyviolation', (event) => wrongs.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));\
    addEventListener('error', (event) => wrongs.push(event.message));\
    addEventListener('unhandledrejection', (event) => wrongs.push(String(event.reason)));";

/// A browser that is signed in.
pub(crate) struct Dashboard {
    pub(crate) browser: Browser,
    pub(crate) site: Site,
}

impl Dashboard {
    /// Opens a place of the dashboard (`?view=…`), signs in by the form, and waits for the data.
    pub(crate) async fn open(site: Site, query: &str) -> Self {
        let dashboard = Self::at_the_door(site, query).await;
        dashboard.sign_in(&dashboard.site.read_token.clone()).await;
        dashboard.ready().await;
        dashboard
    }

    /// Opens a place as visitors do who have the whole browser: for how long it takes.
    pub(crate) async fn open_in_whole_browser(site: Site, query: &str) -> Self {
        let browser = Browser::start_in(Profile::whole()).await;
        let dashboard = Self::at_the_door_in(browser, site, query).await;
        dashboard.sign_in(&dashboard.site.read_token.clone()).await;
        dashboard.ready().await;
        dashboard
    }

    /// Opens it without signing in.
    pub(crate) async fn at_the_door(site: Site, query: &str) -> Self {
        Self::at_the_door_in(Browser::start().await, site, query).await
    }

    async fn at_the_door_in(browser: Browser, site: Site, query: &str) -> Self {
        browser.devtools("Page.enable", json!({})).await;
        let watch = json!({"source": WATCH});
        browser
            .devtools("Page.addScriptToEvaluateOnNewDocument", watch)
            .await;
        let dashboard = Self { browser, site };
        dashboard.resize(1280, 1000).await;
        dashboard.go_to_the_door(query).await;
        dashboard
    }

    /// Opens a place, as a new page, and waits for nothing.
    pub(crate) async fn go_to_the_door(&self, query: &str) {
        let url = format!("{}/dashboard/{query}", self.site.url);
        self.browser.open(&url).await;
    }

    /// Types a token and sends the form.
    pub(crate) async fn sign_in(&self, token: &str) {
        eventually("the form is there", async || {
            let there = "return !!document.querySelector('#read-token')";
            (self.browser.run(there).await == true).then_some(())
        })
        .await;
        let script = format!(
            "document.querySelector('#read-token').value = {};",
            json!(token)
        );
        self.browser.run(&script).await;
        self.browser.click(".sign-in .primary").await;
    }

    /// Follows a link to another place, as a new page.
    pub(crate) async fn go(&self, query: &str) {
        self.go_to_the_door(query).await;
        self.ready().await;
    }

    /// Waits until everything that was asked for is shown.
    pub(crate) async fn ready(&self) {
        eventually("the view is filled", async || {
            let filled = "return !!document.querySelector('#main .view > *') && \
                !document.querySelector('#main .skeleton, #main [aria-busy]')";
            (self.browser.run(filled).await == true).then_some(())
        })
        .await;
    }

    /// The width and height of the page, CSS pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.browser
            .devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
    }

    /// What the system says about light and dark.
    pub(crate) async fn scheme(&self, scheme: &str) {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.browser
            .devtools("Emulation.setEmulatedMedia", media)
            .await;
    }

    /// The themes in which a page is looked at whose layout hangs on neither: both where pictures are wanted.
    pub(crate) fn pictured_schemes(&self) -> &'static [&'static str] {
        match std::env::var_os(SCREENSHOTS) {
            Some(_) => &["light", "dark"],
            None => &["light"],
        }
    }

    /// Writes a picture of the page for people to look at, where [`SCREENSHOTS`] asks for it.
    pub(crate) async fn screenshot(&self, name: &str) {
        if std::env::var_os(SCREENSHOTS).is_none() {
            return;
        }
        let folder = root().join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let shot = self.browser.driver().screenshot_as_png().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), shot).unwrap();
    }

    /// The figure with this label; empty where there is none.
    pub(crate) async fn figure(&self, label: &str) -> String {
        let script = format!(
            "const one = [...document.querySelectorAll('.figure')].find((f) => \
             f.querySelector('.figure-label').textContent === {});\
             return one ? one.querySelector('.figure-value').textContent : ''",
            json!(label)
        );
        let value = self.browser.run(&script).await;
        value.as_str().unwrap().to_owned()
    }

    /// The texts of a table's rows; those that are hidden too.
    pub(crate) async fn rows(&self, caption: &str) -> Vec<Vec<String>> {
        let script = format!(
            "const one = [...document.querySelectorAll('table')].find((t) => \
             t.caption.textContent === {});\
             return one ? [...one.tBodies[0].rows].filter((r) => !r.querySelector('.none'))\
             .map((r) => [...r.cells].map((c) => c.textContent)) : []",
            json!(caption)
        );
        serde_json::from_value(self.browser.run(&script).await).unwrap()
    }

    /// The query of the URL.
    pub(crate) async fn query(&self) -> String {
        let query = self.browser.run("return location.search").await;
        query.as_str().unwrap().to_owned()
    }

    /// Clicks the first link or button with this text.
    pub(crate) async fn press(&self, text: &str) {
        let script = format!(
            "const one = [...document.querySelectorAll('a, button, summary')]\
             .find((e) => e.textContent.trim() === {0});\
             if (!one) throw new Error('nothing says ' + {0}); one.click()",
            json!(text)
        );
        self.browser.run(&script).await;
    }

    /// Nothing went wrong on this page: no violation of the policy, no error of a script.
    pub(crate) async fn nothing_wrong(&self) {
        let wrongs: Value = self.browser.run("return window.wrongs").await;
        assert_eq!(wrongs, json!([]));
    }
}

/// Two days of the seeded data.
pub(crate) fn date_range() -> (String, String) {
    use crate::filled::{DAYS, date};
    (date(DAYS), date(2))
}

/// A whole number as the page writes it, in the browser's English.
pub(crate) fn number(value: &Value) -> String {
    let digits = value
        .as_i64()
        .unwrap_or_else(|| panic!("{value}"))
        .to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share as the page writes it.
pub(crate) fn percent(share: &Value) -> String {
    let tenths = (share.as_f64().unwrap() * 1000.0).round() / 10.0;
    format!("{tenths}%")
}
