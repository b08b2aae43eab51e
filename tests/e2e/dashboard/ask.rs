//! Ask: what the form builds is what the API is asked, and what it answers is shown; errors, too.

use serde_json::{Value, json};
use shoreline_tests::system::shared;

use super::access::complaints;
use super::filters::{answer, encoded};
use super::views::{chart_table, days};
use super::{Dashboard, number};
use crate::filled::fill;

/// The question that the page shows.
async fn written(d: &Dashboard) -> Value {
    let json = d
        .browser
        .run("return document.querySelector('#ask-json').value")
        .await;
    serde_json::from_str(json.as_str().unwrap()).unwrap()
}

/// Writes a question as JSON and asks it.
async fn ask(d: &Dashboard, text: &str) {
    let set = format!(
        "document.querySelector('#ask-json').value = {}",
        json!(text)
    );
    d.browser.run(&set).await;
    d.browser.click("#ask-written").await;
    d.ready().await;
}

#[tokio::test]
async fn the_form_builds_a_question_and_shows_it_and_its_answer() {
    let site = shared().new_site().await;
    fill(&site).await;
    let filter = json!(["is", "platform", ["web"]]);
    let place = format!("?view=ask&{}&filters={}", days(), encoded(&filter));
    let d = Dashboard::open(site.clone(), &place).await;
    let body = written(&d).await;
    assert_eq!(body["metrics"], json!(["users", "views"]));
    assert_eq!(body["filters"], filter);
    assert_eq!(body["compare"], "previous_period");

    // Another metric of a property, and a second dimension.
    d.browser.click("#add-metric").await;
    d.browser.click("#add-dimension").await;
    let fill_in = "const [metrics, dimensions] = document.querySelectorAll('.ask-lines'); \
        const set = (list, value, property) => { const line = list.lastElementChild; \
          const choice = line.querySelector('select'); choice.value = value; choice.dispatchEvent(new Event('change')); \
          if (property) line.querySelector('input').value = property }; \
        set(metrics, 'p:sum', 'tokens'); set(dimensions, 'eventType')";
    d.browser.run(fill_in).await;
    assert_eq!(complaints(&d).await, Vec::<String>::new());
    d.browser.click("#ask-go").await;
    d.ready().await;
    let body = written(&d).await;
    assert_eq!(
        body["metrics"],
        json!(["users", "views", "sum(data.tokens)"])
    );
    assert_eq!(body["dimensions"], json!(["page", "eventType"]));
    // The page sends what it shows, and shows what the API answers.
    let api = answer(&site, body.clone()).await;
    assert_eq!(d.figure("Users").await, number(&api["totals"][0]));
    assert_eq!(d.figure("Sum of tokens").await, number(&api["totals"][2]));
    let rows = d.rows("Answer").await;
    let want = api["rows"].as_array().unwrap();
    assert_eq!(rows.len(), want.len());
    for (row, want) in rows.iter().zip(want) {
        assert_eq!(row[2], number(&want["metrics"][0]));
        assert_eq!(row[3], number(&want["compared"][0]));
        assert_eq!(row[4], number(&want["metrics"][1]));
    }
    // And as a command, which names no token.
    let curl = d.browser.text(".ask-written .copyable pre").await;
    assert!(curl.contains("$TOKEN"), "{curl}");
    assert!(!curl.contains(&site.read_token));
    let sent = curl.split_once("-d '").unwrap().1.trim_end_matches('\'');
    assert_eq!(serde_json::from_str::<Value>(sent).unwrap(), body);
    // The same link is the same question.
    let link = d.query().await;
    d.go(&link).await;
    assert_eq!(written(&d).await, body);
    for (scheme, width) in [("light", 1280), ("dark", 360)] {
        d.scheme(scheme).await;
        d.resize(width, 900).await;
        assert_eq!(complaints(&d).await, Vec::<String>::new(), "{scheme}");
        let wide = "return document.documentElement.scrollWidth - innerWidth";
        assert!(d.browser.run(wide).await.as_i64().unwrap() <= 0, "{width}");
    }
    d.nothing_wrong().await;
}

#[tokio::test]
async fn times_are_drawn_and_a_row_narrows_what_is_asked() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), &format!("?view=ask&{}", days())).await;
    let question = json!({"metrics": ["events", "users"], "dimensions": ["time:day", "eventType"],
        "orderBy": [["time:day", "asc"]], "range": "7d", "timeZone": "UTC"});
    ask(&d, &question.to_string()).await;
    let api = answer(&site, question.clone()).await;
    let rows = d.rows("Answer").await;
    assert_eq!(rows.len(), api["rows"].as_array().unwrap().len());
    assert_eq!(written(&d).await, question);
    assert!(d.query().await.contains("range=7d"), "{}", d.query().await);
    let by_day = chart_table(&d, "Events by day").await;
    assert_eq!(by_day.len(), 7);
    d.browser.click("#figure-users").await;
    d.ready().await;
    let by_day = chart_table(&d, "Users by day").await;
    assert_eq!(by_day.len(), 7);

    // A row of a type of events.
    let question = json!({"metrics": ["events"], "dimensions": ["eventType"], "range": "7d", "timeZone": "UTC"});
    ask(&d, &question.to_string()).await;
    d.press("ai_request").await;
    d.ready().await;
    let filter = json!(["is", "eventType", ["ai_request"]]);
    assert_eq!(written(&d).await["filters"], filter);
    assert_eq!(d.rows("Answer").await.len(), 1);
    d.nothing_wrong().await;
}

#[tokio::test]
async fn errors_are_said_as_the_api_gives_them() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site, &format!("?view=ask&{}", days())).await;
    for (question, field) in [
        (json!({"metrics": ["likes"]}), "metrics[0]"),
        (
            json!({"metrics": ["users"], "dimensions": ["shoe"]}),
            "dimensions[0]",
        ),
        (json!({"metrics": ["users"], "range": "eternity"}), "range"),
        (
            json!({"metrics": ["users"], "timeZone": "Europe/Atlantis"}),
            "timeZone",
        ),
        (json!({"metrics": ["users"], "compare": "me"}), "compare"),
        (json!({"metrics": ["users"], "shoes": 2}), "shoes"),
        (
            json!({"metrics": ["users"], "filters": ["and", ["is", "shoe", "x"]]}),
            "filters",
        ),
        (json!({"metrics": ["users"], "limit": "all"}), "limit"),
    ] {
        ask(&d, &question.to_string()).await;
        let said = d.browser.text(".failure").await;
        assert!(said.contains("invalid_parameter"), "{question}: {said}");
        assert!(said.contains(field), "{question}: {said}");
    }
    // What the dashboard has no choice for is asked as it is written.
    ask(&d, "{\"metrics\": [\"users\"], \"range\": \"24h\"}").await;
    assert_eq!(written(&d).await["range"], "24h");
    assert_ne!(d.figure("Users").await, "");
    let note = d.browser.text(".ask-written .panel-note").await;
    assert!(note.contains("range"), "{note}");
    // What is no JSON is not asked.
    let set = "document.querySelector('#ask-json').value = 'users, please'";
    d.browser.run(set).await;
    d.browser.click("#ask-written").await;
    let said = d.browser.text(".ask-written .bad").await;
    assert!(said.contains("no JSON"), "{said}");
    d.go("?view=ask&ask=%5B%5D").await;
    let said = d.browser.text("#main .empty").await;
    assert!(said.contains("no JSON object"), "{said}");
    d.nothing_wrong().await;
}
