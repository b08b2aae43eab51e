//! Posting alerts. One that cannot be posted is logged: nothing waits for it.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde::de::IgnoredAny;
use wasm_bindgen::JsValue;
use worker::{Delay, Env, Fetch, Headers, Method, Request, RequestInit, Result};

use super::bindings::settings;
use super::platform::now_ms;
use super::{d1, log};
use crate::alert::Alert;
use crate::dead_letter::{DeadPart, Reason};
use crate::lake::FailingSink;

/// Says that a part is a dead letter.
pub(super) async fn dead_letter(env: &Env, part: &DeadPart, reason: Reason) {
    let alert = Alert {
        kind: "dead_letters".to_owned(),
        site_id: part.site.clone(),
        code: reason.code().to_owned(),
        text: format!(
            "Shoreline: {} events of site {} are dead letters ({}). See GET /v1/dead-letters.",
            part.events,
            part.site,
            reason.code()
        ),
    };
    if let Err(error) = send(env, &alert).await {
        log::error("alerts", error);
    }
}

/// How long the webhook may take: a sink's next attempt waits for it.
const POSTED_WITHIN: Duration = Duration::from_secs(5);

/// Says that a sink keeps failing.
pub(super) async fn sink_failing(env: &Env, site: &str, failing: &FailingSink) {
    let alert = failing.alert(site);
    log::error("sink_alert", &alert.text);
    match select(pin!(send(env, &alert)), pin!(Delay::from(POSTED_WITHIN))).await {
        Either::Left((Ok(()), _)) => {}
        Either::Left((Err(error), _)) => log::error("alerts", error),
        Either::Right(_) => log::error("alerts", "the webhook did not answer in time"),
    }
}

/// Posts an alert, where there is somewhere to post it and none of its kind went lately.
pub(super) async fn send(env: &Env, alert: &Alert) -> Result<()> {
    let config = settings(env)?;
    let Some(url) = &config.alert_webhook_url else {
        return Ok(());
    };
    let claimed: Vec<IgnoredAny> = d1::rows(env, &alert.claim(now_ms())).await?;
    if claimed.is_empty() {
        return Ok(());
    }
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(JsValue::from_str(&alert.to_json())));
    let answer = Fetch::Request(Request::new_with_init(url, &init)?)
        .send()
        .await?;
    if !(200..300).contains(&answer.status_code()) {
        log::error(
            "alerts",
            format!("the webhook answered {}", answer.status_code()),
        );
    }
    Ok(())
}
