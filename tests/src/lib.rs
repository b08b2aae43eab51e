//! Drives the built Shoreline from outside, as its users do: by `npm start`, HTTP, a browser and the
//! lake's files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a harness of tests: what goes wrong here must stop the test"
)]

pub mod aws;
pub mod browser;
pub mod clients;
pub mod contract;
pub mod events;
mod headers;
mod http;
pub mod lake;
pub mod live;
pub mod pages;
pub mod patient;
mod processes;
pub mod proxy;
pub mod site;
pub mod sizes;
pub mod system;
pub mod visit;
pub mod webhook;

use std::io::ErrorKind;
use std::net::TcpListener;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a condition may take that the system reaches in a few seconds; long, because the
/// machine may be busy, and free, because nothing waits longer than it must.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The root of the checkout.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Asks `question` until it has an answer.
///
/// # Panics
/// After [`PATIENCE`], with `what` was waited for.
pub async fn eventually<T>(what: &str, question: impl AsyncFnMut() -> Option<T>) -> T {
    within(PATIENCE, what, question).await
}

/// Asks `question` until it has an answer, where what is waited for has a deadline of its own.
///
/// # Panics
/// After `patience`, with `what` was waited for.
pub async fn within<T>(
    patience: Duration,
    what: &str,
    mut question: impl AsyncFnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(start.elapsed() < patience, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks `question` until the answer is `want`.
///
/// # Panics
/// After [`PATIENCE`], with the last answer.
pub async fn eventually_is<T: PartialEq + std::fmt::Debug>(
    what: &str,
    want: T,
    mut question: impl AsyncFnMut() -> T,
) {
    let start = Instant::now();
    loop {
        let answer = question().await;
        if answer == want {
            return;
        }
        if start.elapsed() > PATIENCE {
            assert_eq!(answer, want, "waited in vain: {what}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How long a system may keep a client waiting: longer than whatever it is that it does for one request.
const LONGEST_SILENCE: Duration = Duration::from_secs(180);

/// How long tests of one process may take together where nobody watches; they take a quarter of an hour, and all of CI
/// has 90 minutes.
const LONGEST_RUN: Duration = Duration::from_secs(45 * 60);

/// Ends this process once its tests have taken too long: one that hangs is told by the runner as running for over 60
/// seconds, and never as ended.
fn end_this_process_after(longest: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(longest);
        eprintln!("the tests have not ended after {longest:?}");
        std::process::exit(1);
    });
}

/// What sends requests. Making one reads all certificates that the machine trusts, for half a second of an
/// unoptimized build: so there is one for all tests. It keeps no connection, because a connection ends with the
/// runtime of its test.
pub fn client() -> reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        // A soak may be as long as one likes.
        if std::env::var_os("CI").is_some() {
            end_this_process_after(LONGEST_RUN);
        }
        let client = reqwest::Client::builder().pool_max_idle_per_host(0);
        client.read_timeout(LONGEST_SILENCE).build().unwrap()
    });
    CLIENT.clone()
}

/// Ports that are given to what is started: below those that systems give connections, 32,768 and more of Linux, one of
/// which could have it between its choice and its use. `deploy/dev/base/port.mjs` chooses from others.
const PORTS: Range<u32> = 16_000..32_000;

/// A port that nothing listens on. Each call of this process has another one, and processes have others.
pub fn free_port() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    loop {
        let begin = std::process::id().wrapping_mul(101);
        let next = begin.wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + next % (PORTS.end - PORTS.start);
        let port = u16::try_from(port).unwrap();
        // A machine may have no ::1.
        let is_taken = |host: &str| {
            let bound = TcpListener::bind((host, port));
            bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
        };
        if !is_taken("127.0.0.1") && !is_taken("::1") {
            return port;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::client;
    use crate::pages::{Page, Pages};

    #[test]
    fn the_client_outlives_the_runtime_of_a_test() {
        for _ in 0..3 {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let pages = Pages::serve(Page::default()).await;
                for _ in 0..2 {
                    let answer = client().get(&pages.url).send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    assert!(answer.text().await.unwrap().contains("<!doctype html>"));
                }
            });
        }
    }
}
