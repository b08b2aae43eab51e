//! Compaction by an archive's alarm, in steps between which appends and questions get their turn.

use std::cell::Cell;
use std::time::Duration;

use worker::{Delay, Result};

use crate::shell::objects::archive_do::ArchiveDo;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::gzip::{compress, inflate};
use crate::shell::platform::log;

/// How long a run of the alarm goes on with it, in milliseconds: sinks wait meanwhile.
const COMPACT_MS: i64 = 3_000;

/// Steps of a run at most, whatever the clock says, which stands still while an object computes: each unpacks and
/// packs 512 KiB at most, and all of them together must stay far below the 30 s that a run may compute.
const MOST_STEPS: usize = 40;

/// How long it rests where there is more to do, in milliseconds.
const PAUSE_MS: i64 = 3_000;

/// How long it rests where somebody asked, whose answer begins anew at each step, or where something failed.
const GIVE_WAY_MS: i64 = 15_000;

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
        for _ in 0..MOST_STEPS {
            match self.compact_step().await? {
                None => return Ok(0),
                Some(done) if !done || self.asked.get() > 0 => return Ok(GIVE_WAY_MS),
                Some(_) => Delay::from(Duration::ZERO).await,
            }
            if now_ms().saturating_sub(start) > COMPACT_MS {
                break;
            }
        }
        Ok(PAUSE_MS)
    }

    /// A step: whether it did what it wanted to; nothing where there was nothing to do.
    async fn compact_step(&self) -> Result<Option<bool>> {
        let archive = self.archive()?;
        let Some(run) = archive.find_small(now_ms())? else {
            return Ok(None);
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
            return Ok(Some(true));
        };
        let packed = compress(&made.lines).await?;
        Ok(Some(archive.put_merged(&merged, &packed)?))
    }
}
