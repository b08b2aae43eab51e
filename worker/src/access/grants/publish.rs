//! Writing to KV what D1 says: by the admin call that changed it, and by the cron.

use serde::de::DeserializeOwned;

use super::entry::Entry;
use super::rows::{Confirmed, Due, Found, KeyRow};
use super::{D1_BEHIND_MS, KV_WRITE_MS, Stores, Unreachable};
use crate::base::sql::Statement;
use crate::base::together::join_all;

/// How often a write is tried.
const TRIES: u32 = 2;

/// How long is waited between tries, milliseconds: KV takes one write a second of a name, and a site may be
/// changed twice in one.
const AGAIN_AFTER_MS: u32 = 1_100;

/// How often rows are written that change while they are written; after that the mark in D1 has them written
/// later.
const ROUNDS: u32 = 3;

/// For how long rows are written that were read at once, milliseconds: what is written from a row must be
/// written well within [`super::SETTLE_MS`] of its reading. The rest stays due.
const BUDGET_MS: i64 = 20_000;

/// Writes at once: the platform opens six connections at a time.
const AT_ONCE: usize = 6;

/// Writes entries; an error if one of them could not be written.
pub async fn write(entries: &[Entry], stores: &impl Stores) -> Result<(), Unreachable> {
    let mut all = Ok(());
    for some in entries.chunks(AT_ONCE) {
        let written = join_all(some.iter().map(|entry| write_one(entry, stores))).await;
        all = written.into_iter().fold(all, Result::and);
    }
    all
}

async fn write_one(entry: &Entry, stores: &impl Stores) -> Result<(), Unreachable> {
    let mut tries = TRIES;
    loop {
        tries = tries.saturating_sub(1);
        match stores.within(KV_WRITE_MS, stores.keep(entry)).await {
            Some(Ok(())) => return Ok(()),
            _ if tries == 0 => return Err(Unreachable),
            _ => stores.wait(AGAIN_AFTER_MS).await,
        }
    }
}

/// Writes the entries of all rows that are due; how many rows could not be written.
///
/// # Errors
/// Where D1 does not answer.
pub async fn publish_due(stores: &impl Stores) -> Result<usize, Unreachable> {
    let sites = rows_of::<Found>(&Found::due(stores.now_ms()), stores).await?;
    let of_sites = publish(sites, stores).await?;
    let keys = rows_of::<KeyRow>(&KeyRow::due(stores.now_ms()), stores).await?;
    let of_keys = publish(keys, stores).await?;
    Ok(of_sites.saturating_add(of_keys))
}

/// Writes the entries of rows as D1 has just told them; how many rows could not be written. Who changed
/// a row meanwhile may have written before: such rows are read and written again.
///
/// # Errors
/// Where D1 does not answer.
pub async fn publish<Row: Due>(
    mut rows: Vec<Row>,
    stores: &impl Stores,
) -> Result<usize, Unreachable> {
    let mut unwritten = 0_usize;
    for _ in 0..ROUNDS {
        if rows.is_empty() {
            break;
        }
        let now_ms = stores.now_ms();
        let mut written = Vec::new();
        for some in rows.chunks(AT_ONCE) {
            if stores.now_ms().saturating_sub(now_ms) > BUDGET_MS {
                break;
            }
            let entries: Vec<Vec<Entry>> = some.iter().map(|row| row.entries(now_ms)).collect();
            let results = join_all(entries.iter().map(|entries| write(entries, stores))).await;
            for (row, result) in some.iter().zip(results) {
                if result.is_ok() {
                    written.push((row.id(), row.grant_due()));
                }
            }
            // Where all fail, the others would, too.
            if written.is_empty() {
                return Ok(unwritten.saturating_add(rows.len()));
            }
        }
        unwritten = unwritten.saturating_add(rows.len().saturating_sub(written.len()));
        let confirmed: Vec<Confirmed> = rows_of(&Row::confirm(&written, now_ms), stores).await?;
        let changed: Vec<&str> = written
            .iter()
            .map(|(id, _)| *id)
            .filter(|id| !confirmed.iter().any(|confirmed| confirmed.id == *id))
            .collect();
        rows = if changed.is_empty() {
            Vec::new()
        } else {
            rows_of(&Row::again(&changed), stores).await?
        };
    }
    Ok(unwritten.saturating_add(rows.len()))
}

async fn rows_of<T: DeserializeOwned>(
    sql: &Statement,
    stores: &impl Stores,
) -> Result<Vec<T>, Unreachable> {
    let rows = stores.within(D1_BEHIND_MS, stores.rows(sql)).await;
    rows.unwrap_or(Err(Unreachable))
}
