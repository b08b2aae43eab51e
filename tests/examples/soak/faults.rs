//! What fails while clients send.

use std::time::Duration;

use serde_json::json;
use shoreline_tests::system::System;

use super::Soak;

const SERVICES: [&str; 6] = [
    "SITE_DO",
    "ARCHIVE_DO",
    "EVENTS_QUEUE",
    "DB",
    "GRANTS",
    "LAKE",
];
const MODES: [&str; 3] = ["fail", "lost", "slow"];

/// A fault lasts so long, and so long all is well after it.
const LASTS: Duration = Duration::from_secs(2);
const RESTS: Duration = Duration::from_secs(8);

/// How late what is slow answers.
const LATE_MS: u64 = 300;

/// One fault after the other until the end.
pub(crate) async fn in_turn(system: &System, soak: &Soak) {
    for n in 0.. {
        let (service, mode) = (SERVICES[n % 6], MODES[n / 6 % 3]);
        tokio::time::sleep(RESTS).await;
        if !soak.goes_on() {
            return;
        }
        soak.healthy.set(false);
        let fault = json!({service: {"mode": mode, "ms": LATE_MS}});
        system.faults(&fault).await;
        tokio::time::sleep(LASTS).await;
        system.faults(&json!({})).await;
        soak.healthy.set(true);
        soak.did("faults", 1);
    }
}
