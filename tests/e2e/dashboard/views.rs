//! Each view against seeded data: the numbers on the page are the API's.

use serde_json::Value;
use shoreline_tests::site::Site;
use shoreline_tests::system::shared;

use super::{Dashboard, number, percent};
use crate::filled::{DAYS, date, fill, range};

/// The days of the seeded data, as the dashboard's URL says them.
pub(super) fn days() -> String {
    format!("from={}&to={}", date(DAYS), date(1))
}

async fn filled() -> Site {
    let site = shared().new_site().await;
    fill(&site).await;
    site
}

async fn metric(site: &Site, name: &str) -> Value {
    let sign = if name.contains('?') { '&' } else { '?' };
    let path = format!("/v1/analytics/metrics/{name}{sign}{}", range());
    site.get(&path).await
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

/// The seeded sessions last minutes or hours.
fn duration(ms: &Value) -> String {
    let seconds = (ms.as_f64().unwrap() / 1000.0).round() as i64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600.. => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => panic!("{ms}"),
    }
}

#[tokio::test]
async fn the_overview_shows_who_came() {
    let site = filled().await;
    let d = Dashboard::open(site.clone(), &format!("?{}", days())).await;
    let api = metric(&site, "platform").await;
    for (label, want) in [
        ("Active users", &api["activeUsers"]),
        ("Sessions", &api["sessions"]),
        ("Daily active", &api["dailyActiveUsers"]),
        ("Weekly active", &api["weeklyActiveUsers"]),
        ("Monthly active", &api["monthlyActiveUsers"]),
    ] {
        assert_ne!(*want, 0, "{label}");
        assert_eq!(d.figure(label).await, number(want), "{label}");
    }
    let signups: i64 = list(&api["days"])
        .iter()
        .map(|day| day["newSignups24h"].as_i64().unwrap())
        .sum();
    assert_eq!(d.figure("New users").await, signups.to_string());
    let mean = duration(&api["averageSessionDuration"]);
    assert_eq!(d.figure("Session duration").await, mean);

    for (figure, field) in [
        ("Sessions", "sessions"),
        ("Daily active", "dailyActiveUsers"),
    ] {
        d.browser
            .click(&format!(
                "#figure-{}",
                figure.to_lowercase().replace(' ', "-")
            ))
            .await;
        d.ready().await;
        let table = chart_table(&d, &format!("{figure} by day")).await;
        let shown: Vec<&String> = table.iter().map(|row| &row[1]).collect();
        let want: Vec<String> = list(&api["days"])
            .iter()
            .map(|day| number(&day[field]))
            .collect();
        assert_eq!(shown, want.iter().collect::<Vec<_>>(), "{figure}");
    }
    for (title, by) in [("Pages", "page"), ("Features", "feature")] {
        let api = metric(&site, &format!("breakdown?by={by}&limit=8")).await;
        assert_eq!(d.rows(title).await, breakdown(&api), "{title}");
    }
    d.nothing_wrong().await;
}

/// The numbers of a chart, as who cannot see it reads them.
pub(super) async fn chart_table(d: &Dashboard, label: &str) -> Vec<Vec<String>> {
    d.browser
        .run("document.querySelector('.chart-table').open = true")
        .await;
    shoreline_tests::eventually("the table is there", async || {
        let rows = d.rows(label).await;
        (!rows.is_empty()).then_some(rows)
    })
    .await
}

fn breakdown(api: &Value) -> Vec<Vec<String>> {
    let rows = list(&api["rows"]).iter().map(|row| {
        let key = row["key"].as_str().unwrap().to_owned();
        let counts = [number(&row["events"]), number(&row["users"])];
        [vec![key], counts.to_vec(), vec![percent(&row["share"])]].concat()
    });
    let rows: Vec<_> = rows.collect();
    assert!(!rows.is_empty());
    rows
}

#[tokio::test]
async fn pages_and_sources_show_every_dimension() {
    let site = filled().await;
    let d = Dashboard::open(site.clone(), &format!("?view=pages&{}", days())).await;
    for (by, title) in [
        ("page", "Pages"),
        ("utm_source", "Campaign sources"),
        ("platform", "Platforms"),
        ("source", "Senders of events"),
    ] {
        d.browser.click(&format!("#tab-by-{by}")).await;
        d.ready().await;
        let api = metric(&site, &format!("breakdown?by={by}&limit=100")).await;
        // The change is the page's own: nothing was there the days before.
        let without: Vec<Vec<String>> = d
            .rows(title)
            .await
            .into_iter()
            .map(|mut row| {
                assert_eq!(row.remove(2), "new");
                row
            })
            .collect();
        assert_eq!(without, breakdown(&api), "{by}");
    }
    // A country is shown by its name.
    d.browser.click("#tab-by-country").await;
    d.ready().await;
    let api = metric(&site, "breakdown?by=country").await;
    let rows = d.rows("Countries").await;
    assert_eq!(rows.len(), list(&api["rows"]).len());
    assert_eq!(rows[0][1], number(&api["rows"][0]["events"]));
    d.nothing_wrong().await;
}

#[tokio::test]
async fn features_show_uses_users_and_durations() {
    let site = filled().await;
    let d = Dashboard::open(site.clone(), &format!("?view=features&{}", days())).await;
    let api = metric(&site, "features").await;
    let uses: i64 = list(&api["features"])
        .iter()
        .map(|row| row["uses"].as_i64().unwrap())
        .sum();
    assert_eq!(d.figure("Uses").await, uses.to_string());
    let rows = d.rows("Features").await;
    assert_eq!(rows.len(), 3);
    for (row, api) in rows.iter().zip(list(&api["features"])) {
        assert_eq!(row[0], api["feature"].as_str().unwrap());
        assert_eq!(row[1], number(&api["uses"]));
        assert_eq!(row[3], number(&api["users"]));
        let mean = api["averageDuration"].as_f64().unwrap().round();
        assert_eq!(row[4], format!("{mean} ms"));
    }

    d.press("f1").await;
    d.ready().await;
    assert!(d.query().await.contains("filters="), "{}", d.query().await);
    let f1 = list(&api["features"])
        .iter()
        .find(|row| row["feature"] == "f1");
    assert_eq!(d.figure("Uses").await, number(&f1.unwrap()["uses"]));
    let by_day = chart_table(&d, "Uses by day").await;
    let platform = metric(&site, "platform").await;
    for (row, day) in by_day.iter().zip(list(&platform["days"])) {
        assert_eq!(
            row[1],
            day["featureUsage"]["f1"].as_i64().unwrap_or(0).to_string()
        );
    }
    d.nothing_wrong().await;
}

#[tokio::test]
async fn content_and_ai_show_what_was_made_and_what_it_cost() {
    let site = filled().await;
    let d = Dashboard::open(site.clone(), &format!("?view=content&{}", days())).await;
    let api = metric(&site, "platform").await;
    let (content, ai) = (&api["contentCreated"], &api["aiUsage"]);
    assert_eq!(d.figure("Content created").await, number(&content["total"]));
    assert_eq!(d.figure("AI requests").await, number(&ai["totalRequests"]));
    assert_eq!(d.figure("Tokens").await, number(&ai["totalTokens"]));
    let cost = ai["totalCost"].as_f64().unwrap();
    assert_eq!(d.figure("Cost").await, format!("{cost:.2}"));
    let rows = d.rows("Content by type").await;
    let want = vec![vec![
        "post".to_owned(),
        number(&content["byType"]["post"]),
        "100%".to_owned(),
    ]];
    assert_eq!(rows, want);
    let by_day = d.rows("AI by day").await;
    // The newest first; only days on which a model was asked.
    let asked = list(&api["days"])
        .iter()
        .rev()
        .filter(|day| day["aiUsage"]["totalRequests"] != 0);
    for (row, day) in by_day.iter().zip(asked) {
        assert_eq!(row[1], number(&day["aiUsage"]["totalRequests"]));
        assert_eq!(row[2], number(&day["aiUsage"]["totalTokens"]));
    }
    assert!(!by_day.is_empty());
    d.nothing_wrong().await;
}

#[tokio::test]
async fn a_table_is_sorted_searched_and_downloaded() {
    let site = filled().await;
    let d = Dashboard::open(site.clone(), &format!("?view=pages&{}", days())).await;
    let keys = async || -> Vec<String> {
        let rows = d.rows("Pages").await;
        rows.into_iter().map(|mut row| row.swap_remove(0)).collect()
    };
    d.press("Page").await;
    let mut sorted = keys().await;
    assert!(sorted.len() > 2);
    assert!(sorted.is_sorted(), "{sorted:?}");
    d.press("Page").await;
    sorted.reverse();
    assert_eq!(keys().await, sorted);
    let sort = "return document.querySelector('th[scope=col]').getAttribute('aria-sort')";
    assert_eq!(d.browser.run(sort).await, "descending");

    let search = "const box = document.querySelector('#search'); box.value = '/2'; \
        box.dispatchEvent(new Event('input', {bubbles: true}))";
    d.browser.run(search).await;
    assert_eq!(keys().await, ["/2"]);
    assert!(d.query().await.contains("q=%2F2"));
    // All rows are here: what is not among them is nowhere.
    let nothing = search.replace("'/2'", "'nowhere'");
    d.browser.run(&nothing).await;
    let said = "return document.querySelector('td.none').textContent";
    assert_eq!(d.browser.run(said).await, "Nothing matches.");
    d.browser.run(search).await;

    let folder = tempfile::tempdir().unwrap();
    let allow = serde_json::json!({"behavior": "allow", "downloadPath": folder.path()});
    d.browser.devtools("Page.setDownloadBehavior", allow).await;
    d.press("CSV").await;
    let file = shoreline_tests::eventually("the file is there", async || {
        let entries = std::fs::read_dir(folder.path()).unwrap().flatten();
        let mut csv = entries.map(|entry| entry.path());
        csv.find(|path| path.extension().is_some_and(|end| end == "csv"))
    })
    .await;
    let path = format!(
        "{}/v1/analytics/metrics/breakdown?by=page&limit=500&format=csv&{}",
        site.url,
        range()
    );
    let request = reqwest::Client::new()
        .get(path)
        .bearer_auth(&site.read_token);
    let want = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(std::fs::read_to_string(file).unwrap(), want);
    d.nothing_wrong().await;
}
