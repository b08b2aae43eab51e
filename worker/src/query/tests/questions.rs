//! The questions of `docs/QUESTIONS.md` have the answers that stand there.

use super::*;

fn path() -> String {
    format!("{}/../docs/QUESTIONS.md", env!("CARGO_MANIFEST_DIR"))
}

/// The blocks of a page: what stands after its fence, and what is within.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = page.split("```").collect();
    let inner = parts.into_iter().skip(1).step_by(2);
    inner.filter_map(|block| block.split_once('\n')).collect()
}

/// An event of the page as one that is stored.
fn stored(n: usize, line: &str) -> Value {
    let told: Value = serde_json::from_str(line).unwrap();
    let at = told["at"].as_str().unwrap();
    let at_ms = chrono::DateTime::parse_from_rfc3339(at)
        .unwrap()
        .timestamp_millis();
    let user = told["user"].as_str().unwrap();
    json!({
        "eventId": crate::testing::uuid(n), "eventType": told["type"], "siteId": "shop", "source": "tracker",
        "userId": user, "sessionId": format!("{user} {}", &at[..10]), "timestamp": at_ms, "receivedAt": at_ms,
        "country": told["country"], "eventData": told["data"], "metadata": {"platform": "web"},
    })
}

/// When the questions are asked, 2026-12-01.
const AFTER_ALL: i64 = 1_796_083_200_000;

/// Berlin's clocks in November.
const BERLIN: [(i64, i64); 1] = [(0, 3_600_000)];

#[test]
fn ten_everyday_questions_have_the_answers_that_the_page_tells() {
    let page = std::fs::read_to_string(path()).unwrap();
    let found = blocks(&page);
    let (_, events) = found.iter().find(|(kind, _)| *kind == "events").unwrap();
    let events: Vec<Value> = events
        .lines()
        .enumerate()
        .map(|(n, line)| stored(n, line))
        .collect();
    let sql = archived(&events, 6);
    let mut written = page.clone();
    let mut asked = 0;
    let (mut told, mut want) = (Vec::new(), Vec::new());
    for pair in found.windows(2) {
        let [("json", question), ("answer", answer)] = pair else {
            continue;
        };
        asked += 1;
        let body: Value = serde_json::from_str(question).unwrap();
        let zone = match body["timeZone"].as_str() {
            Some("Europe/Berlin") => BERLIN.to_vec(),
            _ => Vec::new(),
        };
        let (_, answers) =
            answers_at(std::slice::from_ref(&sql), &body, zone, 0, AFTER_ALL).unwrap();
        let found = serde_json::to_value(&answers[0]).unwrap();
        let rows = found["rows"].as_array().unwrap().iter();
        let lines: String = rows.map(|row| format!("{row}\n")).collect();
        let after = format!("{question}```\n\n```answer\n");
        written = written.replace(&format!("{after}{answer}"), &format!("{after}{lines}"));
        told.push(lines);
        want.push((*answer).to_owned());
    }
    if std::env::var_os("SHORELINE_WRITE_QUESTIONS").is_some() {
        std::fs::write(path(), written).unwrap();
        return;
    }
    assert!(asked >= 10, "{asked}");
    assert_eq!(told, want, "SHORELINE_WRITE_QUESTIONS=1 writes the answers");
}
