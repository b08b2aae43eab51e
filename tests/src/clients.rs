//! Other people's clients: programs of `tests/clients`, run by Node or bundled into a page.

use serde_json::Value;
use tokio::process::Command;

use crate::browser::Browser;
use crate::pages::Pages;
use crate::root;

/// Runs a program of `tests/clients` to its end; the JSON that it prints.
///
/// # Panics
/// With what it says, if it fails.
pub async fn run(program: &str, args: &[&str]) -> Value {
    let output = Command::new("node")
        .arg(root().join("tests/clients").join(program))
        .args(args)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}{errors}");
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{program}: {said}{errors}"))
}

/// A page of `localhost` with a program of `tests/clients`, open in a browser.
#[derive(Debug)]
pub struct ClientPage {
    /// The page.
    pub pages: Pages,
    /// The browser.
    pub browser: Browser,
    _folder: tempfile::TempDir,
}

impl ClientPage {
    /// Bundles the program, serves it with `window.config` and a body, and opens it.
    ///
    /// # Panics
    /// If it cannot be bundled.
    pub async fn open(program: &str, config: &Value, body: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(root().join("node_modules/.bin/esbuild"))
            .arg(root().join("tests/clients").join(program))
            .args(["--bundle", "--format=iife", "--log-level=warning"])
            .arg(format!("--outfile={}/app.js", folder.path().display()))
            .output()
            .await
            .unwrap();
        assert!(
            output.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let page = format!(
            "<!doctype html><meta charset=utf-8><title>A page</title><link rel=icon href=data:,>\
             <body>{body}<script>window.config={config}</script><script src=/app.js></script>"
        );
        std::fs::write(folder.path().join("index.html"), page).unwrap();
        let pages = Pages::serve_folder(folder.path()).await;
        let browser = Browser::start().await;
        browser.open(&pages.url).await;
        Self {
            pages,
            browser,
            _folder: folder,
        }
    }
}
