//! The two commands, where they cannot do what they are asked.

use std::net::TcpListener;

use shoreline_tests::system::{StateDir, start_command};

#[test]
fn a_port_in_use_is_one_clear_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let state = StateDir::new();
    let (mut command, _) = start_command(port, state.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(
        said.contains(&port.to_string()) && said.contains("PORT="),
        "{said}"
    );
}

#[test]
fn the_worker_can_be_deployed() {
    let output = std::process::Command::new("npx")
        .args(["wrangler", "deploy", "--dry-run"])
        .current_dir(shoreline_tests::root())
        .env("WRANGLER_SEND_METRICS", "false")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for binding in [
        "SITE_DO",
        "ARCHIVE_DO",
        "PRIVACY_DO",
        "DB",
        "EVENTS_QUEUE",
        "LAKE",
    ] {
        assert!(
            said.contains(&format!("env.{binding}")),
            "{binding}: {said}"
        );
    }
    let page = shoreline_tests::root().join("dist/www/index.html");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(!page.contains("shoreline-read-token"), "{page}");
}
