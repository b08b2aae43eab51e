//! `archive_do`: the Durable Object that archives a site, around [`crate::archive`] and
//! [`crate::lake::LakeStore`].

mod compact;
mod folds;
mod reshard;
mod run;

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use worker::{Delay, DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::archive::erase::{Forget, Step};
use crate::archive::people::Profile;
use crate::archive::recount::Counted;
use crate::archive::reshard::MOVED;
use crate::archive::scan::{Ask, Asking};
use crate::archive::{Appended, Archive};
use crate::base::json;
use crate::base::sql::SqlError;
use crate::lake::{LakeSettings, LakeStore};
use crate::protocol::Message;
use crate::protocol::names::{
    APPEND, ARCHIVES, ASK, FOLD, FORGET, HOURS, IDS, JOINS, LOOK, OBEY, PROFILE, PRUNE, QUERY,
    RECOUNT, REFOLD, RESHARD, RESTORE, RETRY, SEAL, STATE, TAKE, WAKE, parse_archive,
};
use crate::shell::objects::alarm::AlarmClock;
use crate::shell::platform::bindings::settings;
use crate::shell::platform::clock::{now_ms, random};
use crate::shell::platform::do_sql::DoSql;
use crate::shell::platform::gzip::{compress, inflate};
use crate::shell::platform::log;
use crate::shell::platform::objects;
use compact::Asked;

/// How long a question waits for the one before it, each time: about a slice of a scan.
const WAIT: Duration = Duration::from_millis(5);

/// Ten seconds of that, five times what a question may compute: it does not wait for one that never ended.
const MAX_WAITS: u32 = 2_000;

/// Bytes of lines that are unpacked in one go, in some five milliseconds.
const UNPACKED_BYTES: usize = 2_000_000;

/// The archive of one site and shard.
#[durable_object(alarm)]
pub struct ArchiveDo {
    store: OnceCell<Archive<DoSql>>,
    /// How many answers are being made that begin anew where segments are rewritten.
    pub(crate) asked: Cell<u32>,
    querying: Cell<u32>,
    /// When the next step of another number of archives is due, of the one that has them taken.
    pub(crate) reshard_due: Cell<Option<i64>>,
    pub(crate) alarm: AlarmClock,
    pub(crate) state: State,
    pub(crate) env: Env,
}

impl DurableObject for ArchiveDo {
    fn new(state: State, env: Env) -> Self {
        Self {
            store: OnceCell::new(),
            asked: Cell::default(),
            querying: Cell::default(),
            reshard_due: Cell::default(),
            alarm: AlarmClock::default(),
            state,
            env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let path = request.path();
        let body = request.bytes().await?;
        if self.refuses(&path)? {
            return Response::error(MOVED, 500);
        }
        let rouse = self.alarm.rouse(&self.state, || self.next_due(), now_ms());
        if let Err(error) = rouse.await {
            log::error("archive_do", error);
        }
        match path.as_str() {
            APPEND => objects::answer(self.append(&body, false).await),
            RESTORE => objects::answer(self.append(&body, true).await),
            ARCHIVES => objects::answer(self.spread().await),
            RESHARD => objects::answer(self.wish(&body).await),
            OBEY => objects::answer(self.obey(&body).await),
            TAKE => objects::answer(self.archive()?.take(&body, now_ms())),
            ASK => told(self.ask(&body).await),
            QUERY => told(self.query(&body).await),
            LOOK => told(self.look(&body).await),
            FORGET => objects::answer(self.forget(&body).await),
            IDS => objects::answer(self.archive()?.ids_of(&String::from_utf8_lossy(&body))),
            JOINS => objects::answer(self.archive()?.joins()),
            PROFILE => objects::answer(self.profile(&body).await),
            PRUNE => objects::answer(self.archive()?.prune(json::told(&body)?, now_ms())),
            RECOUNT => objects::answer(self.recount(&body).await),
            FOLD => objects::answer(self.fold().await),
            REFOLD => objects::answer(self.refold().await),
            HOURS => objects::answer(self.lake()?.hours(json::told(&body)?)),
            STATE => objects::answer(self.lake()?.state()),
            SEAL => objects::answer(self.seal_open().await),
            RETRY => objects::answer(self.retry(&body).await),
            WAKE => {
                let due = self.next_due()?;
                objects::answer(self.alarm.look(&self.state, due, now_ms()).await)
            }
            _ => Response::error("no such command", 404),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        // Never `Err`: the platform gives an alarm up after six failures.
        if let Err(error) = self.run().await {
            log::error("archive_do", error);
        }
        Response::empty()
    }
}

impl ArchiveDo {
    /// The archive; one that could not be opened is opened anew by the next call.
    pub(crate) fn archive(&self) -> Result<&Archive<DoSql>> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let mut bytes = [0; 4];
        random(&mut bytes)?;
        let config = settings(&self.env)?;
        let sinks = config.sinks.sinks.iter();
        let settings = LakeSettings {
            seal: config.seal,
            backlog_bytes: config.backlog_bytes,
            sink_tries: config.sink_tries,
            sinks: sinks
                .map(|sink| (sink.kind(), sink.fingerprint()))
                .collect(),
        };
        let name = self.state.id().name().unwrap_or_default();
        let (site, shard, generation) = archive_of(&name)?;
        let sql = || DoSql::new(&self.state);
        let lake = LakeStore::open(sql(), &settings, now_ms(), bytes)?;
        let key = &config.ingest.hash_key;
        let archive = Archive::open(sql(), lake, site, (shard, config.archives), key, now_ms())?;
        if generation > 0 {
            archive.must_be_made()?;
        } else if shard == 0 && archive.state()?.job.is_some() {
            self.reshard_due.set(Some(0));
        }
        Ok(self.store.get_or_init(|| archive))
    }

    pub(crate) fn lake(&self) -> Result<&LakeStore<DoSql>> {
        Ok(self.archive()?.lake())
    }

    /// When there is something to do next.
    pub(crate) fn next_due(&self) -> Result<Option<i64>> {
        let archive = self.archive()?;
        let dues = [
            archive.lake().next_due()?,
            archive.fold_due()?,
            archive.compact_due()?,
            self.reshard_due.get(),
        ];
        Ok(dues.into_iter().flatten().min())
    }

    pub(super) async fn arm(&self) -> Result<()> {
        match self.next_due()? {
            Some(due) => self.alarm.by(&self.state, due, now_ms()).await,
            None => Ok(()),
        }
    }

    /// Appends a message. Packing its lines waits for the platform, and another append may come
    /// meanwhile: only then the message is read again, and what is packed already stays good mostly.
    async fn append(&self, body: &[u8], landed: bool) -> Result<Appended> {
        let message = Message::parse(body).map_err(|error| SqlError(error.0))?;
        let archive = self.archive()?;
        let mut packed: Vec<(String, Vec<u8>)> = Vec::new();
        loop {
            let seen = archive.changes();
            let draft = archive.read(&message)?;
            for segment in &draft.segments {
                if packed.iter().all(|(lines, _)| *lines != segment.lines) {
                    let members = compress(&segment.lines).await?;
                    packed.push((segment.lines.clone(), members));
                }
            }
            if archive.changes() != seen {
                continue;
            }
            let appended = archive.append(draft, &packed, landed, now_ms())?;
            // It is durable from here on, whatever becomes of the alarm: the cron looks after it.
            if let Err(error) = self.arm().await {
                log::error("archive_do", error);
            }
            return Ok(appended);
        }
    }

    /// Answers a question, in slices between which appends get their turn.
    async fn ask(&self, body: &[u8]) -> Result<String> {
        let ask = Ask::parse(body)?;
        if ask.is_of_people() {
            self.look_or_fold().await?;
        }
        self.answered(self.archive()?.begin(ask)?).await
    }

    /// Answers any question, as [`ArchiveDo::ask`] does, one after the other: each may take three eighths of the
    /// object's memory.
    async fn query(&self, body: &[u8]) -> Result<String> {
        for _ in 0..MAX_WAITS {
            if self.querying.get() == 0 {
                break;
            }
            Delay::from(WAIT).await;
        }
        let _querying = Asked::by(&self.querying);
        let query = crate::query::begin(body, self.archive()?.kept_from()?);
        let query = query.map_err(|fault| SqlError(fault.detail().into_owned()))?;
        let joined = self.archive()?.joined()?;
        self.answered(Asking::of_scan(query, true).with(joined))
            .await
    }

    async fn answered(&self, mut asking: Asking) -> Result<String> {
        let archive = self.archive()?;
        let _asked = Asked::by(&self.asked);
        loop {
            while asking.slice(archive.sql(), archive.rewrites())? {
                Delay::from(Duration::ZERO).await;
            }
            let some = asking.packed(archive.sql())?;
            if some.is_empty() {
                return Ok(asking.part()?);
            }
            let mut bytes = 0_usize;
            for lines in some {
                // Lines that cannot be unpacked are told as missing; the others of the page are there.
                match inflate(&lines.packed).await {
                    Ok(text) => {
                        asking.cut(&lines, &text);
                        bytes = bytes.saturating_add(text.len());
                    }
                    Err(error) => log::error("archive_do", error),
                }
                if bytes > UNPACKED_BYTES {
                    bytes = 0;
                    Delay::from(Duration::ZERO).await;
                }
            }
        }
    }

    /// A step of forgetting a user.
    async fn forget(&self, body: &[u8]) -> Result<Step> {
        let forget: Forget = json::told(body)?;
        // What is not folded cannot be rewritten: a fold counts whom it finds.
        self.fold_here().await?;
        let archive = self.archive()?;
        let found = archive.find_erased(&forget)?;
        for (seq, why) in &found.broken {
            log::error("archive_do", format_args!("segment {seq}: {why}"));
        }
        let mut rewritten = Vec::new();
        for hit in &found.hits {
            let lines = inflate(&hit.lines).await?;
            if let Some(new) = archive.rewrite(&forget, hit, &lines)? {
                let packed = compress(&new.lines).await?;
                rewritten.push((new, packed));
            }
        }
        Ok(archive.put_rewritten(&forget, &found, &rewritten)?)
    }

    /// What is known of a user.
    async fn profile(&self, body: &[u8]) -> Result<Option<Profile>> {
        self.look_or_fold().await?;
        let user = String::from_utf8_lossy(body);
        Ok(self.archive()?.profile(&user)?)
    }

    /// Counts again what is folded of a day, in slices between which appends get their turn.
    async fn recount(&self, body: &[u8]) -> Result<Option<Counted>> {
        self.have_taken().await?;
        let archive = self.archive()?;
        let _asked = Asked::by(&self.asked);
        let mut recount = archive.recount(json::told(body)?)?;
        while recount.slice(archive.sql(), archive.rewrites())? {
            Delay::from(Duration::ZERO).await;
        }
        Ok(recount.end(archive.sql())?)
    }

    pub(super) async fn seal_open(&self) -> Result<()> {
        let name = self.state.id().name().unwrap_or_default();
        let (site, shard, _) = archive_of(&name)?;
        self.lake()?.seal_open(site, shard, now_ms())?;
        self.arm().await
    }

    async fn retry(&self, body: &[u8]) -> Result<bool> {
        let taken_up = self.lake()?.retry(&json::told(body)?)?;
        self.arm().await?;
        Ok(taken_up)
    }
}

/// The answer of a command that is JSON already.
fn told(answer: Result<String>) -> Result<Response> {
    match answer {
        Ok(answer) => Response::ok(answer),
        Err(error) => Response::error(error.to_string(), 500),
    }
}

/// The site, shard and generation of an archive's name.
pub(crate) fn archive_of(name: &str) -> Result<(&str, u32, i64)> {
    let parsed = parse_archive(name);
    Ok(parsed.ok_or_else(|| SqlError(format!("not the name of a site's object: {name}")))?)
}
