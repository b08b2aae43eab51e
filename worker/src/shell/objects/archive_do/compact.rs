//! Compaction by an archive's alarm, in steps between which appends and questions get their turn.

use std::cell::Cell;
use std::time::Duration;

use worker::{Delay, Result};

use crate::archive::compact::pace::{GIVE_WAY_MS, Pace, Step};
use crate::shell::objects::archive_do::ArchiveDo;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::gzip::{compress, inflate};
use crate::shell::platform::log;

/// An answer that is being made, also where who asked goes away meanwhile.
pub(crate) struct Asked<'a>(&'a Cell<u32>);

impl<'a> Asked<'a> {
    pub(crate) fn by(asked: &'a Cell<u32>) -> Self {
        asked.set(asked.get().saturating_add(1));
        Self(asked)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl ArchiveDo {
    /// Makes small segments large ones: a step at least, and more as long as nobody asks. What fails is tried
    /// again later.
    pub(crate) async fn compact(&self) -> Result<()> {
        let start = now_ms();
        let rest = match self.compact_from(start).await {
            Ok(rest) => rest,
            Err(error) => {
                log::error("archive_do", error);
                GIVE_WAY_MS
            }
        };
        self.archive()?
            .rest_compaction(now_ms().saturating_add(rest));
        Ok(())
    }

    /// Answers how long to rest.
    async fn compact_from(&self, start: i64) -> Result<i64> {
        let mut pace = Pace::new(start);
        loop {
            let step = self.compact_step().await?;
            if let Some(rest) = pace.rest(step, self.asked.get() > 0, now_ms()) {
                return Ok(rest);
            }
            Delay::from(Duration::ZERO).await;
        }
    }

    async fn compact_step(&self) -> Result<Step> {
        let archive = self.archive()?;
        let Some(run) = archive.find_small(now_ms())? else {
            return Ok(Step::Idle);
        };
        let mut texts = Vec::with_capacity(run.parts.len());
        for part in &run.parts {
            texts.push(inflate(&part.lines).await.ok());
        }
        let merged = archive.merge(&run, &texts);
        drop((run, texts));
        for (seq, why) in &merged.broken {
            log::error("archive_do", format_args!("segment {seq}: {why}"));
        }
        let Some(made) = &merged.made else {
            return Ok(Step::Done);
        };
        let packed = compress(&made.lines).await?;
        Ok(if archive.put_merged(&merged, &packed)? {
            Step::Done
        } else {
            Step::NotPut
        })
    }
}
