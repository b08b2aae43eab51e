//! Funnels, retention and journeys: what the page asks is what it shows, and all of it is in the URL.

use serde_json::{Value, json};
use shoreline_tests::eventually_is;
use shoreline_tests::site::{Site, reply};
use shoreline_tests::system::shared;

use super::views::days;
use super::{Dashboard, number, percent};
use crate::filled::{DAYS, date, fill};

/// Asks the API what the page asks; the range is that of the seeded data.
async fn asked(site: &Site, what: &str, mut body: Value) -> Value {
    body["startDate"] = date(DAYS).into();
    body["endDate"] = date(1).into();
    let url = format!("{}/v1/analytics/query/{what}", site.url);
    let call = shoreline_tests::client()
        .post(url)
        .bearer_auth(&site.read_token);
    let answer = reply(call.json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// Asks the API by the range that the page has, with filters.
async fn narrowed(site: &Site, what: &str, mut body: Value) -> Value {
    body["range"] = json!([date(DAYS), date(1)]);
    let url = format!("{}/v1/analytics/query/{what}", site.url);
    let call = shoreline_tests::client()
        .post(url)
        .bearer_auth(&site.read_token);
    let answer = reply(call.json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

/// The bars of the funnel: name, users, share of the first.
async fn bars(d: &Dashboard) -> Vec<[String; 3]> {
    let script = "return [...document.querySelectorAll('.funnel > li')].map((one) => \
        [one.querySelector('.funnel-name').textContent, one.querySelector('b').textContent, \
        one.querySelector('.funnel-users .soft').textContent.trim()])";
    serde_json::from_value(d.browser.run(script).await).unwrap()
}

fn want_bars(api: &Value) -> Vec<[String; 3]> {
    let bars: Vec<[String; 3]> = list(&api["steps"])
        .iter()
        .map(|step| {
            let name = match step["eventType"].as_str().unwrap() {
                "page_view" => "Page view",
                "feature_use" => "Feature use",
                other => other,
            };
            let narrowed = [&step["page"], &step["feature"]];
            let narrowed = narrowed.iter().find_map(|one| one.as_str());
            [
                [Some(name), narrowed]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" "),
                number(&step["users"]),
                percent(&step["conversion"]),
            ]
        })
        .collect();
    assert_ne!(bars[0][1], "0", "a funnel that nobody began shows nothing");
    bars
}

/// What is typed into the fields of the builder.
async fn typed(d: &Dashboard) -> Value {
    d.browser
        .run(
            "return [...document.querySelectorAll('.step')].map((one) => \
             [one.querySelector('.step-type').value, one.querySelector('.step-what').value])",
        )
        .await
}

/// Types into the field of a step.
async fn type_step(d: &Dashboard, n: usize, field: &str, text: &str) {
    let script = format!(
        "const one = document.querySelectorAll('.step')[{n}].querySelector('.{field}');\
         one.value = {}; one.dispatchEvent(new Event('input', {{bubbles: true}}))",
        json!(text)
    );
    d.browser.run(&script).await;
}

#[tokio::test]
async fn a_funnel_is_built_shown_and_shared() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), &format!("?view=funnels&{}", days())).await;
    let two = json!({"steps": [{"eventType": "page_view"}, {"eventType": "feature_use"}]});
    let api = asked(&site, "funnel", two).await;
    assert_eq!(bars(&d).await, want_bars(&api));
    assert_eq!(d.figure("Began").await, number(&api["steps"][0]["users"]));
    let last = &api["steps"][1];
    assert_eq!(d.figure("Finished").await, number(&last["users"]));
    assert_eq!(d.figure("Conversion").await, percent(&last["conversion"]));

    type_step(&d, 0, "step-what", "/0").await;
    d.press("Add a step").await;
    let focus = "return document.activeElement.className";
    assert_eq!(d.browser.run(focus).await, "step-type");
    type_step(&d, 2, "step-what", "f1").await;
    // The last before the second, by its button.
    d.browser.click(".step:nth-child(3) .up").await;
    assert_eq!(
        d.browser.run(focus).await,
        "icon-button up",
        "where it was, to move on"
    );
    d.browser
        .run("document.querySelector('#window').value = '24'")
        .await;
    let steps = json!([
        {"eventType": "page_view", "page": "/0"},
        {"eventType": "feature_use", "feature": "f1"},
        {"eventType": "feature_use"},
    ]);
    assert_eq!(
        typed(&d).await,
        json!([
            ["page_view", "/0"],
            ["feature_use", "f1"],
            ["feature_use", ""]
        ])
    );
    d.press("Show funnel").await;
    d.ready().await;
    let api = asked(&site, "funnel", json!({"steps": steps, "windowHours": 24})).await;
    assert_eq!(bars(&d).await, want_bars(&api));

    // The link shows the same to somebody else.
    let query = d.query().await;
    assert!(
        query.contains("p1=%2F0") && query.contains("window=24"),
        "{query}"
    );
    let other = Dashboard::open(site.clone(), &query).await;
    assert_eq!(bars(&other).await, want_bars(&api));
    assert_eq!(typed(&other).await, typed(&d).await);
    other.nothing_wrong().await;

    // Other days are another answer, and back is the one before.
    d.browser.click("#range").await;
    d.press("Today").await;
    eventually_is("nobody came today", true, async || {
        let text = d.browser.text("#main").await;
        text.contains("Nobody took the first step")
    })
    .await;
    d.browser.back().await;
    d.ready().await;
    eventually_is("the days before", want_bars(&api), async || bars(&d).await).await;

    d.browser.click(".step:nth-child(2) .remove").await;
    assert_eq!(
        typed(&d).await,
        json!([["page_view", "/0"], ["feature_use", ""]])
    );
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_funnel_tells_by_what_and_who_left() {
    let site = shared().new_site().await;
    fill(&site).await;
    let place = "?view=funnels&s1=page_view&s2=feature_use&f2=f1&by=page";
    let d = Dashboard::open(site.clone(), &format!("{place}&{}", days())).await;
    let mut body = json!({"steps": [
        {"eventType": "page_view"},
        {"eventType": "feature_use", "feature": "f1"},
    ]});
    body["by"] = "page".into();
    let api = asked(&site, "funnel", body.clone()).await;
    assert_eq!(bars(&d).await, want_bars(&api));
    let rows = "return [...document.querySelectorAll('.funnel ~ * tbody tr')].map((row) => \
        [...row.cells].slice(0, 4).map((cell) => cell.textContent))";
    let want = list(&api["groups"]).iter().map(|group| {
        let users = list(&group["users"]);
        json!([
            group["value"],
            number(&users[0]),
            number(&users[1]),
            percent(&group["conversion"])
        ])
    });
    let want = Value::Array(want.collect());
    assert_ne!(want, json!([]));
    assert_eq!(d.browser.run(rows).await, want);

    d.browser.click(".funnel-lost a").await;
    d.ready().await;
    body["droppedAfter"] = 1.into();
    let api = asked(&site, "funnel", body).await;
    let left = &api["dropped"]["users"];
    assert_ne!(*left, json!([]));
    let users =
        "return [...document.querySelectorAll('.left-users a')].map((one) => one.textContent)";
    assert_eq!(d.browser.run(users).await, *left);
    // One of them leads to what they did last.
    d.browser.click(".left-users a").await;
    d.ready().await;
    let query = d.query().await;
    let user = left[0].as_str().unwrap();
    assert!(
        query.contains("view=now") && query.contains(&format!("user={user}")),
        "{query}"
    );
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_wrong_funnel_says_what_is_wrong() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site, "?view=funnels&s1=page_view&range=12m").await;
    // As the API refuses it: the page itself would not.
    let script = "const real = fetch; window.fetch = (path, options) => real(path, \
        {...options, body: options?.body && String(path).includes('funnel') ? '{\"steps\": []}' : options?.body});\
        document.querySelector('.builder').requestSubmit()";
    d.browser.run(script).await;
    eventually_is("it says so", true, async || {
        let text = d.browser.text("#main").await;
        text.contains("steps are 1 to 10 of")
    })
    .await;
    d.nothing_wrong().await;
}

/// The cells of the cohorts' table, the first line left out: it sums them up.
async fn cohorts(d: &Dashboard) -> Vec<Vec<String>> {
    let script = "return [...document.querySelectorAll('.cohorts tbody tr')].map((row) => \
        [...row.cells].slice(1).map((cell) => cell.textContent).filter((text) => text !== 'not yet'))";
    serde_json::from_value(d.browser.run(script).await).unwrap()
}

#[tokio::test]
async fn retention_shows_who_came_back() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(
        site.clone(),
        &format!("?view=funnels&tab=retention&unit=users&{}", days()),
    )
    .await;
    for (period, periods) in [("day", 14), ("week", 12)] {
        let api = asked(
            &site,
            "retention",
            json!({"period": period, "periods": periods}),
        )
        .await;
        let of = |cohort: &Value| {
            let retained = list(&cohort["retained"]).iter().map(number);
            [vec![number(&cohort["users"])], retained.collect()].concat()
        };
        let all = list(&api["cohorts"]).iter();
        let want: Vec<Vec<String>> = all.filter(|one| one["users"] != 0).map(of).collect();
        assert!(!want.is_empty() && want[0].len() > 1, "{want:?}");
        let shown = cohorts(&d).await;
        assert_eq!(shown[1..], want, "{period}");
        let sum = |n: usize| -> i64 {
            let cells = want.iter().filter_map(|row| row.get(n));
            cells.map(|cell| cell.parse::<i64>().unwrap()).sum()
        };
        assert_eq!(shown[0][0], sum(0).to_string());
        assert_eq!(shown[0][1], sum(1).to_string());
        d.press("By week").await;
        d.ready().await;
    }
    d.press("%").await;
    d.ready().await;
    assert_eq!(cohorts(&d).await[1][1], "100%", "all were there at first");
    assert!(!d.query().await.contains("unit"));
    d.nothing_wrong().await;
}

#[tokio::test]
async fn journeys_show_paths_and_lead_to_their_funnels() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(
        site.clone(),
        &format!("?view=funnels&tab=journeys&{}", days()),
    )
    .await;
    let mut first = Value::Null;
    for depth in [5, 2] {
        let api = asked(&site, "journeys", json!({"depth": depth, "limit": 50})).await;
        let want: Vec<[String; 2]> = list(&api["paths"])
            .iter()
            .map(|path| [number(&path["sessions"]), percent(&path["share"])])
            .collect();
        assert!(want.len() > 1);
        let rows = d.rows("Journeys").await;
        let shown: Vec<[String; 2]> = rows
            .iter()
            .map(|row| [row[1].clone(), row[2].clone()])
            .collect();
        assert_eq!(shown, want, "{depth}");
        let crumbs = "return [...document.querySelector('.path').querySelectorAll('.crumb')].map((one) => one.lastChild.textContent)";
        let keys = list(&api["paths"][0]["steps"]).iter().map(|step| &step[1]);
        assert_eq!(d.browser.run(crumbs).await, json!(keys.collect::<Vec<_>>()));
        first = api["paths"][0]["steps"].clone();
        d.browser
            .run("const list = document.querySelector('#depth'); list.value = '2'; list.dispatchEvent(new Event('change'))")
            .await;
        d.ready().await;
    }
    d.browser.click(".journeys tbody .row-link").await;
    d.ready().await;
    let want: Vec<Value> = list(&first)
        .iter()
        .map(|step| match step[0].as_str().unwrap() {
            "page" => json!(["page_view", step[1]]),
            _ => json!(["feature_use", step[1]]),
        })
        .collect();
    assert_eq!(typed(&d).await, json!(want));
    d.nothing_wrong().await;
}

#[tokio::test]
async fn funnels_and_journeys_are_of_what_the_place_is_narrowed_to() {
    let site = shared().new_site().await;
    fill(&site).await;
    let filter = json!(["did", ["is", "feature", ["f1"]]]);
    let place = format!("{}&filters={}", days(), super::filters::encoded(&filter));
    let d = Dashboard::open(site.clone(), &format!("?view=funnels&order=any&{place}")).await;
    let steps = json!([{"eventType": "page_view"}, {"eventType": "feature_use"}]);
    let api = narrowed(
        &site,
        "funnel",
        json!({"steps": steps, "order": "any", "filters": filter}),
    )
    .await;
    assert_eq!(bars(&d).await, want_bars(&api));
    assert!(api["medianMs"].is_number());
    assert_ne!(d.figure("Median time").await, "");
    assert_eq!(
        d.browser
            .run("return document.querySelector('#order').value")
            .await,
        "any"
    );
    d.go(&format!("?view=funnels&tab=journeys&{place}")).await;
    let api = narrowed(
        &site,
        "journeys",
        json!({"depth": 5, "limit": 50, "filters": filter}),
    )
    .await;
    assert_eq!(d.rows("Journeys").await.len(), list(&api["paths"]).len());
    // A page of the flow is reached by the keyboard, and leads to what follows it.
    let page = d
        .browser
        .run(
            "const one = document.querySelector('.flow a'); one.focus(); \
            return document.activeElement === one && one.getAttribute('aria-label')",
        )
        .await;
    assert!(page.as_str().unwrap().starts_with("Step 1: /"), "{page}");
    let to = d
        .browser
        .run("const one = document.activeElement; one.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true})); \
            return one.getAttribute('href')")
        .await;
    assert!(to.as_str().unwrap().contains("end=from"), "{to}");
    d.ready().await;
    let page = d
        .browser
        .run("return document.querySelector('#journey-page').value")
        .await;
    let api = narrowed(
        &site,
        "journeys",
        json!({"depth": 5, "limit": 50, "filters": filter, "from": page}),
    )
    .await;
    assert_eq!(d.rows("Journeys").await.len(), list(&api["paths"]).len());
    d.nothing_wrong().await;
}
