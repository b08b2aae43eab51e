//! Posting alerts. One that cannot be posted is logged: nothing waits for it.

use std::time::Duration;

use worker::{Env, Result};

use crate::dead_letter::Reason;
use crate::lake::{FailingSink, works_again};
use crate::observe::alert::{Alert, Claim, Condition, LASTING_QUIET_MS, QUIET_MS};
use crate::shell::platform::bindings::settings;
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::platform::clock::new_trace;
use crate::shell::platform::deadline::within;
use crate::shell::platform::fetch;
use crate::shell::platform::log;
use crate::sinks::{Method, SinkKind, SinkRequest};

/// Says that events of a site are dead letters.
pub(crate) async fn dead_letters(env: &Env, site: &str, events: i64, reason: Reason) {
    let code = reason.code();
    let alert = Alert {
        kind: "dead_letters".to_owned(),
        site_id: site.to_owned(),
        code: code.to_owned(),
        over: false,
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

/// Says that a sink which kept failing takes what it gets again.
pub(crate) async fn sink_works(env: &Env, site: &str, sink: SinkKind) {
    post(env, &works_again(sink, site)).await;
}

/// Whether anybody is told.
pub(crate) fn are_wanted(env: &Env) -> bool {
    settings(env).is_ok_and(|config| config.alert_webhook_url.is_some())
}

/// Tells what of this begins to be wrong, and what is over.
pub(crate) async fn conditions(env: &Env, conditions: &[Condition]) {
    let alerts: Vec<Alert> = conditions.iter().map(Condition::alert).collect();
    post_all(env, &alerts, LASTING_QUIET_MS).await;
}

/// Says that a key of the lake holds what is not ours.
pub(crate) async fn conflict(env: &Env, site: &str, sink: &str, key: &str) {
    let alert = Alert {
        kind: format!("sink_conflict_{sink}"),
        site_id: site.to_owned(),
        code: "conflict".to_owned(),
        over: false,
        text: format!(
            "Shoreline: {key} in the sink {sink} holds something else than what is to land there. \
             Nothing was written over; the object waits. See backlog in GET /health."
        ),
    };
    post(env, &alert).await;
}

async fn post(env: &Env, alert: &Alert) {
    post_all(env, std::slice::from_ref(alert), QUIET_MS).await;
}

/// Posts alerts, where there is somewhere to post them, but for those whose kind went lately; one that does not get
/// through may be tried again at once.
async fn post_all(env: &Env, alerts: &[Alert], quiet_ms: i64) {
    let Some(url) = settings(env)
        .ok()
        .and_then(|config| config.alert_webhook_url.clone())
    else {
        return;
    };
    let claims: Vec<Claim> = alerts.iter().map(|alert| alert.claim(quiet_ms)).collect();
    let kept = SiteDo::of_alerts(env);
    let claimed = match kept.claim(&claims).await {
        Ok(claimed) => claimed,
        Err(error) => return log::error("alerts", error),
    };
    for ((alert, claim), is_claimed) in alerts.iter().zip(&claims).zip(claimed) {
        if !is_claimed {
            continue;
        }
        let error = match within(POSTED_WITHIN, send(&url, alert)).await {
            Some(Ok(())) => continue,
            Some(Err(error)) => error.to_string(),
            None => "the webhook did not answer in time".to_owned(),
        };
        log::error("alerts", error);
        if let Err(error) = kept.release(claim).await {
            log::error("alerts", error);
        }
    }
}

async fn send(url: &str, alert: &Alert) -> Result<()> {
    let request = SinkRequest::new(Method::Post, url.to_owned(), alert.to_json().into_bytes())
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
