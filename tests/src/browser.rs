//! Real Chromium by WebDriver.

use std::process::{Child, Command, Stdio};

use thirtyfour::prelude::*;

use crate::{eventually, free_port};

/// A headless Chromium with an empty profile, closed when dropped.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    chromedriver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one.
    pub async fn start() -> Self {
        let port = free_port();
        let chromedriver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver must be installed (Debian: chromium-driver)");
        let profile = tempfile::tempdir().unwrap();
        let mut options = DesiredCapabilities::chrome();
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
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            options.add_arg(argument).unwrap();
        }
        let url = format!("http://127.0.0.1:{port}");
        let driver = eventually("chromedriver answers", async || {
            WebDriver::new(&url, options.clone()).await.ok()
        })
        .await;
        Self {
            driver,
            chromedriver,
            _profile: profile,
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
    pub async fn run(&self, script: &str) -> serde_json::Value {
        let result = self.driver.execute(script, Vec::new()).await.unwrap();
        result.json().clone()
    }

    /// Closes it.
    pub async fn close(self) {
        self.driver.clone().quit().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromedriver ends its browsers when it is asked to end.
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.chromedriver.id()).unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.chromedriver.wait();
    }
}
