//! Who reads.

use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use shoreline_tests::browser::Browser;
use shoreline_tests::eventually;
use shoreline_tests::live::{Stream, ask_ticket, open};

use super::Soak;

/// How often a question is asked.
const PACE: Duration = Duration::from_secs(4);

/// A stream is sent frames for as long as it pings.
const PING: Duration = Duration::from_secs(20);

/// Places of the dashboard, one after the other, each for some seconds.
const PLACES: [&str; 4] = [
    "?view=now",
    "?view=overview",
    "?view=pages&filter.page=%2F1",
    "?view=quality",
];

/// The dashboard in Chromium: its view of now, which streams, and others.
pub(crate) async fn dashboard(soak: Rc<Soak>) {
    let browser = Browser::start().await;
    let at = |place: &str| format!("{}/dashboard/{place}", soak.site.url);
    browser.open(&at("?view=now")).await;
    eventually("the form is there", async || {
        let there = "return !!document.querySelector('#read-token')";
        (browser.run(there).await == true).then_some(())
    })
    .await;
    let token = json!(soak.site.read_token);
    browser
        .run(&format!(
            "document.querySelector('#read-token').value = {token};"
        ))
        .await;
    browser.click(".sign-in .primary").await;
    for place in PLACES.iter().cycle() {
        if !soak.goes_on() {
            return;
        }
        browser.open(&at(place)).await;
        // An error is shown, too, while a service is away: what is waited for is that it is no blank page.
        eventually("the view is filled", async || {
            let filled = "return !!document.querySelector('#main .view > *')";
            (browser.run(filled).await == true).then_some(())
        })
        .await;
        soak.did("views of the dashboard", 1);
        tokio::time::sleep(PACE * 3).await;
    }
}

/// A stream of a program, opened anew when it ends.
pub(crate) async fn stream(soak: Rc<Soak>) {
    while soak.goes_on() {
        let answer = ask_ticket(&soak.site, &soak.site.read_token).await;
        let Some(ticket) = answer.body["ticket"].as_str() else {
            assert!(matches!(answer.status, 429 | 503), "{}", answer.body);
            tokio::time::sleep(PACE / 4).await;
            continue;
        };
        let Some(mut stream) = open(&soak.site, &format!("?ticket={ticket}")).await else {
            tokio::time::sleep(PACE / 4).await;
            continue;
        };
        soak.did("streams opened", 1);
        follow(&soak, &mut stream).await;
    }
}

/// Frames until the stream ends, or the soak does. Each holds what every frame promises.
async fn follow(soak: &Soak, stream: &mut Stream) {
    let mut pinged = Instant::now();
    while soak.goes_on() {
        if stream.frame_or_end().await.is_none() {
            return;
        }
        soak.did("frames", 1);
        if pinged.elapsed() > PING {
            pinged = Instant::now();
            stream.ping().await;
        }
    }
}

/// Filtered questions: each is answered, or told when to come again.
pub(crate) async fn questions(soak: Rc<Soak>, n: usize) {
    let questions = [
        json!({"metrics": ["events", "users"], "dimensions": ["page"], "range": "24h",
            "filters": ["is", "eventType", "page_view"]}),
        json!({"metrics": ["events", "sum(data.duration)"], "range": "24h", "filters": ["is", "feature", "f"]}),
        json!({"metrics": ["users"], "dimensions": ["data.title"], "range": "24h",
            "filters": ["and", ["exists", "data.title"], ["contains", "page", "1"]]}),
        json!({"metrics": ["events"], "dimensions": ["source"], "range": "24h",
            "filters": ["did", ["is", "page", "/b"]]}),
    ];
    let question = questions[n % questions.len()].to_string();
    while soak.goes_on() {
        let url = format!("{}/v1/analytics/query", soak.site.url);
        let request = shoreline_tests::client()
            .post(url)
            .bearer_auth(&soak.site.read_token);
        let answer = request.body(question.clone()).send().await.unwrap();
        let status = answer.status().as_u16();
        let wait = answer.headers().contains_key("retry-after");
        let body = answer.text().await.unwrap();
        assert!(
            status == 200 || (matches!(status, 429 | 503) && wait),
            "{status}: {body}"
        );
        soak.did(
            if status == 200 {
                "questions answered"
            } else {
                "questions refused for now"
            },
            1,
        );
        tokio::time::sleep(PACE).await;
    }
}
