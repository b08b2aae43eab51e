//! What goes on in the background of a site while workerd is killed: an import, a scan, a fold, one after the other.
//! (Objects are sealed by themselves, each second.)

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use shoreline_tests::events::uuid;
use shoreline_tests::patient::{self, asked, json_of, lines};
use shoreline_tests::site::Site;

/// Lines of an import; it has two parts.
const LINES: usize = 400;

/// How long a worker rests after each piece: what is sent must also be worked off.
const PACE: Duration = Duration::from_millis(100);

/// What is under way, and what was done.
#[derive(Default)]
pub(super) struct Work {
    pub(super) stop: Cell<bool>,
    importing: Cell<bool>,
    scanning: Cell<bool>,
    folding: Cell<bool>,
    /// Ids of what was imported, in imports that are finished.
    pub(super) imported: RefCell<Vec<String>>,
    pub(super) imports: Cell<u32>,
    pub(super) scans: Cell<u32>,
    pub(super) folds: Cell<u32>,
}

/// How many kills came while each was under way.
#[derive(Debug, Default)]
pub(super) struct Hit {
    pub(super) import: u32,
    pub(super) scan: u32,
    pub(super) fold: u32,
}

impl Hit {
    /// A kill comes now.
    pub(super) fn note(&mut self, work: &Work) {
        self.import += u32::from(work.importing.get());
        self.scan += u32::from(work.scanning.get());
        self.fold += u32::from(work.folding.get());
    }
}

/// Imports files one after the other.
pub(super) async fn import(site: Site, work: Rc<Work>) {
    while !work.stop.get() {
        work.importing.set(true);
        let ids = patient::import(&site, &lines(LINES)).await;
        work.importing.set(false);
        work.imported.borrow_mut().extend(ids);
        work.imports.set(work.imports.get() + 1);
        tokio::time::sleep(PACE).await;
    }
}

/// Asks what only the lines of the events have, which is a scan of all of them.
pub(super) async fn scan(site: Site, work: Rc<Work>) {
    let question = json!({"metrics": ["events", "sum(data.duration)"], "dimensions": ["data.title"], "range": "24h"});
    let call = (
        Method::POST,
        "/v1/analytics/query",
        &*site.read_token.clone(),
    );
    let mut before = 0;
    while !work.stop.get() {
        work.scanning.set(true);
        let answer = asked(&site, call.clone(), question.to_string(), 200).await;
        let told = json_of(answer).await;
        work.scanning.set(false);
        if let Some(told) = told {
            // What was there once is there for good.
            let events = told["totals"][0].as_i64().unwrap();
            assert!(events >= before, "{before} events, and then: {told}");
            before = events;
            work.scans.set(work.scans.get() + 1);
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Has the archive fold: before a user is forgotten it does, and the cron wakes it.
pub(super) async fn fold(site: Site, work: Rc<Work>) {
    let cron = "/cdn-cgi/local/scheduled?cron=*+*+*+*+*";
    while !work.stop.get() {
        work.folding.set(true);
        let nobody = format!("/v1/analytics/users/nobody-{}?siteId={}", uuid(), site.id);
        let admin = site.admin_token.clone();
        asked(&site, (Method::DELETE, &nobody, &admin), String::new(), 200).await;
        asked(&site, (Method::GET, cron, &admin), String::new(), 200).await;
        work.folding.set(false);
        work.folds.set(work.folds.get() + 1);
        tokio::time::sleep(PACE).await;
    }
}
