//! One turn of an import: the next thing to do, done.

use std::fmt;

use shoreline_shared::id;
use shoreline_shared::sanitize::Privacy;
use shoreline_shared::validate::{Rules, Sender};

use super::lines::cut;
use super::step::drafts;
use super::store::{Cursor, Done, ImportStore, Work};
use super::{IMPORT_SOURCE, RETRY_MS, RejectedLine, SETTLE_MS, STEP_BYTES};
use crate::base::sql::{Sql, SqlError};
use crate::http::outcome::Status;
use crate::ingest::draft::Body;
use crate::ingest::judge::{Context, judge};
use crate::ingest::publish::{ImportStep, Publication};
use crate::log::{ImportState, Receipt};

/// What an import needs of the world. The shell gives it the platform; tests give it faults.
#[allow(async_fn_in_trait)] // One thread, one implementation each: no `Send` bound to promise.
pub trait World {
    /// Unix milliseconds.
    fn now_ms(&self) -> i64;
    /// A UUIDv7 of the edge's own, another each time.
    fn fresh_id(&self) -> String;
    /// Shards of a site's Durable Objects, at least 1.
    fn shards(&self) -> u32;
    /// Bytes of an object of the bucket; none where there is no such object.
    async fn read(&self, key: &str, at: u64, length: u64) -> Result<Option<Vec<u8>>, Trouble>;
    /// Puts an object, over what is there.
    async fn put(&self, key: &str, text: String) -> Result<(), Trouble>;
    /// Deletes some of the objects whose keys begin so; true where none is left.
    async fn remove(&self, prefix: &str) -> Result<bool, Trouble>;
    /// Commits to the site's log.
    async fn commit(&self, publication: &Publication) -> Result<Receipt, Trouble>;
    /// What became of an import's events on a shard.
    async fn state(&self, shard: u32, import_id: &str) -> Result<ImportState, Trouble>;
}

/// Something of ours failed; the turn is taken again. For logs, never for answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(pub String);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SqlError> for Trouble {
    fn from(error: SqlError) -> Self {
        Self(error.0)
    }
}

/// Whose import it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The site.
    pub site: &'a str,
    /// The import.
    pub import_id: &'a str,
}

impl Place<'_> {
    /// The beginning of the keys of all that the bucket holds of it.
    pub fn prefix(&self) -> String {
        format!("imports/{}/{}/", self.site, self.import_id)
    }

    /// The beginning of the keys of its uploads.
    fn uploads(&self) -> String {
        format!("{}part-", self.prefix())
    }

    /// The key of an upload. Each try has its own, so that none changes what is being read.
    pub fn upload(&self, part: i64, upload_id: &str) -> String {
        format!("{}{part:04}-{upload_id}", self.uploads())
    }

    /// The key of what a step refused: the same whenever the step is repeated.
    fn rejected(&self, part: i64, at: u64) -> String {
        format!("{}rejected-{part:04}-{at:010}.ndjson", self.prefix())
    }
}

/// What follows a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There may be more to do at once.
    Again,
    /// Nothing before this time, Unix milliseconds.
    At(i64),
    /// It finished in this turn: the cron need not wake it any more.
    Finished,
    /// It is forgotten.
    Forgotten,
}

/// Takes one turn. Whatever fails, the next turn begins with what was not done.
///
/// # Errors
/// [`Trouble`] of the world or the database.
pub async fn turn<S: Sql>(
    store: &ImportStore<S>,
    place: Place<'_>,
    world: &impl World,
) -> Result<Turn, Trouble> {
    let now_ms = world.now_ms();
    match store.work(now_ms)? {
        Work::Step(cursor) => step(store, place, &cursor, world).await,
        Work::Close => {
            store.close()?;
            Ok(Turn::Again)
        }
        Work::Settle => {
            let state = told(store, place.import_id, world).await?;
            if state.pending > 0 {
                return Ok(Turn::At(now_ms.saturating_add(SETTLE_MS)));
            }
            store.finish(state.duplicate, now_ms)?;
            Ok(Turn::Finished)
        }
        Work::Clean => {
            if world.remove(&place.uploads()).await? {
                store.cleaned()?;
            }
            Ok(Turn::Again)
        }
        Work::Forget => {
            if !world.remove(&place.prefix()).await? {
                return Ok(Turn::Again);
            }
            store.forget()?;
            Ok(Turn::Forgotten)
        }
        Work::Wait(until) => Ok(Turn::At(until)),
    }
}

/// What the shards say of the import.
///
/// # Errors
/// [`Trouble`] of a shard that cannot be asked.
pub async fn told<S: Sql>(
    store: &ImportStore<S>,
    import_id: &str,
    world: &impl World,
) -> Result<ImportState, Trouble> {
    let mut sum = ImportState::default();
    for shard in store.shards()? {
        let state = world.state(shard, import_id).await?;
        sum.pending = sum.pending.saturating_add(state.pending);
        sum.duplicate = sum.duplicate.saturating_add(state.duplicate);
    }
    Ok(sum)
}

/// Reads a piece, judges its lines, commits them, and moves the cursor: in this order, so that what
/// is behind the cursor is durable.
async fn step<S: Sql>(
    store: &ImportStore<S>,
    place: Place<'_>,
    cursor: &Cursor,
    world: &impl World,
) -> Result<Turn, Trouble> {
    store.begin(cursor)?;
    let length = cursor.bytes.saturating_sub(cursor.at).min(STEP_BYTES);
    let Some(piece) = world.read(&cursor.key, cursor.at, length).await? else {
        store.lose(cursor.part)?;
        return Ok(Turn::Again);
    };
    if u64::try_from(piece.len()) != Ok(length) {
        return Err(Trouble("the bucket gave less than it has".to_owned()));
    }
    let ends_part = cursor.at.saturating_add(length) >= cursor.bytes;
    let cut = cut(&piece, ends_part, cursor.place);
    let step = drafts(&cut.lines, |hashes| store.counts(hashes))?;
    let (import_id, hash_routing) = store.settings()?;
    let now_ms = world.now_ms();
    let context = Context {
        site: place.site,
        sender: Sender::Source { name: None },
        source: IMPORT_SOURCE,
        privacy: Privacy {
            hash_routing,
            anonymous: None,
        },
        rules: Rules {
            now_ms,
            retention_days: 0,
            any_past: true,
        },
        batch_id: None,
        stored_batch_id: &import_id,
        sent_at: None,
        clock_offset: 0,
        hash_ids: None,
        country: None,
        region: None,
        is_bot: false,
        agent: None,
    };
    let judged = judge(step.drafts, &Body::default(), &context, || world.fresh_id());
    let count = |status| judged.results.iter().filter(|r| r.status == status).count();
    let mut done = Done {
        bytes: cut.bytes,
        next: cut.next,
        accepted: judged.lines.len(),
        duplicate: count(Status::Duplicate),
        rejected: count(Status::Rejected),
        skipped: count(Status::Skipped),
        shard: None,
        lines: step.counts,
        listed: judged
            .results
            .iter()
            .filter(|result| result.status != Status::Duplicate)
            .filter_map(|result| {
                Some(RejectedLine {
                    part: cursor.part,
                    line: cut.lines.get(result.index)?.number,
                    code: result.code.to_owned(),
                    field: result.field.as_deref().unwrap_or_default().to_owned(),
                })
            })
            .collect(),
    };
    if !done.listed.is_empty() {
        let key = place.rejected(cursor.part, cursor.at);
        world.put(&key, ndjson(&done.listed)).await?;
    }
    if !cut.lines.is_empty() {
        let walk = format!("import:{import_id}/{}", cursor.part);
        let at = usize::try_from(cursor.at).unwrap_or(usize::MAX);
        let publication = Publication::of_import(
            &ImportStep {
                site: place.site,
                import_id: &import_id,
                batch_id: &id::derived(place.site, &walk, at),
                events: &judged.lines,
                results: &judged.results,
            },
            now_ms,
            world.shards(),
        );
        drop(judged);
        let receipt = world.commit(&publication).await?;
        if let Some(seconds) = receipt.retry_after_s {
            let wait = i64::from(seconds).saturating_mul(1_000);
            return Ok(Turn::At(now_ms.saturating_add(wait.min(RETRY_MS))));
        }
        done.shard = Some(publication.shard());
    }
    store.advance(cursor, &done)?;
    Ok(Turn::Again)
}

fn ndjson(lines: &[RejectedLine]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        text.push_str(&serde_json::to_string(line).unwrap_or_default());
        text.push('\n');
        text
    })
}
