//! Requests as a patient client makes them: repeated until they are answered as they should be, whatever fails or is
//! killed meanwhile.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::events::uuid;
use crate::site::Site;
use crate::{eventually, within};

/// How long an import may take that is killed on its way again and again.
const IMPORTED_WITHIN: Duration = Duration::from_secs(300);

/// Sends a request again and again until it has this status.
///
/// # Panics
/// After a minute.
pub async fn asked(
    site: &Site,
    (method, path, key): (Method, &str, &str),
    body: String,
    status: u16,
) -> Response {
    eventually(path, async || {
        let request = crate::client().request(method.clone(), format!("{}{path}", site.url));
        let request = request.bearer_auth(key).body(body.clone());
        let answer = request.send().await.ok()?;
        (answer.status() == status).then_some(answer)
    })
    .await
}

/// The JSON of an answer, unless it broke off.
pub async fn json_of(answer: Response) -> Option<Value> {
    answer.json().await.ok()
}

/// So many commands of now for an import, each with an id of its own.
pub fn lines(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({"eventId": uuid(), "eventType": "shop.ordered", "source": "shop", "eventData": {"n": n}}))
        .collect()
}

/// Imports lines that are new, in two parts, to the end; their ids. A create that is repeated makes no second import.
///
/// # Panics
/// If they are not all imported.
pub async fn import(site: &Site, lines: &[Value]) -> Vec<String> {
    let (key, name) = (&*site.source_key, uuid());
    let import = eventually("an import is made", async || {
        let request = crate::client().post(format!("{}/v1/imports", site.url));
        let request = request.bearer_auth(key).header("idempotency-key", &name);
        let answer = request.body("{\"parts\":2}").send().await.ok()?;
        Some(json_of(answer).await?["importId"].as_str()?.to_owned())
    })
    .await;
    for (n, part) in lines.chunks(lines.len().div_ceil(2)).enumerate() {
        let path = format!("/v1/imports/{import}/parts/{}", n + 1);
        let text: String = part.iter().map(|line| format!("{line}\n")).collect();
        asked(site, (Method::PUT, &path, key), text, 202).await;
    }
    let path = format!("/v1/imports/{import}");
    let told = within(IMPORTED_WITHIN, "the import is finished", async || {
        let answer = asked(site, (Method::GET, &path, key), String::new(), 200).await;
        let told = json_of(answer).await?;
        told["finishedAt"].is_number().then_some(told)
    })
    .await;
    assert_eq!(told["processed"], lines.len(), "{told}");
    let id = |line: &Value| line["eventId"].as_str().unwrap().to_owned();
    lines.iter().map(id).collect()
}
