//! Time: by hour, day, week and month, compared, by the clocks of a zone; and when they come.

use serde_json::json;
use shoreline_tests::system::shared;

use super::filters::answer;
use super::views::{chart_table, days};
use super::{Dashboard, number};
use crate::filled::{DAYS, date, fill};

#[tokio::test]
async fn yesterday_is_shown_by_hour_and_any_range_by_what_fits() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), "?range=yesterday").await;
    let shown = chart_table(&d, "Active users by hour").await;
    assert_eq!(shown.len(), 24);
    let body =
        json!({"metrics": ["users"], "dimensions": ["time:hour"], "range": [date(1), date(1)]});
    let api = answer(&site, body).await;
    let mut busy: Vec<&String> = shown
        .iter()
        .map(|row| &row[1])
        .filter(|n| *n != "0")
        .collect();
    let mut want: Vec<String> = api["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| number(&row["metrics"][0]))
        .collect();
    busy.sort();
    want.sort();
    assert_eq!(busy, want.iter().collect::<Vec<_>>());

    let choose = |id: &str, value: &str| {
        format!(
            "const list = document.querySelector('#{id}'); list.value = '{value}'; \
             list.dispatchEvent(new Event('change'))"
        )
    };
    d.go("?range=90d").await;
    let offered = "return [...document.querySelector('#interval').options].map((one) => one.value)";
    assert_eq!(
        d.browser.run(offered).await,
        json!(["day", "week", "month"])
    );
    for (interval, unit) in [("week", "time:week"), ("month", "time:month")] {
        d.browser.run(&choose("interval", interval)).await;
        d.ready().await;
        assert!(
            d.query().await.contains(&format!("interval={interval}")),
            "{interval}"
        );
        let shown = chart_table(&d, &format!("Active users by {interval}")).await;
        let body = json!({"metrics": ["users"], "dimensions": [unit], "range": "90d"});
        let api = answer(&site, body).await;
        let mut busy: Vec<&String> = shown
            .iter()
            .map(|row| &row[1])
            .filter(|n| *n != "0")
            .collect();
        let rows = api["rows"].as_array().unwrap();
        let mut want: Vec<String> = rows.iter().map(|row| number(&row["metrics"][0])).collect();
        busy.sort();
        want.sort();
        assert_eq!(busy, want.iter().collect::<Vec<_>>(), "{interval}");
    }
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_range_is_compared_with_what_is_chosen() {
    let site = shared().new_site().await;
    fill(&site).await;
    // Today has four events; the day before, and the same weekday, have their own.
    let d = Dashboard::open(site.clone(), &format!("?from={0}&to={0}", date(1))).await;
    let legend = "return [...document.querySelectorAll('.headline .legend li')].map((one) => one.textContent)";
    for (compare, name) in [
        ("", "Period before"),
        ("&compare=matching_weekdays", "Matching weekdays"),
        ("&compare=previous_year", "Year before"),
    ] {
        d.go(&format!("?from={0}&to={0}{compare}", date(1))).await;
        assert_eq!(
            d.browser.run(legend).await,
            json!(["Active users", name]),
            "{compare}"
        );
        let how = match compare {
            "" => "previous_period",
            other => other.split_once('=').unwrap().1,
        };
        let body = json!({"metrics": ["sessions"], "compare": how, "range": [date(1), date(1)],
            "filters": ["exists", "eventType"]});
        let api = answer(&site, body).await;
        let change = "return [...document.querySelectorAll('.figure')].find((one) => \
            one.querySelector('.figure-label').textContent === 'Sessions').querySelector('.delta')?.textContent ?? ''";
        let change = d.browser.run(change).await;
        let was = api["comparedTotals"][0].as_i64().unwrap();
        // Nothing to compare with, no change.
        assert_eq!(change == "", was == 0, "{compare}: {change} {api}");
    }
    d.go(&format!("?from={0}&to={0}&compare=none", date(1)))
        .await;
    assert_eq!(d.browser.run(legend).await, json!(["Active users"]));
    assert_eq!(
        d.browser
            .run("return document.querySelectorAll('.delta').length")
            .await,
        0
    );

    // By the form, which keeps the choice in the URL.
    d.browser.click("#range").await;
    let choose = "const list = document.querySelector('#compare'); list.value = 'previous_year'; \
        list.dispatchEvent(new Event('change'))";
    d.browser.run(choose).await;
    d.ready().await;
    assert!(d.query().await.contains("compare=previous_year"));
    assert_eq!(
        d.browser.run(legend).await,
        json!(["Active users", "Year before"])
    );
    d.nothing_wrong().await;
}

#[tokio::test]
async fn days_are_those_of_the_zone_that_is_chosen_and_linked() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), &format!("?{}", days())).await;
    d.browser.click("#range").await;
    let choose = |zone: &str| {
        format!(
            "const one = document.querySelector('#zone'); one.value = '{zone}'; \
             one.dispatchEvent(new Event('change'))"
        )
    };
    // A zone that there is not is told.
    d.browser.run(&choose("Europe/Atlantis")).await;
    let message = "return document.querySelector('#zone').validationMessage";
    let message = d.browser.run(message).await;
    assert!(
        message.as_str().unwrap().contains("No time zone"),
        "{message}"
    );
    d.browser.run(&choose("Pacific/Auckland")).await;
    d.ready().await;
    assert!(
        d.query().await.contains("tz=Pacific%2FAuckland"),
        "{}",
        d.query().await
    );
    let by_day = json!({"metrics": ["users", "views"], "dimensions": ["time:day"], "timeZone": "Pacific/Auckland"});
    let api = answer(&site, by_day).await;
    assert_eq!(d.figure("Page views").await, number(&api["totals"][1]));
    let shown = chart_table(&d, "Active users by day").await;
    assert_eq!(shown.len() as i64, DAYS);
    let total: i64 = api["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["metrics"][0].as_i64().unwrap())
        .sum();
    let of_chart: i64 = shown.iter().map(|row| row[1].parse::<i64>().unwrap()).sum();
    assert_eq!(of_chart, total);
    // The choice is kept for links that say nothing, and written into them.
    d.go("?view=features").await;
    assert!(d.query().await.contains("tz=Pacific%2FAuckland"));
    d.go("?view=features&tz=UTC").await;
    assert!(d.query().await.contains("tz=UTC"));
    d.nothing_wrong().await;
}

#[tokio::test]
async fn the_browsers_own_zone_is_the_default() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::at_the_door(site.clone(), "").await;
    let zone = json!({"timezoneId": "America/St_Johns"});
    d.browser
        .devtools("Emulation.setTimezoneOverride", zone)
        .await;
    d.go_to_the_door(&format!("?{}", days())).await;
    d.sign_in(&site.read_token).await;
    d.ready().await;
    assert!(
        d.query().await.contains("tz=America%2FSt_Johns"),
        "{}",
        d.query().await
    );
    let body = json!({"metrics": ["views"], "timeZone": "America/St_Johns"});
    let api = answer(&site, body).await;
    assert_eq!(d.figure("Page views").await, number(&api["totals"][0]));
    // Its hours are at the zone's half hours.
    d.go("?range=yesterday").await;
    let hours = chart_table(&d, "Active users by hour").await;
    assert_eq!(hours.len(), 24);
    assert!(hours.iter().all(|row| row[0].ends_with(":00")), "{hours:?}");
    d.nothing_wrong().await;
}
