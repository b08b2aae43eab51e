//! What an archive does with segments that are not folded: it folds them, or looks at them.

use std::time::Duration;

use worker::{Delay, Result};

use crate::archive::{Cursor, Folding, Unfolded, Unlooked};
use crate::base::json;
use crate::shell::objects::archive_do::ArchiveDo;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::d1;
use crate::shell::platform::gzip::inflate;
use crate::shell::platform::log;

/// Folds of a call at most: 320,000 events, in some ten seconds of the 30 that a call may compute.
const FOLDS_A_CALL: usize = 16;

impl ArchiveDo {
    /// Folds what is not folded yet, as much as a call may, and has D1 take it; whether there is more.
    pub(crate) async fn fold(&self) -> Result<bool> {
        let more = self.fold_here().await?;
        self.have_taken().await?;
        Ok(more)
    }

    /// Has D1 take what is folded.
    pub(crate) async fn have_taken(&self) -> Result<()> {
        let archive = self.archive()?;
        while let Some((fold, statements)) = archive.pending()? {
            let at: Vec<Cursor> = d1::transaction(&self.env, &statements).await?;
            archive.settle(fold, at.first().copied())?;
        }
        Ok(())
    }

    /// What D1 lacks; `null` where that is too much to tell.
    pub(crate) async fn look(&self, body: &[u8]) -> Result<String> {
        let look = json::read(body)?;
        if !self.look_here().await? {
            return Ok("null".to_owned());
        }
        Ok(self.archive()?.look(&look, now_ms())?)
    }

    /// Looks at what is not folded yet; whether that is not too much.
    async fn look_here(&self) -> Result<bool> {
        let archive = self.archive()?;
        loop {
            match archive.unlooked()? {
                Unlooked::Some(some) => {
                    let texts = unpacked(&some).await;
                    archive.look_at(&some, &texts, now_ms())?;
                }
                Unlooked::None => return Ok(true),
                Unlooked::TooMuch => return Ok(false),
            }
        }
    }

    pub(crate) async fn look_or_fold(&self) -> Result<()> {
        if !self.look_here().await? {
            self.fold_here().await?;
        }
        Ok(())
    }

    /// The same as a fold, whether D1 answers or not, in slices between which appends get their turn.
    pub(crate) async fn fold_here(&self) -> Result<bool> {
        let archive = self.archive()?;
        for _ in 0..FOLDS_A_CALL {
            let some = archive.unfolded()?;
            if some.is_empty() {
                return Ok(false);
            }
            let mut folding = archive.begin_fold();
            let (mut slice, mut rest) = Folding::slice(&some);
            while !slice.is_empty() {
                folding.gather(slice, &unpacked(slice).await);
                (slice, rest) = Folding::slice(rest);
                Delay::from(Duration::ZERO).await;
            }
            for seq in archive.end_fold(&some, &folding, now_ms())? {
                log::error("archive_do", format_args!("segment {seq} cannot be read"));
            }
        }
        Ok(true)
    }

    /// Folds everything again, into a D1 that has heard nothing of this archive; whether there is more.
    pub(crate) async fn refold(&self) -> Result<bool> {
        self.archive()?.forget_folds(now_ms())?;
        self.fold().await
    }
}

/// The lines of segments, where they are asked for. What cannot be unpacked counts no calls, and keeps no other
/// from being counted.
async fn unpacked(some: &[Unfolded]) -> Vec<String> {
    let mut texts = Vec::new();
    for segment in some {
        let lines = match &segment.lines {
            Some(lines) => inflate(lines).await,
            None => Ok(String::new()),
        };
        texts.push(lines.unwrap_or_else(|error| {
            let seq = segment.seq;
            log::error("archive_do", format_args!("segment {seq}: {error}"));
            String::new()
        }));
    }
    texts
}
