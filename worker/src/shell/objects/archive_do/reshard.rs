//! The steps of another number of archives, as an archive takes them, and as the first one has all of them taken.

use std::time::Duration;

use futures_util::future::join;
use serde::de::IgnoredAny;
use worker::Result;

use crate::admin::archives::Wish;
use crate::archive::reshard::pace::{Pace, REST_MS};
use crate::archive::reshard::{Job, Order, Phase, Slice, Spread, State, Told, note, noted};
use crate::archive::{Cursor, Stand, standing};
use crate::base::json;
use crate::protocol::names::{ARCHIVES, OBEY, RESHARD, TAKE, WAKE};
use crate::shell::objects::archive_do::{ArchiveDo, archive_of};
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::deadline::within;
use crate::shell::platform::gzip::{compress, inflate};
use crate::shell::platform::{d1, log};

/// Slices of a call at most: each is a call of sixteen archives at most, and some 100 ms of CPU.
const MOST_SLICES: usize = 16;

/// How long D1 may take for what is folded.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

impl ArchiveDo {
    /// Whether a call is refused: this is none of the site's archives.
    pub(super) fn refuses(&self, command: &str) -> Result<bool> {
        let is_of_all = matches!(command, ARCHIVES | RESHARD | OBEY | TAKE | WAKE);
        Ok(!is_of_all && !self.archive()?.gate().answers())
    }

    /// The site's archives. One that is new asks D1, which knows it where this one was lost.
    pub(super) async fn spread(&self) -> Result<Spread> {
        let archive = self.archive()?;
        if archive.is_new()? {
            let name = self.state.id().name().unwrap_or_default();
            let (site, ..) = archive_of(&name)?;
            let known: Vec<Spread> = d1::rows(&self.env, &noted(site)).await?;
            let now = match known.first() {
                Some(known) => *known,
                None => archive.state()?.now,
            };
            if known.is_empty() && now.archives > 1 {
                d1::rows::<IgnoredAny>(&self.env, &note(site, now)).await?;
            }
            if archive.is_new()? {
                archive.learn(now)?;
            }
        }
        Ok(archive.state()?.now)
    }

    /// Hears a wish: whether it is granted, and how far it is.
    pub(super) async fn wish(&self, body: &[u8]) -> Result<(bool, State)> {
        let wish: Wish = json::told(body)?;
        self.spread().await?;
        let archive = self.archive()?;
        let mut state = archive.state()?;
        let is_granted = match wish {
            Wish::Nothing => true,
            Wish::Archives(archives) => state.begin(archives, now_ms()),
            Wish::Cancel => state.cancel(),
        };
        if is_granted && wish != Wish::Nothing {
            state.save(archive.sql())?;
        }
        if state.job.is_some() && self.reshard_due.get().is_none() {
            self.reshard_due.set(Some(now_ms()));
        }
        self.arm().await?;
        Ok((is_granted, state))
    }

    /// Has the next steps taken, where any is due; what fails is tried again.
    pub(super) async fn conduct_if_due(&self, now: i64) {
        if self.reshard_due.get().is_none_or(|due| due > now) {
            return;
        }
        let rest = match self.conduct(now).await {
            Ok(false) => None,
            Ok(true) => Some(now_ms().saturating_add(REST_MS)),
            Err(error) => {
                log::error("archive_reshard", error);
                Some(now_ms().saturating_add(REST_MS))
            }
        };
        self.reshard_due.set(rest);
    }

    /// Answers whether there is more to do.
    async fn conduct(&self, start: i64) -> Result<bool> {
        let mut pace = Pace::new(start);
        loop {
            let Some(job) = self.archive()?.state()?.job else {
                return Ok(false);
            };
            let told = self.round(&job).await?;
            let archive = self.archive()?;
            // It may have been cancelled meanwhile.
            let mut state = archive.state()?;
            let done = state.hear(job.phase, &told);
            state.save(archive.sql())?;
            if !pace.goes_on(job.phase, done, now_ms()) {
                return Ok(true);
            }
        }
    }

    /// Tells archives what to do, all at once.
    async fn round(&self, job: &Job) -> Result<Vec<Told>> {
        let name = self.state.id().name().unwrap_or_default();
        let (site, ..) = archive_of(&name)?;
        if job.phase == Phase::Registering {
            d1::transaction::<IgnoredAny>(&self.env, &job.registration(site)).await?;
            return Ok(Vec::new());
        }
        let round = job.round();
        // Its own steps it takes itself.
        let is_own = round.who.generation == 0;
        let who = Archives::of(&self.env, site).generation(round.who.generation);
        let others = u32::from(is_own)..round.who.archives;
        let others = who.obey(others, &round.order);
        if !is_own {
            return others.await;
        }
        let (own, others) = join(self.take_step(&round.order), others).await;
        let mut told = others?;
        told.insert(0, own?);
        Ok(told)
    }

    /// A step, as the first archive orders it.
    pub(super) async fn obey(&self, body: &[u8]) -> Result<Told> {
        let order: Order = json::told(body)?;
        self.take_step(&order).await
    }

    async fn take_step(&self, order: &Order) -> Result<Told> {
        let archive = self.archive()?;
        let mut told = archive.obey(order)?;
        match order.phase {
            Phase::Settling => {
                let settled = match within(TAKEN_WITHIN, self.settle()).await {
                    Some(settled) => settled.unwrap_or_else(|error| {
                        log::error("archive_reshard", error);
                        Some("D1 does not take what is folded")
                    }),
                    None => Some("D1 does not answer in time"),
                };
                told.done = settled.is_none();
                told.why = settled.map(str::to_owned);
            }
            Phase::Copying => told.done = !self.give(order).await?,
            // What is due now that it appends, or does not.
            Phase::Opening | Phase::Reopening => self.arm().await?,
            _ => {}
        }
        Ok(told)
    }

    /// Folds and seals all that it has; what is still to be done, if anything is.
    async fn settle(&self) -> Result<Option<&'static str>> {
        let archive = self.archive()?;
        if self.fold().await? {
            return Ok(Some("events are on their way to D1"));
        }
        let name = self.state.id().name().unwrap_or_default();
        let (site, shard, _) = archive_of(&name)?;
        let stands: Vec<Stand> = d1::rows(&self.env, &standing(site)).await?;
        if !archive.last_fold()?.is_last(Cursor::of(&stands, shard)) {
            return Ok(Some("D1 was lost: rebuild it first"));
        }
        self.seal_open().await?;
        Ok(archive.settled()?.err())
    }

    /// Gives some slices; whether there may be more.
    async fn give(&self, order: &Order) -> Result<bool> {
        for _ in 0..MOST_SLICES {
            let archive = self.archive()?;
            let Some(mut slice) = archive.slice(order.archives)? else {
                return Ok(false);
            };
            self.share(&mut slice, order.archives).await?;
            let name = self.state.id().name().unwrap_or_default();
            let (site, ..) = archive_of(&name)?;
            let new = Archives::of(&self.env, site).generation(order.generation);
            new.take(&slice.parcels()).await?;
            archive.given(&slice)?;
        }
        Ok(true)
    }

    /// Shares the segments of a slice among the new archives.
    async fn share(&self, slice: &mut Slice, archives: u32) -> Result<()> {
        let archive = self.archive()?;
        for raw in std::mem::take(&mut slice.raws) {
            let text = inflate(&raw.part.lines).await.ok();
            match archive.share(&raw, text.as_deref(), archives) {
                Ok(shared) => {
                    let mut packed = Vec::with_capacity(shared.parts.len());
                    for (_, part) in &shared.parts {
                        packed.push(compress(&part.lines).await?);
                    }
                    slice.put(&raw, shared, packed);
                }
                Err(why) => {
                    let seq = raw.part.seq;
                    log::error("archive_reshard", format_args!("segment {seq}: {why}"));
                    slice.put_whole(&raw);
                }
            }
        }
        Ok(())
    }
}
