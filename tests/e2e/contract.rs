//! The API's description, and the API by its description.

use std::process::Command;

use serde_json::Value;
use shoreline_tests::contract::Checked as _;
use shoreline_tests::root;
use shoreline_tests::system::{StateDir, System, shared};

fn description() -> Value {
    serde_json::from_str(include_str!("../../www/openapi.json")).unwrap()
}

#[tokio::test]
async fn the_description_is_public_and_may_be_kept() {
    let url = shared().at("/openapi.json");
    let get = || {
        shoreline_tests::client()
            .get(&url)
            .header("origin", "https://tool.example")
    };
    let answer = get().sent().await.unwrap();
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(
        header("cache-control"),
        "public, max-age=300, must-revalidate"
    );
    let again = get()
        .header("if-none-match", header("etag"))
        .sent()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(answer.json::<Value>().await.unwrap(), description());
    let wrong = shoreline_tests::client().post(&url).send().await.unwrap();
    assert_eq!(
        (wrong.status().as_u16(), &wrong.headers()["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
}

/// Requests that the checks of generated data make of an operation, at most.
const EXAMPLES: &str = "8";

/// On a system of its own: it makes sites, ends keys and erases users.
#[tokio::test]
async fn schemathesis_finds_nothing() {
    let system = System::start(&StateDir::new());
    let keys = system.keys();
    let installed = Command::new("node")
        .arg("deploy/dev/setup/schemathesis.mjs")
        .current_dir(root())
        .status();
    assert!(
        installed.unwrap().success(),
        "schemathesis is not installed"
    );
    let folder = root().canonicalize().unwrap();
    let program = folder.join(".tools/schemathesis/bin/schemathesis");
    let mut command = tokio::process::Command::new(program);
    command
        .args(["--config-file", "schemathesis.toml", "run"])
        .arg(system.at("/openapi.json"))
        .args([
            "--checks",
            "all",
            "--max-examples",
            EXAMPLES,
            "--no-color",
            "--warnings",
            "off",
        ])
        // The hooks are looked for where it runs.
        .current_dir(folder.join("tests/contract"))
        .env("SHORELINE_BROWSER_KEY", &keys.browser_key)
        .env("SHORELINE_SOURCE_KEY", &keys.source_key)
        .env("SHORELINE_READ_TOKEN", &keys.read_token)
        .env("SHORELINE_ADMIN_TOKEN", &keys.admin_token)
        .kill_on_drop(true);
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let paths = description()["paths"].as_object().unwrap().clone();
    // Where it has the description from, it does not try.
    let operations: usize = paths
        .iter()
        .filter(|(path, _)| *path != "/openapi.json")
        .map(|(_, path)| path.as_object().unwrap().len())
        .sum();
    assert!(said.contains(&format!("Tested: {operations}\n")), "{said}");
}
