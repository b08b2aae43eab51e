//! The policy that the dashboard is served with, and that it bites.

use reqwest::header::HeaderMap;
use shoreline_tests::system::shared;

use super::Dashboard;

async fn headers(url: &str) -> HeaderMap {
    let answer = shoreline_tests::client().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    answer.headers().clone()
}

#[tokio::test]
async fn nothing_foreign_runs_styles_frames_or_becomes_markup() {
    let site = shared().new_site().await;
    let page = headers(&format!("{}/dashboard/", site.url)).await;
    let policy = page["content-security-policy"].to_str().unwrap();
    for want in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.split("; ").any(|part| part == want), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page["referrer-policy"], "no-referrer");
    assert_eq!(page["x-content-type-options"], "nosniff");
    assert_eq!(page["cache-control"], "public, max-age=0, must-revalidate");

    let d = Dashboard::at_the_door(site.clone(), "").await;
    let scripts = "return [...document.querySelectorAll('script[src], link[rel=stylesheet]')].map((e) => e.src || e.href)";
    let files: Vec<String> = serde_json::from_value(d.browser.run(scripts).await).unwrap();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let kept = &headers(&file).await["cache-control"];
        assert_eq!(kept, "public, max-age=31536000, immutable", "{file}");
    }
    d.nothing_wrong().await;
    // Each tries to get in by another door.
    for attempt in [
        "try { document.body.innerHTML = '<b>x</b>' } catch { }",
        "const script = document.createElement('script'); script.append('window.ran = 1'); document.body.append(script)",
        "document.body.setAttribute('style', 'color: red')",
        "new Image().src = 'https://elsewhere.example/x.png'",
        "fetch('https://elsewhere.example/').catch(() => {})",
    ] {
        d.browser.run("window.wrongs.length = 0").await;
        d.browser.run(attempt).await;
        shoreline_tests::eventually(attempt, async || {
            let refused = d.browser.run("return window.wrongs.length > 0").await;
            (refused == true).then_some(())
        })
        .await;
    }
    assert_eq!(
        d.browser.run("return window.ran ?? null").await,
        serde_json::Value::Null
    );
}
