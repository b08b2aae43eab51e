//! A run of an archive's alarm: folds, seals and deliveries, each sink for itself; then compaction.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use serde::de::IgnoredAny;
use worker::{Delay, Result};

use crate::base::sql::SqlError;
use crate::dead_letter::{self, Reason};
use crate::lake::{Delivery, LakeStore};
use crate::observe::operations::Background;
use crate::shell::http::calls::note;
use crate::shell::objects::archive_do::{ArchiveDo, archive_of};
use crate::shell::objects::sinks::{Fetcher, attempt};
use crate::shell::platform::alerts;
use crate::shell::platform::bindings::settings;
use crate::shell::platform::clock::{now_ms, random};
use crate::shell::platform::d1;
use crate::shell::platform::deadline::within;
use crate::shell::platform::do_sql::DoSql;
use crate::shell::platform::log;
use crate::sinks::{Outcome, Sink, SinkKind};

/// How long a run of the alarm goes on by itself: the next one begins at once where work is left.
const RUN_MS: i64 = 20_000;

/// How long it goes on while a sink is still busy, so that a slow one keeps no other waiting. The
/// platform ends a run after 15 minutes.
const LONGEST_RUN_MS: i64 = 10 * 60_000;

/// Requests of a run after which no delivery is begun: half of the 10,000 that the platform
/// allows, for a delivery is up to 200 of them.
const MAX_REQUESTS: u32 = 5_000;

/// How often a run looks for new work while a sink is busy.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How long D1 may take for what an archive folds in a run: what it does not take now, it takes later.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// How long D1 may take to list dead letters: the sinks wait for the next run meanwhile.
const LISTED_WITHIN: Duration = Duration::from_secs(5);

impl ArchiveDo {
    /// Lists what sinks refused too often as dead letters, and alerts. What cannot be listed now is
    /// listed by a later run.
    async fn list_refused(&self, store: &LakeStore<DoSql>, site: &str, shard: u32) -> Result<()> {
        let now = now_ms();
        let objects = store.to_list(now)?;
        if objects.is_empty() {
            return Ok(());
        }
        let statements: Vec<_> = objects
            .iter()
            .map(|object| dead_letter::list_refused(site, shard, object, now))
            .collect();
        let list = d1::transaction::<IgnoredAny>(&self.env, &statements);
        let listed = within(LISTED_WITHIN, list).await;
        let late = || SqlError("dead letters were not listed in time".to_owned());
        listed.ok_or_else(late)??;
        store.listed(&objects, now)?;
        let events = objects
            .iter()
            .fold(0_i64, |sum, object| sum.saturating_add(object.events));
        alerts::dead_letters(&self.env, site, events, Reason::SinkRefused).await;
        Ok(())
    }

    /// Folds, as long as D1 does not keep the sinks waiting.
    async fn fold_in_time(&self) -> Result<()> {
        let folded = within(TAKEN_WITHIN, self.fold()).await;
        let late = || SqlError("a fold was not taken in time".to_owned());
        folded.ok_or_else(late)?.map(drop)
    }

    /// Seals what is due, delivers what is sealed, each sink for itself, and sets the next alarm.
    pub(crate) async fn run(&self) -> Result<()> {
        let start = now_ms();
        self.alarm.begin(&self.state, start).await?;
        let store = self.lake()?;
        self.conduct_if_due(start).await;
        store.prune_if_due(start)?;
        let name = self.state.id().name().unwrap_or_default();
        let (site, shard, _) = archive_of(&name)?;
        if self.archive()?.fold_due()?.is_some_and(|due| due <= start) {
            let folded = self.fold_in_time().await;
            let failed = folded.is_err().then_some("not_taken");
            if let Some(noted) = note(&self.env, Background::Fold, Some(site), start, failed) {
                self.state.wait_until(noted.commit_in_time());
            }
            if let Err(error) = folded {
                log::error("archive_do", error);
                self.archive()?.was_not_taken(now_ms());
            }
        }
        let config = settings(&self.env)?;
        let fetcher = Fetcher::new()?;
        let mut busy: Vec<SinkKind> = Vec::new();
        // After an error of ours, not of the sink's: what would fail again at once waits for the
        // next run.
        let mut stopped: Vec<SinkKind> = Vec::new();
        let mut deliveries = FuturesUnordered::new();
        loop {
            let now = now_ms();
            let passed = now.saturating_sub(start);
            let longest = if busy.is_empty() {
                RUN_MS
            } else {
                LONGEST_RUN_MS
            };
            if passed < longest && fetcher.requests() < MAX_REQUESTS {
                store.seal(site, shard, now)?;
                for sink in &config.sinks.sinks {
                    let kind = sink.kind();
                    if busy.contains(&kind) || stopped.contains(&kind) {
                        continue;
                    }
                    if let Some(delivery) = store.due_delivery(kind, now)? {
                        busy.push(kind);
                        let result = self.deliver(store, site, &fetcher, sink, delivery);
                        deliveries.push(async move { (kind, result.await) });
                    }
                }
            }
            if busy.is_empty() {
                break;
            }
            let look_again = pin!(Delay::from(LOOK_AGAIN));
            if let Either::Left((Some((kind, result)), _)) =
                select(deliveries.next(), look_again).await
            {
                busy.retain(|other| *other != kind);
                if let Err(error) = result {
                    log::error("archive_do", error);
                    stopped.push(kind);
                }
            }
        }
        if let Err(error) = self.list_refused(store, site, shard).await {
            log::error("archive_do", error);
        }
        let due = self.archive()?.compact_due()?;
        if due.is_some_and(|due| due <= now_ms()) {
            self.compact().await?;
        }
        let due = self.next_due()?;
        self.alarm.rest(&self.state, due, now_ms()).await
    }

    async fn deliver(
        &self,
        store: &LakeStore<DoSql>,
        site: &str,
        fetcher: &Fetcher,
        sink: &Sink,
        delivery: Delivery,
    ) -> Result<()> {
        let mut bytes = [0; 4];
        random(&mut bytes)?;
        let random = u32::from_be_bytes(bytes);
        store.begin(&delivery, now_ms(), random)?;
        let outcome = attempt(&self.env, fetcher, store, sink, &delivery).await?;
        let name = sink.kind().name();
        match &outcome {
            Outcome::Failed(failure) => {
                log::error("archive_do", format_args!("{name}: {}", failure.code));
            }
            Outcome::Conflict => {
                let key = &delivery.object.key;
                log::error(
                    "archive_do",
                    format_args!("{name}: {key} holds something else"),
                );
                alerts::conflict(&self.env, site, name, key).await;
            }
            Outcome::Sent(sent) => {
                if let Some(code) = sent.failure.as_ref().map(|failure| &failure.code) {
                    log::error("archive_do", format_args!("{name}: {code}"));
                }
                if let Some(code) = &sent.refused_code {
                    log::error("archive_do", format_args!("{name} refused events: {code}"));
                }
            }
            Outcome::Done => {}
        }
        let works = match &outcome {
            Outcome::Done => true,
            Outcome::Sent(sent) => sent.failure.is_none(),
            Outcome::Failed(_) | Outcome::Conflict => false,
        };
        let is_over = works && store.is_told(delivery.sink)?;
        if let Some(failing) = store.settle(&delivery, &outcome, now_ms(), random)? {
            alerts::sink_failing(&self.env, site, &failing).await;
        }
        if is_over {
            alerts::sink_works(&self.env, site, delivery.sink).await;
        }
        Ok(())
    }
}
