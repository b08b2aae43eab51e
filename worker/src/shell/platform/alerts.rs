//! Posting alerts. One that cannot be posted is logged: nothing waits for it.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde::de::IgnoredAny;
use worker::{Delay, Env, Result};

use crate::dead_letter::Reason;
use crate::lake::FailingSink;
use crate::observe::alert::Alert;
use crate::shell::platform::bindings::settings;
use crate::shell::platform::clock::{new_trace, now_ms};
use crate::shell::platform::d1;
use crate::shell::platform::fetch;
use crate::shell::platform::log;
use crate::sinks::{Method, SinkRequest};

/// Says that events of a site are dead letters.
pub(crate) async fn dead_letters(env: &Env, site: &str, events: i64, reason: Reason) {
    let code = reason.code();
    let alert = Alert {
        kind: "dead_letters".to_owned(),
        site_id: site.to_owned(),
        code: code.to_owned(),
        text: format!(
            "Shoreline: {events} events of site {site} are dead letters ({code}). \
             See GET /v1/dead-letters."
        ),
    };
    post(env, &alert).await;
}

/// How long the webhook may take: a sink's next attempt waits for it.
const POSTED_WITHIN: Duration = Duration::from_secs(5);

/// What the webhook answers is of no interest, but has to end.
const LIMITS: fetch::Limits = fetch::Limits {
    within_ms: 5_000,
    most_bytes: 1_000_000,
    follow: true,
};

/// Says that a sink keeps failing.
pub(crate) async fn sink_failing(env: &Env, site: &str, failing: &FailingSink) {
    let alert = failing.alert(site);
    log::error("sink_alert", &alert.text);
    post(env, &alert).await;
}

/// Says that a key of the lake holds what is not ours.
pub(crate) async fn conflict(env: &Env, site: &str, sink: &str, key: &str) {
    let alert = Alert {
        kind: format!("sink_conflict_{sink}"),
        site_id: site.to_owned(),
        code: "conflict".to_owned(),
        text: format!(
            "Shoreline: {key} in the sink {sink} holds something else than what is to land there. \
             Nothing was written over; the object waits. See backlog in GET /health."
        ),
    };
    post(env, &alert).await;
}

/// Posts an alert; one that does not get through may be tried again at once.
async fn post(env: &Env, alert: &Alert) {
    let error = match select(pin!(send(env, alert)), pin!(Delay::from(POSTED_WITHIN))).await {
        Either::Left((Ok(()), _)) => return,
        Either::Left((Err(error), _)) => error.to_string(),
        Either::Right(_) => "the webhook did not answer in time".to_owned(),
    };
    log::error("alerts", error);
    if let Err(error) = d1::rows::<IgnoredAny>(env, &alert.release()).await {
        log::error("alerts", error);
    }
}

/// Posts an alert, where there is somewhere to post it and none of its kind went lately.
async fn send(env: &Env, alert: &Alert) -> Result<()> {
    let config = settings(env)?;
    let Some(url) = &config.alert_webhook_url else {
        return Ok(());
    };
    let claimed: Vec<IgnoredAny> = d1::rows(env, &alert.claim(now_ms())).await?;
    if claimed.is_empty() {
        return Ok(());
    }
    let request = SinkRequest::new(Method::Post, url.clone(), alert.to_json().into_bytes())
        .header("content-type", "application/json")
        .header("traceparent", new_trace()?.traceparent());
    let answer = fetch::send(&request, LIMITS)
        .await
        .map_err(worker::Error::RustError)?;
    if !(200..300).contains(&answer.status) {
        let words = format!("the webhook answered {}", answer.status);
        return Err(worker::Error::RustError(words));
    }
    Ok(())
}
