//! `import_do`: the Durable Object that walks one import, around [`crate::import::turn`].

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use worker::{DurableObject, Env, Range, Request, Response, Result, State, durable_object};

use crate::base::json;
use crate::base::sql::{SqlError, Statement};
use crate::import::{
    ImportStore, NewImport, Place, Progress, RETRY_MS, Trouble, Turn, UploadedPart, World,
    forget_import, told, turn,
};
use crate::ingest::publish::Publication;
use crate::log::shards::register_shard;
use crate::log::{ImportState, Receipt};
use crate::observe::operations::Background;
use crate::protocol::names::{
    ADD_PART, COMPLETE, CREATE, IS_OPEN, PROGRESS, WAKE, parse_import_object,
};
use crate::shell::http::calls::note;
use crate::shell::http::commits::commit;
use crate::shell::objects::alarm::AlarmClock;
use crate::shell::platform::bindings::{LAKE, settings};
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::platform::clock::{Ids, now_ms};
use crate::shell::platform::d1;
use crate::shell::platform::do_sql::DoSql;
use crate::shell::platform::log;
use crate::shell::platform::objects;

/// How long one run of the alarm goes on. The platform ends a run after 15 minutes, and a run that
/// dies is begun again when the alarm's safety rings.
const RUN_MS: i64 = 20_000;

/// One import of a site.
#[durable_object(alarm)]
pub struct ImportDo {
    alarm: AlarmClock,
    /// The shards that D1 was told of.
    known_shards: RefCell<HashSet<u32>>,
    /// A run of the alarm goes on in this very instance.
    running: Cell<bool>,
    state: State,
    env: Env,
}

impl DurableObject for ImportDo {
    fn new(state: State, env: Env) -> Self {
        Self {
            alarm: AlarmClock::default(),
            known_shards: RefCell::default(),
            running: Cell::new(false),
            state,
            env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let path = request.path();
        let body = request.text().await?;
        match path.as_str() {
            CREATE => objects::answer(self.create(&body).await),
            IS_OPEN => objects::answer(self.is_open()),
            ADD_PART => objects::answer(self.add_part(&body).await),
            COMPLETE => objects::answer(self.complete().await),
            PROGRESS => objects::answer(self.progress().await),
            WAKE => objects::answer(self.look().await),
            _ => Response::error("no such command", 404),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        // Never `Err`: the platform gives an alarm up after six failures.
        self.running.set(true);
        if let Err(error) = self.run().await {
            log::error("import_do", error);
        }
        self.running.set(false);
        Response::empty()
    }
}

impl ImportDo {
    fn store(&self) -> std::result::Result<Option<ImportStore<DoSql>>, SqlError> {
        ImportStore::find(DoSql::new(&self.state))
    }

    async fn create(&self, body: &str) -> Result<()> {
        let new: NewImport = json::told(body)?;
        let now = now_ms();
        let store = ImportStore::create(DoSql::new(&self.state), &new, now)?;
        let due = store.next_due(now)?;
        self.alarm.by(&self.state, due, now).await
    }

    /// Whether it takes parts; none where there is no such import.
    fn is_open(&self) -> std::result::Result<Option<bool>, SqlError> {
        self.store()?.map(|store| store.is_open()).transpose()
    }

    async fn add_part(&self, body: &str) -> Result<Option<crate::import::Added>> {
        let part: UploadedPart = json::told(body)?;
        let Some(store) = self.store()? else {
            return Ok(None);
        };
        let now = now_ms();
        let added = store.add_part(&part, now)?;
        self.alarm.by(&self.state, now, now).await?;
        Ok(Some(added))
    }

    async fn complete(&self) -> Result<Option<Progress>> {
        if let Some(store) = self.store()? {
            store.close()?;
            let now = now_ms();
            self.alarm.by(&self.state, now, now).await?;
        }
        self.progress().await
    }

    async fn progress(&self) -> Result<Option<Progress>> {
        let Some(store) = self.store()? else {
            return Ok(None);
        };
        let now = now_ms();
        // A run that died with its instance leaves the alarm at its safety; who asks need not wait.
        if !self.running.get() && store.next_due(now)? <= now {
            self.alarm.by(&self.state, now, now).await?;
        }
        let name = self.name();
        let (site, import_id) = parse(&name)?;
        let told = told(&store, import_id, &self.walker(site)?)
            .await
            .map_err(failed)?;
        Ok(Some(store.progress(site, told)?))
    }

    async fn look(&self) -> Result<()> {
        let now = now_ms();
        let due = match self.store()? {
            Some(store) => Some(store.next_due(now)?),
            None => {
                self.done().await?;
                None
            }
        };
        self.alarm.look(&self.state, due, now).await
    }

    /// Takes turns for a while, and sets the next alarm.
    async fn run(&self) -> Result<()> {
        let start = now_ms();
        self.alarm.begin(&self.state, start).await?;
        let name = self.name();
        let (site, import_id) = parse(&name)?;
        let due = match self.turns(Place { site, import_id }, start).await {
            Ok(due) => due,
            Err(error) => {
                log::error("import_do", error);
                Some(now_ms().saturating_add(RETRY_MS))
            }
        };
        self.alarm.rest(&self.state, due, now_ms()).await
    }

    /// Takes turns until there is nothing to do at once; when there is again.
    async fn turns(&self, place: Place<'_>, start: i64) -> Result<Option<i64>> {
        let walker = self.walker(place.site)?;
        while let Some(store) = self.store()? {
            let began = now_ms();
            let turned = turn(&store, place, &walker).await.map_err(failed);
            let what = match &turned {
                Ok(Turn::Again) | Err(_) => Some(Background::ImportStep),
                Ok(Turn::Finished) => Some(Background::ImportEnd),
                Ok(Turn::At(_) | Turn::Forgotten) => None,
            };
            let code = turned.is_err().then_some("step_failed");
            let noted = what.and_then(|what| note(&self.env, what, Some(place.site), began, code));
            if let Some(noted) = noted {
                self.state.wait_until(noted.commit_in_time());
            }
            match turned? {
                Turn::Again => {}
                Turn::At(due) => return Ok(Some(due)),
                Turn::Finished => self.done().await?,
                Turn::Forgotten => {
                    self.done().await?;
                    break;
                }
            }
            if now_ms().saturating_sub(start) > RUN_MS {
                return Ok(Some(now_ms()));
            }
        }
        Ok(None)
    }

    fn walker<'a>(&'a self, site: &'a str) -> Result<Walker<'a>> {
        Ok(Walker {
            object: self,
            site,
            shards: settings(&self.env)?.ingest.shards,
            ids: Ids::new()?,
        })
    }

    /// Lets the cron forget this import.
    async fn done(&self) -> Result<()> {
        let name = self.name();
        let (site, import_id) = parse(&name)?;
        self.tell_d1(&forget_import(site, import_id)).await;
        Ok(())
    }

    fn name(&self) -> String {
        self.state.id().name().unwrap_or_default()
    }

    /// What D1 is told is for the cron alone: nothing hangs on it.
    async fn tell_d1(&self, statement: &Statement) -> bool {
        let told = d1::rows::<serde::de::IgnoredAny>(&self.env, statement).await;
        told.inspect_err(|error| log::error("import_do", error))
            .is_ok()
    }
}

fn parse(name: &str) -> Result<(&str, &str)> {
    parse_import_object(name).ok_or_else(|| {
        worker::Error::RustError(format!("not the name of an import's object: {name}"))
    })
}

fn failed(trouble: Trouble) -> worker::Error {
    worker::Error::RustError(trouble.0)
}

impl From<worker::Error> for Trouble {
    fn from(error: worker::Error) -> Self {
        Self(error.to_string())
    }
}

/// The bucket and the site's shards, for an import.
struct Walker<'a> {
    object: &'a ImportDo,
    site: &'a str,
    shards: u32,
    ids: Ids,
}

impl World for Walker<'_> {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    fn fresh_id(&self) -> String {
        self.ids.next(now_ms())
    }

    fn shards(&self) -> u32 {
        self.shards
    }

    async fn read(
        &self,
        key: &str,
        offset: u64,
        length: u64,
    ) -> std::result::Result<Option<Vec<u8>>, Trouble> {
        let bucket = self.object.env.bucket(LAKE)?;
        let range = Range::OffsetWithLength { offset, length };
        let object = bucket.get(key).range(range).execute().await?;
        match object.as_ref().and_then(worker::Object::body) {
            Some(body) => Ok(Some(body.bytes().await?)),
            None => Ok(None),
        }
    }

    async fn put(&self, key: &str, text: String) -> std::result::Result<(), Trouble> {
        let bucket = self.object.env.bucket(LAKE)?;
        bucket.put(key, text).execute().await?;
        Ok(())
    }

    async fn remove(&self, prefix: &str) -> std::result::Result<bool, Trouble> {
        let bucket = self.object.env.bucket(LAKE)?;
        let listed = bucket.list().prefix(prefix).execute().await?;
        let keys: Vec<String> = listed.objects().iter().map(worker::Object::key).collect();
        if keys.is_empty() {
            return Ok(true);
        }
        bucket.delete_multiple(keys).await?;
        Ok(!listed.truncated())
    }

    async fn commit(&self, publication: &Publication) -> std::result::Result<Receipt, Trouble> {
        let receipt = commit(&self.object.env, publication).await?;
        let shard = publication.shard();
        if !self.object.known_shards.borrow().contains(&shard) {
            let statement = register_shard(self.site, shard);
            if self.object.tell_d1(&statement).await {
                self.object.known_shards.borrow_mut().insert(shard);
            }
        }
        Ok(receipt)
    }

    async fn state(
        &self,
        shard: u32,
        import_id: &str,
    ) -> std::result::Result<ImportState, Trouble> {
        let log = SiteDo::of(&self.object.env, self.site, shard);
        Ok(log.import_state(import_id).await?)
    }
}
