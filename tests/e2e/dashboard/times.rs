//! Time: by hour, day, week and month, compared, by the clocks of a zone; and when they come.

use serde_json::{Value, json};
use shoreline_tests::system::shared;

use super::access::complaints;
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

#[tokio::test]
async fn hours_by_weekdays_are_the_apis_and_lead_to_one() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), &format!("?view=pages&by=when&{}", days())).await;
    let body = json!({"metrics": ["users"], "dimensions": ["day_of_week", "hour_of_day"]});
    let api = answer(&site, body).await;
    let cells = "return Object.fromEntries([...document.querySelectorAll('.heat tbody tr')].flatMap((row, day) => \
        [...row.querySelectorAll('td')].map((cell, hour) => [`${day + 1} ${hour}`, cell.textContent])).filter(([, text]) => text))";
    let shown = d.browser.run(cells).await;
    let rows = api["rows"].as_array().unwrap();
    assert_eq!(shown.as_object().unwrap().len(), rows.len());
    for row in rows {
        let name = format!("{} {}", row["dimensions"][0], row["dimensions"][1]);
        assert_eq!(shown[&name], json!(number(&row["metrics"][0])), "{name}");
    }
    for scheme in ["light", "dark"] {
        d.scheme(scheme).await;
        assert_eq!(complaints(&d).await, Vec::<String>::new(), "{scheme}");
    }
    // A head leads to its hour.
    d.press("12").await;
    d.ready().await;
    assert!(d.query().await.contains("hour_of_day"));
    let of_hour = json!({"metrics": ["users"], "filters": ["is", "hour_of_day", [12]]});
    let users = answer(&site, of_hour).await["totals"][0].clone();
    assert_ne!(users, Value::from(0));
    assert_eq!(d.figure("Active users").await, number(&users));
    d.nothing_wrong().await;
}

#[tokio::test]
async fn the_map_has_the_tables_countries_and_can_be_reached() {
    let site = shared().new_site().await;
    fill(&site).await;
    let d = Dashboard::open(site.clone(), &format!("?view=pages&by=country&{}", days())).await;
    shoreline_tests::eventually("the map is drawn", async || {
        let drawn = "return document.querySelectorAll('.map path').length > 150";
        (d.browser.run(drawn).await == true).then_some(())
    })
    .await;
    let table = d.rows("Countries").await;
    let lands = "return [...document.querySelectorAll('.map a')].map((one) => one.getAttribute('aria-label'))";
    let lands: Vec<String> = serde_json::from_value(d.browser.run(lands).await).unwrap();
    assert!(!lands.is_empty());
    for land in &lands {
        let found = table
            .iter()
            .find(|row| land.starts_with(&format!("{}: ", row[0])));
        let row = found.unwrap_or_else(|| panic!("{land}: {table:?}"));
        assert!(land.contains(&format!("{} events", row[1])), "{land}");
    }
    for scheme in ["light", "dark"] {
        d.scheme(scheme).await;
        assert_eq!(complaints(&d).await, Vec::<String>::new(), "{scheme}");
    }
    let code = d
        .browser
        .run("const one = document.querySelector('.map a'); one.focus(); return one.id")
        .await;
    for kind in ["keyDown", "keyUp"] {
        let text = if kind == "keyDown" { "\r" } else { "" };
        let event = json!({"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": text});
        d.browser.devtools("Input.dispatchKeyEvent", event).await;
    }
    d.ready().await;
    assert!(d.query().await.contains("country"), "{}", d.query().await);
    let focus = "return document.activeElement.id";
    shoreline_tests::eventually_is("the focus stays on the land", code, async || {
        d.browser.run(focus).await
    })
    .await;
    d.nothing_wrong().await;
}
