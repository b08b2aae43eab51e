//! A visitor in Chromium on a page with the snippet, whose events go through a proxy to a site of
//! the test's own.

use serde_json::Value;

use crate::browser::{Browser, Profile};
use crate::pages::{Page, Pages};
use crate::proxy::{Post, Proxy};
use crate::site::Site;
use crate::system::shared;
use crate::{eventually_is, lake};

/// The part of the snippet that keeps calls until the script is there.
pub fn stub() -> String {
    let snippet = &shared().keys().snippet;
    let end = snippet.find("</script>").unwrap();
    snippet[..end].replacen("<script>", "", 1)
}

/// Made by the tracker when a page is left, which every test does sooner or later.
const BY_THE_WAY: &str = "page_leave";

/// What a test asks of a page.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where the collector has the script.
    pub script: String,
    /// Further attributes of the script tag.
    pub attributes: String,
    /// In the page's head, before the snippet.
    pub head: String,
    /// In the page's body.
    pub body: String,
    /// Headers of the page; the proxy stands for `https://COLLECTOR`.
    pub headers: Vec<(String, String)>,
    /// Whether the script tag says that local pages and driven browsers count.
    pub include_local: bool,
    /// The browser's profile.
    pub profile: Profile,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            script: "/shoreline.js".into(),
            attributes: String::new(),
            head: String::new(),
            body: String::new(),
            headers: Vec::new(),
            include_local: true,
            profile: Profile::new(),
        }
    }
}

impl Setup {
    /// With attributes of the script tag.
    pub fn attributes(attributes: &str) -> Self {
        Self {
            attributes: attributes.into(),
            ..Self::default()
        }
    }

    /// With a script in the page's head, before the snippet.
    pub fn script(script: &str) -> Self {
        Self::default().and_script(script)
    }

    /// With a script in the page's head that may call the tracker already.
    pub fn early_script(script: &str) -> Self {
        Self::script(&stub()).and_script(script)
    }

    /// And with a script in the page's head, before the snippet.
    pub fn and_script(mut self, script: &str) -> Self {
        self.head.push_str(&format!("<script>{script}</script>"));
        self
    }

    /// And in the whole browser, not the engine alone: for what pages see of tabs, of the history, of what is kept
    /// on disk, and of their own end.
    pub fn in_whole_browser(self) -> Self {
        Self {
            profile: Profile::whole(),
            ..self
        }
    }

    /// And with a body.
    pub fn and_body(mut self, body: &str) -> Self {
        self.body.push_str(body);
        self
    }
}

/// The visitor.
#[derive(Debug)]
pub struct Visit {
    /// Where events are stored.
    pub site: Site,
    /// What they go through.
    pub proxy: Proxy,
    /// The pages.
    pub pages: Pages,
    /// The browser.
    pub browser: Browser,
}

impl Visit {
    /// Makes a site, serves its pages and starts a browser; nothing is opened yet.
    pub async fn begin(setup: Setup) -> Self {
        let site = shared().new_local_site().await;
        let proxy = Proxy::start(&site.url).await;
        let snippet = snippet(&proxy.url, &site.browser_key, &setup);
        let pages = Pages::serve(Page {
            head: setup.head,
            snippet,
            body: setup.body,
            headers: setup
                .headers
                .into_iter()
                .map(|(name, value)| (name, value.replace("https://COLLECTOR", &proxy.url)))
                .collect(),
        })
        .await;
        let browser = Browser::start_in(setup.profile).await;
        Self {
            site,
            proxy,
            pages,
            browser,
        }
    }

    /// Begins, and opens `/`.
    pub async fn open(setup: Setup) -> Self {
        let visit = Self::begin(setup).await;
        visit.go("/").await;
        visit
    }

    /// Opens a path and waits until the tracker is there.
    pub async fn go(&self, path: &str) {
        self.go_away(&format!("{}{path}", self.pages.url)).await;
        self.loaded().await;
    }

    /// Opens any URL.
    pub async fn go_away(&self, url: &str) {
        self.browser.open(url).await;
    }

    /// Waits until the tracker has replaced the stub.
    pub async fn loaded(&self) {
        eventually_is("the tracker is loaded", true, async || {
            let loaded = self.browser.run("return !!window.shoreline?.flush").await;
            loaded == true
        })
        .await;
    }

    /// The page tells of a feature.
    pub async fn feature(&self, name: &str) {
        let call = format!("shoreline('feature', '{name}')");
        self.browser.run(&call).await;
    }

    /// The page tells of features that are numbered.
    pub async fn features(&self, prefix: &str, count: usize) -> Vec<String> {
        let call =
            format!("for (let n = 0; n < {count}; n++) shoreline('feature', `{prefix}${{n}}`)");
        self.browser.run(&call).await;
        numbered(prefix, count)
    }

    /// Sends what is pending; what came of it.
    pub async fn flush(&self) -> Value {
        self.browser.value("shoreline.flush()").await
    }

    /// What this origin's `localStorage` holds of the tracker: keys and texts.
    pub async fn kept(&self) -> Vec<(String, String)> {
        let kept = self
            .browser
            .run(
                "return Object.entries(localStorage).filter(([key]) => key.startsWith('shoreline'))",
            )
            .await;
        serde_json::from_value(kept).unwrap()
    }

    /// The stored events in the order in which they were made, but for those by the way.
    pub async fn stored(&self) -> Vec<Value> {
        let mut events = self.site.stored().await;
        events.retain(|event| event["eventType"] != BY_THE_WAY);
        // Ids of one page sort as they were made.
        let order = |event: &Value| (event["timestamp"].as_i64(), event["eventId"].to_string());
        events.sort_by_key(order);
        events
    }

    /// Waits until these events, and no others, are stored. What the collector took must be what
    /// is stored: an event that came twice under one id would be seen there.
    pub async fn arrived<S: AsRef<str>>(&self, want: &[S]) -> Vec<Value> {
        let mut want: Vec<String> = want.iter().map(|one| one.as_ref().to_owned()).collect();
        want.sort();
        eventually_is("these events are stored", want, async || {
            told(&self.stored().await)
        })
        .await;
        let events = self.stored().await;
        let mut stored = ids_in(&events);
        stored.sort();
        assert_eq!(stored, self.made(), "stored, and taken by the collector");
        events
    }

    /// The ids of the events that the collector took, each once, but for those by the way.
    pub fn made(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.proxy.taken().iter().flat_map(made_in).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Waits until each of these events is in the lake, once.
    pub async fn landed(&self, events: &[Value]) {
        let mut want = ids_in(events);
        want.sort();
        eventually_is("the events are in the lake", want, async || {
            let (state, site) = (self.site.state.clone(), self.site.id.clone());
            let pulled = tokio::task::spawn_blocking(move || {
                let mut events = lake::events_of(&lake::pull(state.path()), &site);
                events.retain(|event| event["eventType"] != BY_THE_WAY);
                ids_in(&events)
            });
            let mut ids = pulled.await.unwrap();
            ids.sort();
            ids
        })
        .await;
    }

    /// Kills the browser and starts another on the same profile.
    pub async fn killed(self) -> Self {
        let profile = self.browser.kill();
        Self {
            browser: Browser::start_in(profile).await,
            ..self
        }
    }
}

/// The script tags of a page.
pub fn snippet(collector: &str, key: &str, setup: &Setup) -> String {
    let local = if setup.include_local {
        "data-include-local"
    } else {
        ""
    };
    format!(
        "<script>{}</script><script defer src=\"{collector}{}\" data-key=\"{key}\" {local} {}></script>",
        stub(),
        setup.script,
        setup.attributes
    )
}

/// `feature_use` events as [`told`] has them.
pub fn numbered(prefix: &str, count: usize) -> Vec<String> {
    let name = |n| format!("feature_use {prefix}{n}");
    (0..count).map(name).collect()
}

/// Events in a few words each, sorted: the type, and what it is about.
pub fn told(events: &[Value]) -> Vec<String> {
    let mut told: Vec<String> = events.iter().map(tell).collect();
    told.sort();
    told
}

fn tell(event: &Value) -> String {
    let data = &event["eventData"];
    let what = ["feature", "name", "message", "url"]
        .iter()
        .find_map(|key| data[key].as_str())
        .unwrap_or_default();
    let path = what
        .strip_prefix("http://localhost:")
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    let kind = event["eventType"].as_str().unwrap();
    format!("{kind} {}", path.unwrap_or(what))
        .trim_end()
        .to_owned()
}

fn ids_in(events: &[Value]) -> Vec<String> {
    let id = |event: &Value| event["eventId"].as_str().unwrap().to_owned();
    events.iter().map(id).collect()
}

/// The ids of a batch's events, but for those by the way.
fn made_in(post: &Post) -> Vec<String> {
    let mut events = post.body["events"].as_array().unwrap().clone();
    events.retain(|event| event["eventType"] != BY_THE_WAY);
    ids_in(&events)
}
