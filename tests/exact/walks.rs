//! Funnels, retention, journeys and properties of events that pass filters, and ids that are one person.

use serde_json::{Value, json};
use shoreline_tests::site::{Site, reply};
use shoreline_worker::base::time::date;

use crate::asked::{Asked, now, without_note};
use crate::made::{DAY_MS, Dice, Plan};
use crate::names::AGENTS;

/// Events that say that two ids are one person: some are one already, are the same, or are of a day alone.
pub(crate) fn joining(plan: &Plan, dice: &mut Dice) -> Vec<String> {
    let mut lines = Vec::new();
    for n in 0..90 {
        let id = |dice: &mut Dice| match dice.below(20) {
            0 => format!("anon-{:032x}", dice.below(40)),
            1 => "用户".to_owned(),
            _ => format!("user-{}", dice.below(120)),
        };
        let (user, anonymous) = (id(dice), id(dice));
        let at = plan.start + dice.below(plan.end - plan.start);
        let event = json!({
            "eventId": dice.uuid(), "eventType": "identify", "timestamp": at, "source": "accounts", "userId": user,
            "sessionId": format!("joins-{n}"), "eventData": {"anonymousId": anonymous},
            "metadata": {"userAgent": dice.pick(&AGENTS), "ipAddress": "203.0.113.77", "platform": "web"},
        });
        lines.push(event.to_string());
    }
    lines
}

/// Filters that are asked for; none of them is empty.
fn filters(has_users: bool) -> Vec<Value> {
    let mut all = vec![
        json!(["is", "eventType", ["page_view", "feature_use", "custom"]]),
        json!(["is", "country", ["DE", "US"]]),
        json!(["not", ["contains", "page", "pri"]]),
        json!(["is_not", "platform", "web"]),
        json!(["or", ["exists", "feature"], ["exists", "page"]]),
    ];
    if has_users {
        // What is asked of sessions and users is asked of the range, which retention leaves.
        all.push(json!(["did", ["exists", "feature"]]));
        all.push(json!(["did_not", ["is", "eventType", "error"]]));
        all.push(json!(["is", "channel", ["Direct", "Search"]]));
    }
    all
}

/// When, of which events, by whose clocks.
fn place(dice: &mut Dice, body: &mut Value, has_users: bool) {
    let today = now() / DAY_MS;
    let first = today - 5 - dice.below(38);
    body["range"] = match dice.below(3) {
        0 => dice.pick(&["7d", "30d", "yesterday", "month"]).into(),
        _ => json!([date(first), date((first + dice.below(20)).min(today))]),
    };
    if !dice.one_in(3) {
        body["filters"] = dice.pick(&filters(has_users));
    }
    if dice.one_in(2) {
        let zones = ["Europe/Berlin", "America/St_Johns", "Pacific/Auckland"];
        body["timeZone"] = dice.pick(&zones).into();
    }
}

fn step(dice: &mut Dice) -> Value {
    let all = [
        json!({"eventType": "page_view"}),
        json!({"eventType": "page_view", "page": "/pricing"}),
        json!({"eventType": "feature_use"}),
        json!({"eventType": "feature_use", "feature": "search"}),
        json!({"eventType": "ai_request"}),
        json!(["exists", "custom"]),
        json!(["or", ["is", "page", "/"], ["is", "eventType", "error"]]),
        json!(["gt", "data.duration", 100]),
        json!(["is", "eventType", "page_leave"]),
    ];
    dice.pick(&all)
}

async fn funnel(site: &Site, dice: &mut Dice) -> Asked {
    let count = 1 + dice.below(4);
    let steps: Vec<Value> = (0..count).map(|_| step(dice)).collect();
    let mut body = json!({"steps": steps, "windowHours": dice.pick(&[1, 24, 168, 2_160]),
        "order": dice.pick(&["sequence", "strict", "any"])});
    place(dice, &mut body, true);
    if dice.one_in(2) {
        body["by"] = dice
            .pick(&["country", "platform", "device", "channel", "entryPage"])
            .into();
    }
    let asks_dropped = count > 1 && dice.one_in(2);
    if asks_dropped {
        body["droppedAfter"] = (1 + dice.below(count - 1)).into();
        body["limit"] = 40.into();
    }
    let mut asked = ask(site, "funnel", &body).await;
    if asks_dropped {
        let (mut ids, mut page) = (Vec::new(), asked.json["dropped"].take());
        loop {
            ids.extend(page["users"].as_array().unwrap().iter().cloned());
            if page["nextCursor"].is_null() {
                break;
            }
            body["cursor"] = page["nextCursor"].take();
            page = ask(site, "funnel", &body).await.json["dropped"].take();
        }
        asked.ask["dropped"] = ids.clone().into();
        asked.json["dropped"] = ids.into();
    }
    // Equal groups may be told in any order.
    if let Some(groups) = asked.json["groups"].as_array_mut() {
        groups.sort_by_key(|group| group["value"].as_str().unwrap_or_default().to_owned());
    }
    asked.json.as_object_mut().unwrap().remove("otherGroups");
    asked
}

async fn retention(site: &Site, dice: &mut Dice) -> Asked {
    let mut body = json!({"period": dice.pick(&["day", "week"]), "periods": 1 + dice.below(12)});
    place(dice, &mut body, false);
    if dice.one_in(2) {
        body["goal"] = dice.pick(&filters(false));
    }
    ask(site, "retention", &body).await
}

async fn journeys(site: &Site, dice: &mut Dice) -> Asked {
    let mut body = json!({"depth": 1 + dice.below(8), "limit": dice.pick(&[3, 20, 100])});
    place(dice, &mut body, true);
    match dice.below(3) {
        0 => body["from"] = dice.pick(&["/", "/pricing", "/none"]).into(),
        1 => body["to"] = dice.pick(&["/", "/pricing", "/none"]).into(),
        _ => {}
    }
    ask(site, "journeys", &body).await
}

async fn ask(site: &Site, kind: &str, body: &Value) -> Asked {
    let before = now();
    let url = format!("{}/v1/analytics/query/{kind}", site.url);
    let request = shoreline_tests::client().post(url).json(body);
    let answer = reply(request.bearer_auth(&site.read_token)).await;
    assert_eq!(answer.status, 200, "{body}: {}", answer.body);
    asked(site, kind, body, before, answer.body)
}

fn asked(site: &Site, kind: &str, body: &Value, before: i64, answer: Value) -> Asked {
    Asked {
        ask: json!({"site": site.id, "what": "walk", "kind": kind, "body": body, "before": before, "after": now(),
            "told": answer["meta"]}),
        json: without_note(answer),
        csv: None,
    }
}

/// Which properties there are.
async fn properties(site: &Site, dice: &mut Dice) -> Asked {
    let range = dice.pick(&["7d", "30d", "90d"]);
    let mut body = json!({"range": range});
    let mut path = format!("/v1/analytics/properties?limit=5000&range={range}");
    if dice.one_in(2) {
        let kind = dice.pick(&["custom", "page_view", "identify", "nothing.ever"]);
        body["eventType"] = kind.into();
        path += &format!("&eventType={kind}");
    }
    let before = now();
    let mut answer = site.get(&path).await;
    let events = answer["events"].as_array_mut().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    events.sort_by_key(|one| (text(&one["eventType"]), text(&one["event"])));
    for one in events {
        let found = one["properties"].as_array_mut().unwrap();
        found.sort_by_key(|property| text(&property["name"]));
    }
    asked(site, "properties", &body, before, answer)
}

/// So many questions of each kind about a site.
pub(crate) async fn questions(site: &Site, dice: &mut Dice, count: i64) -> Vec<Asked> {
    let mut all = Vec::new();
    for n in 0..count {
        all.push(funnel(site, dice).await);
        all.push(retention(site, dice).await);
        all.push(journeys(site, dice).await);
        if n % 5 == 0 {
            all.push(properties(site, dice).await);
        }
    }
    all
}
