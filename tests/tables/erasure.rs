//! `npm run lake -- erase`: a user goes, and no count changes; on the local R2 and on an S3.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use shoreline_tests::{lake, root};

use super::made::LEAVER;
use super::queries::{answers, lake as made};
use super::s3;

/// Runs a script of the project with a state folder of its own.
fn node(script: &str, args: &[&str], state: &Path) -> Output {
    Command::new("node")
        .arg(script)
        .args(args)
        .current_dir(root())
        .env("SHORELINE_STATE", state)
        .env("AWS_ACCESS_KEY_ID", s3::KEY)
        .env("AWS_SECRET_ACCESS_KEY", s3::SECRET)
        .output()
        .unwrap()
}

#[track_caller]
fn said(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The objects below a folder, each with its lines.
fn objects(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let lines = |bytes: Vec<u8>| {
        let mut text = String::new();
        MultiGzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let objects = lake::read_folder(folder).into_iter();
    objects.map(|(key, bytes)| (key, lines(bytes))).collect()
}

/// Asserts that `site`'s leaver, or every site's, is gone from `after`, and nothing else.
fn assert_erased(
    before: &BTreeMap<String, Vec<String>>,
    after: &BTreeMap<String, Vec<String>>,
    site: Option<&str>,
) {
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (key, lines) in before {
        assert_eq!(lines.len(), after[key].len(), "{key}");
        for (was, is) in lines.iter().zip(&after[key]) {
            let old: Value = serde_json::from_str(was).unwrap();
            if old["userId"] != LEAVER || site.is_some_and(|site| old["siteId"] != site) {
                assert_eq!(was, is);
                continue;
            }
            let new: Value = serde_json::from_str(is).unwrap();
            for field in ["userId", "sessionId"] {
                assert!(new[field].as_str().unwrap().starts_with("erased-"), "{new}");
            }
            assert_eq!(new["eventData"], serde_json::json!({}));
            assert_eq!(new["metadata"], serde_json::json!({}));
            assert_eq!(new["eventId"], old["eventId"]);
        }
    }
}

#[test]
fn every_way_of_being_cut_off_ends_the_same() {
    let (folder, _) = made();
    let lake = folder.path().join("lake");
    let output = node(
        "tests/tables/erasure.mjs",
        &[lake.to_str().unwrap(), LEAVER],
        folder.path(),
    );
    said(&output);
}

#[test]
fn a_user_goes_from_the_local_lake_and_no_count_changes() {
    let (folder, events) = made();
    let (lake_folder, state) = (folder.path().join("lake"), folder.path().join("state"));
    let before = objects(&lake_folder);
    let counts = answers("duckdb", folder.path(), &[]);
    said(&node(
        "tests/tables/fill.mjs",
        &[lake_folder.to_str().unwrap()],
        &state,
    ));
    let pull = || {
        std::fs::remove_dir_all(&lake_folder).unwrap();
        said(&node(
            "deploy/dev/lake/lake.mjs",
            &["pull", lake_folder.to_str().unwrap()],
            &state,
        ));
        objects(&lake_folder)
    };

    let one_site = node(
        "deploy/dev/lake/lake.mjs",
        &["erase", "--user", LEAVER, "--site", "demo"],
        &state,
    );
    let of = |site: &str| {
        events
            .iter()
            .filter(|e| e["siteId"] == site && e["userId"] == LEAVER)
            .count()
    };
    assert!(said(&one_site).contains(&format!("{} events erased", of("demo"))));
    assert_erased(&before, &pull(), Some("demo"));

    let all = said(&node(
        "deploy/dev/lake/lake.mjs",
        &["erase", "--user", LEAVER],
        &state,
    ));
    assert!(
        all.contains(&format!("{} events erased", of("shop"))),
        "{all}"
    );
    let after = pull();
    assert_erased(&before, &after, None);
    let erased = answers("duckdb", folder.path(), &[]);
    for name in ["total", "per-day", "daily-actives", "late"] {
        assert_eq!(erased[name], counts[name], "{name}");
    }
    // Sessions have other names, and so another order.
    let sorted = |rows: &[Value]| {
        let mut rows: Vec<String> = rows
            .iter()
            .map(|row| {
                let mut row = row.clone();
                row.as_object_mut().unwrap().remove("sessionid");
                row.to_string()
            })
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&erased["sessions"]), sorted(&counts["sessions"]));

    let again = said(&node(
        "deploy/dev/lake/lake.mjs",
        &["erase", "--user", LEAVER],
        &state,
    ));
    assert!(again.contains("0 events erased"), "{again}");
    assert_eq!(pull(), after);
    // The content hash by which the worker knows its objects is still there.
    let listed = said(&node("deploy/dev/lake/lake.mjs", &["ls"], &state));
    assert_eq!(listed.matches("  sha256=").count(), before.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_goes_from_a_bucket_that_speaks_s3() {
    let (folder, _) = made();
    let bucket = folder.path().join("lake");
    let before = objects(&bucket);
    let endpoint = s3::serve(folder.path()).await;
    let args = [
        "erase",
        "--user",
        LEAVER,
        "--bucket",
        "lake",
        "--endpoint",
        &endpoint,
    ];
    let first = said(&node("deploy/dev/lake/lake.mjs", &args, folder.path()));
    assert!(!first.contains("0 events erased;"), "{first}");
    assert_erased(&before, &objects(&bucket), None);
    let again = said(&node("deploy/dev/lake/lake.mjs", &args, folder.path()));
    assert!(again.contains("0 events erased"), "{again}");

    let unknown = node(
        "deploy/dev/lake/lake.mjs",
        &[
            "erase",
            "--user",
            LEAVER,
            "--bucket",
            "none",
            "--endpoint",
            &endpoint,
        ],
        folder.path(),
    );
    assert_eq!(unknown.status.code(), Some(1));
    let error = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        error.contains("the bucket none could not be used"),
        "{error}"
    );
    assert_eq!(error.trim().lines().count(), 1, "{error}");
}

#[test]
fn what_is_asked_wrongly_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &["erase"][..],
        &["erase", "--user", ""],
        &["erase", "--user", "u", "--user", ""],
        &["erase", "--user", "u", "--site", ""],
        &["erase", "--user", "u", "--endpoint", "http://localhost"],
        &["erase", "--users", "u"],
        &["erase", "u"],
    ] {
        let output = node("deploy/dev/lake/lake.mjs", args, folder.path());
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("usage: npm run lake"),
            "{args:?}"
        );
    }
}
