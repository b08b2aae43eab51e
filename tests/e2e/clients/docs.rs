//! The documents' examples, run as a reader would run them.

use shoreline_tests::root;
use shoreline_tests::system::{StateDir, System};
use tokio::process::Command;

/// The `sh` blocks of a document, without those that start the system or need other programs.
fn examples(document: &str) -> String {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    blocks
        .filter(|block| {
            !["npm ", "npx ", "cargo ", "aws "]
                .iter()
                .any(|other| block.contains(other))
        })
        .collect()
}

#[tokio::test]
async fn every_example_is_taken() {
    let system = System::start(&StateDir::new());
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join(".dev");
    std::fs::create_dir(&keys).unwrap();
    std::fs::copy(
        system.state().path().join("keys.json"),
        keys.join("keys.json"),
    )
    .unwrap();
    for document in ["README.md", "docs/EVENTS.md", "docs/API.md"] {
        let examples = examples(document);
        assert!(examples.contains("curl"), "{document}");
        // What is refused ends the script.
        let script = format!(
            "set -e\ncurl() {{ command curl -sS --fail-with-body \"$@\"; echo; }}\n{examples}"
        );
        let output = Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{document}: {said}\n{errors}");
        for answer in said
            .lines()
            .filter(|line| line.starts_with("{\"accepted\""))
        {
            assert!(answer.contains("\"skipped\":0"), "{document}: {answer}");
        }
    }
    let site = system.demo();
    site.settle().await;
    let stored = site.stored().await;
    let mut sources: Vec<&str> = stored
        .iter()
        .map(|event| event["source"].as_str().unwrap())
        .collect();
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(
        sources,
        [
            "challenge-service",
            "orders",
            "plausible",
            "segment",
            "tracker"
        ]
    );
}
