//! Real Chromium by WebDriver: its engine alone, or the whole browser.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use thirtyfour::ChromeCapabilities;
use thirtyfour::prelude::*;

use crate::processes::{descendants, kill_now};
use crate::{eventually, free_port};

/// How much of Chromium runs. Both are of one version, and have the same engine, network and storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The engine without the browser around it, at a fifth of the processor time.
    Engine,
    /// The browser as visitors have it: tabs that are hidden, the back/forward cache, settings.
    Whole,
}

/// Names of the engine's program: Debian's, and that of Chrome for Testing.
const ENGINES: [&str; 2] = ["chromium-headless-shell", "chrome-headless-shell"];

impl Extent {
    fn capabilities(self) -> ChromeCapabilities {
        let mut capabilities = DesiredCapabilities::chrome();
        if self == Self::Engine {
            let folders = std::env::var_os("PATH").unwrap_or_default();
            let program = std::env::split_paths(&folders)
                .flat_map(|folder| ENGINES.map(|name| folder.join(name)))
                .find(|program| program.exists())
                .expect(
                    "chromium-headless-shell must be installed (Debian's package has this name)",
                );
            capabilities
                .set("browserName", "chrome-headless-shell")
                .unwrap();
            capabilities.set_binary(program.to_str().unwrap()).unwrap();
        }
        capabilities
    }
}

/// What a browser keeps on disk; deleted with its last owner.
#[derive(Debug, Clone)]
pub struct Profile {
    folder: Arc<tempfile::TempDir>,
    extent: Extent,
    preferences: Value,
}

impl Profile {
    /// An empty one of the engine alone.
    pub fn new() -> Self {
        Self::of(Extent::Engine, json!({}))
    }

    /// An empty one of the whole browser.
    pub fn whole() -> Self {
        Self::with_preferences(json!({}))
    }

    /// An empty one of the whole browser, with settings as its owner would make them.
    pub fn with_preferences(preferences: Value) -> Self {
        Self::of(Extent::Whole, preferences)
    }

    fn of(extent: Extent, preferences: Value) -> Self {
        Self {
            folder: Arc::new(tempfile::tempdir().unwrap()),
            extent,
            preferences,
        }
    }

    /// Whether what pages keep in `localStorage` holds this text, on disk: the browser writes it
    /// there some seconds after the page.
    pub fn keeps(&self, text: &str) -> bool {
        let wide: Vec<u8> = text.bytes().flat_map(|byte| [byte, 0]).collect();
        let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|w| w == part);
        files_below(&self.folder.path().join("Default").join("Local Storage"))
            .iter()
            .any(|file| holds(file, text.as_bytes()) || holds(file, &wide))
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::new()
    }
}

fn files_below(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            // It may be gone by now.
            found.extend(std::fs::read(path));
        }
    }
    found
}

/// A headless Chromium, closed when dropped.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    chromedriver: Child,
    profile: Profile,
}

impl Browser {
    /// Starts the engine alone with an empty profile.
    pub async fn start() -> Self {
        Self::start_in(Profile::new()).await
    }

    /// Starts what a profile is of.
    pub async fn start_in(profile: Profile) -> Self {
        let port = free_port();
        let chromedriver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver must be installed (Debian: chromium-driver)");
        let mut options = profile.extent.capabilities();
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // The list below the address bar, which no test sees, is a page with a process of its own: a third of
            // what a start costs (1.7 to 1.1 s of CPU).
            "--disable-features=WebUIOmniboxPopup",
            // Its own says that it is headless, and so a bot's; visitors' browsers say this.
            "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/150.0.0.0 Safari/537.36",
            &format!("--user-data-dir={}", profile.folder.path().display()),
        ] {
            options.add_arg(argument).unwrap();
        }
        options
            .add_experimental_option("prefs", &profile.preferences)
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let driver = eventually("chromedriver answers", async || {
            WebDriver::new(&url, options.clone()).await.ok()
        })
        .await;
        Self {
            driver,
            chromedriver,
            profile,
        }
    }

    /// The page's driver.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Opens a URL.
    pub async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    /// Clicks the first element that matches.
    pub async fn click(&self, css: &str) {
        let element = self.driver.find(By::Css(css)).await.unwrap();
        element.click().await.unwrap();
    }

    /// The text of the first element that matches.
    pub async fn text(&self, css: &str) -> String {
        let element = self.driver.find(By::Css(css)).await.unwrap();
        element.text().await.unwrap()
    }

    /// Runs a script in the page; what it returns.
    pub async fn run(&self, script: &str) -> Value {
        let result = self.driver.execute(script, Vec::new()).await.unwrap();
        result.json().clone()
    }

    /// What an expression in the page comes to, once its promise is settled.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[0]; Promise.resolve().then(() => {expression}).then(\
             (value) => done({{ value: value ?? null }}), (error) => done({{ error: String(error) }}))"
        );
        let result = self.driver.execute_async(script, Vec::new()).await.unwrap();
        let result = result.json();
        assert_eq!(result["error"], Value::Null, "{expression}");
        result["value"].clone()
    }

    /// Sends a command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let cdp = self.driver.cdp();
        cdp.send_raw(command, parameters).await.unwrap()
    }

    /// Takes the network away, or gives it back, as the operating system would.
    pub async fn set_offline(&self, offline: bool) {
        self.devtools("Network.enable", json!({})).await;
        let conditions = json!({
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.devtools("Network.emulateNetworkConditions", conditions)
            .await;
    }

    /// Goes back in the history.
    pub async fn back(&self) {
        self.driver.back().await.unwrap();
    }

    /// Opens a tab and goes there; the handle of the tab before.
    pub async fn new_tab(&self) -> WindowHandle {
        let before = self.driver.window().await.unwrap();
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
        before
    }

    /// Goes to another tab; the handle of the tab before.
    pub async fn switch_to(&self, tab: WindowHandle) -> WindowHandle {
        let before = self.driver.window().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
        before
    }

    /// What it keeps on disk.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Kills all of its processes at once, as a power cut would.
    pub fn kill(self) -> Profile {
        self.profile.clone()
    }

    /// Closes it.
    pub async fn close(self) {
        self.driver.clone().quit().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // There may be no session left to end, and no runtime to end it.
        let _ = self.driver.clone().leak();
        let chromedriver = i32::try_from(self.chromedriver.id()).unwrap();
        for process in descendants(chromedriver) {
            kill_now(process.pid);
        }
        kill_now(chromedriver);
        let _ = self.chromedriver.wait();
    }
}
