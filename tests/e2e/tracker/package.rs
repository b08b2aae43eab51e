//! The tracker as it is shipped: by name, by package, by weight.

use std::path::Path;

use shoreline_tests::pages::Pages;
use shoreline_tests::visit::{Setup, Visit};
use shoreline_tests::{root, sizes};
use tokio::process::Command;

/// A bundler as it is today. Another version makes other files, of which this test knows nothing.
const VITE: &str = "vite@8.3.8";

/// Runs a program that must succeed; what it prints.
async fn run(folder: &Path, program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {args:?}: {said}{errors}"
    );
    said
}

#[tokio::test]
async fn a_vite_app_imports_the_package_and_tracks() {
    let visit = Visit::begin(Setup::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let package = root().join("dist/npm").canonicalize().unwrap();
    let packed = run(
        folder.path(),
        "npm",
        &["pack", "--json", package.to_str().unwrap()],
    )
    .await;
    let packed: serde_json::Value = serde_json::from_str(&packed).unwrap();
    let tarball = format!("./{}", packed[0]["filename"].as_str().unwrap());
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "package.json",
        r#"{"name": "app", "private": true, "type": "module"}"#,
    );
    write(
        "index.html",
        "<!doctype html><title>App</title><script type=module src=/main.js></script>",
    );
    let main = format!(
        "import shoreline, {{ init, feature, flush }} from 'shoreline-tracker';\n\
         init({{ collector: '{}', key: '{}', includeLocal: true }});\n\
         feature('from vite', {{ n: 1 }});\n\
         window.app = {{ shoreline, flush }};\n",
        visit.proxy.url, visit.site.browser_key
    );
    write("main.js", &main);
    let install = [
        "install",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        &tarball,
        VITE,
    ];
    run(folder.path(), "npm", &install).await;
    run(folder.path(), "npx", &["vite", "build"]).await;

    let app = Pages::serve_folder(&folder.path().join("dist")).await;
    visit.go_away(&app.url).await;
    shoreline_tests::eventually("the app runs", async || {
        (visit.browser.run("return !!window.app").await == true).then_some(())
    })
    .await;
    visit
        .browser
        .run("app.shoreline('feature', 'by the function')")
        .await;
    let mut want = shoreline_tests::visit::numbered("f", 30);
    visit
        .browser
        .run("for (let n = 0; n < 30; n++) app.shoreline.feature(`f${n}`)")
        .await;
    let outcome = visit.browser.value("app.flush()").await;
    assert_eq!(outcome["pending"], 0, "{outcome}");
    want.extend(
        [
            "page_view /",
            "feature_use from vite",
            "feature_use by the function",
        ]
        .map(str::to_owned),
    );
    visit.arrived(&want).await;
    // The module came with the app, and batches with it.
    assert!(visit.proxy.posts().len() <= 3);
    assert_eq!(visit.proxy.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn the_types_of_the_package_say_what_may_be_called() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("node_modules/shoreline-tracker");
    std::fs::create_dir_all(&package).unwrap();
    for entry in std::fs::read_dir(root().join("dist/npm")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), package.join(entry.file_name())).unwrap();
    }
    std::fs::write(folder.path().join("app.ts"), include_str!("types.ts")).unwrap();
    let tsc = root().join("node_modules/.bin/tsc").canonicalize().unwrap();
    let options = [
        "--noEmit",
        "--strict",
        "--target",
        "es2022",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        "--types",
        "",
        "app.ts",
    ];
    run(folder.path(), tsc.to_str().unwrap(), &options).await;
}

/// The tag that `npm run build` prints: the script's immutable name, and its hash.
async fn printed_snippet() -> (String, String) {
    let said = sizes::said().await;
    let part = |from: &str| {
        let (_, rest) = said.split_once(from).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    (part("src=\"https://COLLECTOR"), part("integrity=\""))
}

#[tokio::test]
async fn the_printed_hash_is_that_of_the_script_and_guards_it() {
    let (script, integrity) = printed_snippet().await;
    let with = |integrity: &str| Setup {
        script: script.clone(),
        ..Setup::attributes(&format!("crossorigin=anonymous integrity={integrity}"))
    };
    let visit = Visit::open(with(&integrity)).await;
    let mut want = visit.features("f", 30).await;
    visit.flush().await;
    want.push("page_view /".to_owned());
    visit.arrived(&want).await;

    let other = Setup::script(
        "addEventListener('error', (event) => { window.refused = event.target.src }, true)",
    );
    let other = Setup {
        head: other.head,
        ..with(&integrity.to_lowercase())
    };
    let visit = Visit::begin(other).await;
    let url = format!("{}/", visit.pages.url);
    visit.go_away(&url).await;
    let refused = format!("{}{script}", visit.proxy.url);
    shoreline_tests::eventually_is("the browser refuses it", refused, async || {
        let refused = visit.browser.run("return window.refused || ''").await;
        refused.as_str().unwrap().to_owned()
    })
    .await;
    let there = visit.browser.run("return !!window.shoreline.flush").await;
    assert_eq!(there, false);
    assert_eq!(visit.proxy.posts().len(), 0);
}

#[tokio::test]
async fn released_versions_keep_working_under_their_names() {
    let folder = root().join("www/t");
    let mut scripts: Vec<String> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".js"))
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "nothing was released");
    for script in scripts {
        let visit = Visit::open(Setup {
            script: format!("/t/{script}"),
            ..Setup::attributes("crossorigin=anonymous")
        })
        .await;
        let mut want = visit.features("f", 30).await;
        visit.flush().await;
        want.push("page_view /".to_owned());
        visit.arrived(&want).await;
        let answer = reqwest::get(format!("{}/t/{script}", visit.site.url))
            .await
            .unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(header("access-control-allow-origin"), "*");
    }
}

#[tokio::test]
async fn the_snippet_names_what_it_loads_by_its_content() {
    let visit = Visit::open(Setup::default()).await;
    visit.flush().await;
    visit.arrived(&["page_view /"]).await;
    let asked = visit.proxy.asked();
    assert_eq!(asked[0], "GET /shoreline.js");
    // No preflight, and nothing but the module.
    assert_eq!(asked.len(), 2, "{asked:?}");
    let module = asked[1].strip_prefix("GET ").unwrap();
    assert!(
        module.starts_with("/t/shoreline.") && module.ends_with(".wasm"),
        "{module}"
    );
    let answer = reqwest::get(format!("{}{module}", visit.site.url))
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/wasm");
    assert_eq!(
        answer.headers()["cache-control"],
        "public, max-age=31536000, immutable"
    );
}

#[tokio::test]
async fn a_page_downloads_eight_thousand_bytes_at_most() {
    let said = sizes::said().await;
    let total = said
        .lines()
        .find_map(|line| line.split("total ").nth(1))
        .unwrap_or_else(|| panic!("no total: {said}"));
    let brotli = total.split_whitespace().last().unwrap().replace(',', "");
    let brotli: usize = brotli.parse().unwrap();
    assert!(brotli <= 8000, "{said}");
}
