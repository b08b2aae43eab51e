//! What every answer of a call says about who may keep it, and who may read it.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

/// Checks the headers of an answer to `METHOD /path`, which is one of the description's: no cache between keeps it
/// for another key or another origin, and no browser takes it for something else.
///
/// # Panics
/// If one could.
pub(crate) fn check(asked: &str, status: StatusCode, headers: &HeaderMap) {
    let header = |name: &str| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    };
    let said = || format!("{asked}: {status} {headers:?}");
    let vary = header("vary").to_ascii_lowercase();
    let (kept, origin) = (
        header("cache-control"),
        header("access-control-allow-origin"),
    );
    let reads = asked.starts_with("GET ") || asked.starts_with("HEAD ");
    match kept {
        // An answer without a word is kept by nobody where it answers a write.
        "" => assert!(!reads && matches!(status.as_u16(), 202 | 204), "{}", said()),
        "no-store" => {}
        // The description is everybody's.
        _ if kept.starts_with("public,") && asked.ends_with(" /openapi.json") => {}
        _ => {
            assert!(kept.starts_with("private,"), "{}", said());
            assert!(vary.contains("authorization"), "{}", said());
        }
    }
    if !matches!(origin, "" | "*") {
        assert!(vary.contains("origin"), "{}", said());
    }
    let credentials = header("access-control-allow-credentials");
    assert_eq!((credentials, header("set-cookie")), ("", ""), "{}", said());
    let sniffed =
        header("content-type").is_empty() || header("x-content-type-options") == "nosniff";
    assert!(sniffed, "{}", said());
}
