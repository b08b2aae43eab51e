//! Three days of a site: views, uses, orders, sign-ups and private visits of a few users.

use serde_json::{Value, json};
use shoreline_tests::events::{batch, feature, uuid, view};
use shoreline_tests::site::{Site, reply};

const DAY_MS: i64 = 86_400_000;

/// Days with events, today being none of them.
pub(crate) const DAYS: i64 = 3;

fn today() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_millis()).unwrap() / DAY_MS
}

/// The date `days` before today.
pub(crate) fn date(days: i64) -> String {
    shoreline_worker::base::time::date(today() - days)
}

/// The range of days on which the events happened, as a query.
pub(crate) fn range() -> String {
    format!("startDate={}&endDate={}", date(DAYS), date(1))
}

fn event(n: i64, day: i64) -> Value {
    let user = format!("u{}", n % 7);
    let mut event = match n % 5 {
        0 | 1 => view(&format!("/{}?utm_source=mail", n % 4), &user),
        2 => feature(&format!("f{}", n % 3), &user),
        3 => json!({
            "eventId": uuid(), "eventType": "ai_request", "userId": user,
            "eventData": {"model": "m", "tokens": n, "cost": 0.01}, "metadata": {"platform": "web"},
        }),
        _ => json!({
            "eventId": uuid(), "eventType": "content_create", "userId": user,
            "eventData": {"contentType": "post"}, "metadata": {"platform": "ios"},
        }),
    };
    // Sessions of some minutes; one of each day goes on over midnight.
    event["sessionId"] = format!("s{day}-{}", n % 6).into();
    let late = if n % 6 == 0 { DAY_MS / 2 } else { 0 };
    event["timestamp"] = (day * DAY_MS + DAY_MS / 2 + late + n * 1_000 - 30_000).into();
    event
}

/// Fills a site; how many events it took.
pub(crate) async fn fill(site: &Site) -> i64 {
    let mut sent = 0;
    for day in today() - DAYS..today() - 1 {
        let events: Vec<Value> = (0..60).map(|n| event(n, day)).collect();
        for some in events.chunks(20) {
            // Once more, as a tracker does that got no answer.
            for _ in 0..2 {
                site.send_ok(&batch(some)).await;
            }
        }
        sent += 60;
        let private = [event(1, day), event(6, day)];
        let request = site.post().header("sec-gpc", "1");
        let answer = reply(request.body(batch(&private).to_string())).await;
        assert_eq!(answer.body["accepted"], 2, "{}", answer.body);
        sent += 2;
    }
    let order = |status: &str| {
        json!({"eventType": "order.placed", "source": "orders", "userId": "u1",
            "payload": {"status": status}})
    };
    let signup =
        json!({"eventType": "iam.user-registered", "source": "iam", "userId": "u9", "payload": {}});
    let commands = json!([order("paid"), order("paid"), order("open"), signup]);
    let answer = reply(site.ingest().body(commands.to_string())).await;
    assert_eq!(answer.body["accepted"], 4, "{}", answer.body);
    sent += 4;
    site.settle().await;
    sent
}
