//! `npm run soak`: all real clients at once for half an hour (`SOAK_SECONDS`), while services fail in turn. At the end
//! nothing is lost or doubled, every answer equals a plain count of the lake, and memory is flat.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test that runs by itself: what goes wrong must stop it"
)]

mod clients;
mod count;
mod faults;
mod memory;
mod readers;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use shoreline_tests::site::Site;
use shoreline_tests::system::{QUIET, StateDir, System};
use shoreline_tests::within;
use tokio::task::LocalSet;

/// How long it lasts, where `SOAK_SECONDS` does not say.
const SECONDS: u64 = 30 * 60;

/// How long the rest may take to be stored and to land, and clients to send what they still have.
const SETTLED_WITHIN: Duration = Duration::from_secs(300);

/// From how long on memory is compared: caches fill in the first minutes.
const TELLING_SECONDS: u64 = 10 * 60;

/// What all clients share.
pub(crate) struct Soak {
    pub(crate) site: Site,
    pub(crate) until: Instant,
    /// Ids that the collector took for good, as their sender knows.
    pub(crate) taken: RefCell<Vec<String>>,
    /// What was done, by name.
    pub(crate) done: RefCell<std::collections::BTreeMap<&'static str, u64>>,
    /// No fault is set any more.
    pub(crate) healthy: Cell<bool>,
}

impl Soak {
    /// Whether clients go on.
    pub(crate) fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    pub(crate) fn did(&self, what: &'static str, n: u64) {
        *self.done.borrow_mut().entry(what).or_default() += n;
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(LocalSet::new().run_until(soak()));
}

async fn soak() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(SECONDS, |text| text.parse().unwrap());
    let settings = format!("{QUIET} LAKE_SEAL_SECONDS:5");
    let system = System::start_strict(&StateDir::new(), &settings);
    let soak = Rc::new(Soak {
        site: system.demo(),
        until: Instant::now() + Duration::from_secs(seconds),
        taken: RefCell::default(),
        done: RefCell::default(),
        healthy: Cell::new(true),
    });
    println!("{seconds} s");
    let mut all = vec![
        tokio::task::spawn_local(clients::tracker(soak.clone())),
        tokio::task::spawn_local(clients::segment_page(soak.clone())),
        tokio::task::spawn_local(clients::rudderstack_page(soak.clone())),
        tokio::task::spawn_local(clients::segment_service(soak.clone())),
        tokio::task::spawn_local(clients::publisher(soak.clone())),
        tokio::task::spawn_local(clients::imports(soak.clone())),
        tokio::task::spawn_local(readers::dashboard(soak.clone())),
    ];
    for n in 0..4 {
        all.push(tokio::task::spawn_local(clients::pages(soak.clone(), n)));
        all.push(tokio::task::spawn_local(readers::stream(soak.clone())));
        all.push(tokio::task::spawn_local(readers::questions(
            soak.clone(),
            n,
        )));
    }
    faults::in_turn(&system, &soak).await;
    for client in all {
        client.await.unwrap();
    }
    let site = &soak.site;
    within(SETTLED_WITHIN, "all has landed", async || {
        site.settled().await.then_some(())
    })
    .await;
    println!("| done | times |\n|---|--:|");
    for (what, n) in soak.done.borrow().iter() {
        println!("| {what} | {n} |");
    }
    let refused = system.counted().await["refused"].clone();
    let answers = count::answers(site).await;
    let state = system.stop();
    count::compare(
        &answers,
        &count::lake(state.path(), &site.id),
        &soak.taken.borrow(),
    );
    assert_eq!(refused, json!({}), "the platform refuses this");
    memory::shown(state.path());
    if seconds >= TELLING_SECONDS {
        memory::is_flat(state.path());
    }
}
