use shoreline_shared::privacy::user_hash;

use super::*;
use crate::base::sql::Sql;
use crate::read::brute::KEY;

/// Questions about ids that are one person answer as if all of their events had one id.
#[test]
fn joined_ids_are_one_user() {
    let events = some_events(300);
    let one: Vec<Value> = events
        .iter()
        .map(|event| {
            let mut event = event.clone();
            if ["u2", "u4"].contains(&event["userId"].as_str().unwrap_or_default()) {
                event["userId"] = json!("u1");
            }
            event
        })
        .collect();
    let sql = archived(&events, 9);
    let hash = |id: &str| user_hash(KEY, "demo", id);
    let text =
        |anonymous: &str, user: &str| format!("{}{}{:032x}1", hash(anonymous), hash(user), 1);
    for insert in [
        format!(
            "INSERT INTO aliases VALUES ('{}', '{}', '{}')",
            hash("u2"),
            hash("u1"),
            text("u2", "u1")
        ),
        format!("INSERT INTO identified VALUES (7, '{}')", text("u4", "u2")),
    ] {
        sql.run(&insert, &[]).unwrap();
    }
    let plain = archived(&one, 9);
    for body in [
        json!({"metrics": ["users", "events", "conversionRate"], "goal": ["is", "eventType", ["feature_use"]]}),
        json!({"metrics": ["users"], "dimensions": ["page"]}),
        json!({"metrics": ["users", "events"], "dimensions": ["time:day"]}),
        json!({"metrics": ["events", "users"], "dimensions": ["eventType"],
            "filters": ["did", ["is", "feature", ["f1"]]]}),
        json!({"metrics": ["events", "users"], "filters": ["did_not", ["is", "page", ["/2"]]]}),
    ] {
        let mut body = body;
        body["range"] = all_days();
        let told = ask(&sql, &body);
        assert_eq!(told, ask(&plain, &body), "{body}");
        assert_ne!(told["totals"], json!([0]));
    }
}
