//! `archive_do`: a site's archives, one or all at once. Who asks them need not know how many there are.

use std::cell::RefCell;
use std::collections::HashMap;

use js_sys::Uint8Array;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::{Env, Error, Result};

use crate::admin::archives::Wish;
use crate::archive::erase::{Forget, Step};
use crate::archive::people::Profile;
use crate::archive::prune::Pruned;
use crate::archive::recount::{Counted, Day};
use crate::archive::reshard::{MOVED, Order, Spread, State, Told};
use crate::archive::{Appended, Look, Looked};
use crate::base::json;
use crate::lake::{LakeState, Retry};
use crate::protocol::hours::ShardHours;
use crate::protocol::names::{
    APPEND, ARCHIVES, ASK, FOLD, FORGET, HOURS, LOOK, OBEY, PROFILE, PRUNE, QUERY, RECOUNT, REFOLD,
    RESHARD, RESTORE, RETRY, SEAL, STATE, TAKE, WAKE, archive_object,
};
use crate::shell::platform::bindings::ARCHIVE_DO;
use crate::shell::platform::objects;

/// Sites that an isolate remembers at most.
const MAX_KNOWN: usize = 2_000;

thread_local! {
    /// The archives of sites. Those of before refuse every call, so who remembers them hears it, and asks again.
    static KNOWN: RefCell<HashMap<String, Spread>> = RefCell::default();
}

/// What each of so many archives is told.
type Bodies<'b> = &'b dyn Fn(u32) -> Result<Vec<Vec<u8>>>;

/// A site's archives.
#[derive(Clone, Copy)]
pub(crate) struct Archives<'a> {
    env: &'a Env,
    site: &'a str,
}

impl<'a> Archives<'a> {
    /// Those of a site.
    pub(crate) fn of(env: &'a Env, site: &'a str) -> Self {
        Self { env, site }
    }

    /// The archive that `home` tells of so many.
    pub(crate) fn at(self, home: &'a dyn Fn(u32) -> u32) -> ArchiveDo<'a> {
        ArchiveDo { all: self, home }
    }

    /// How many there are, and of which generation, as the first one says.
    pub(crate) async fn spread(&self) -> Result<Spread> {
        let known = KNOWN.with_borrow(|known| known.get(self.site).copied());
        if let Some(known) = known {
            return Ok(known);
        }
        let spread: Spread = json::told(self.ask_first(ARCHIVES, "").await?)?;
        KNOWN.with_borrow_mut(|known| {
            if known.len() >= MAX_KNOWN {
                known.clear();
            }
            known.insert(self.site.to_owned(), spread);
        });
        Ok(spread)
    }

    /// How many there are.
    pub(crate) async fn number(&self) -> Result<u32> {
        Ok(self.spread().await?.archives)
    }

    /// Has them append a message, each what `bodies` makes for it.
    pub(crate) async fn append(&self, bodies: Bodies<'_>) -> Result<Vec<Appended>> {
        objects::told_all(self.tell_all(APPEND, bodies).await?)
    }

    /// Has them take lines of the lake, each what `bodies` makes for it.
    pub(crate) async fn restore(&self, bodies: Bodies<'_>) -> Result<Vec<Appended>> {
        objects::told_all(self.tell_all(RESTORE, bodies).await?)
    }

    /// Asks them: the texts of their parts of the answer, which may be long.
    pub(crate) async fn ask(&self, ask: &str) -> Result<Vec<String>> {
        self.ask_all(ASK, ask).await
    }

    /// Asks them any question: the texts of their parts of the answer.
    pub(crate) async fn query(&self, spec: &str) -> Result<Vec<String>> {
        self.ask_all(QUERY, spec).await
    }

    /// What D1's sums lack; none of an archive that cannot tell so much.
    pub(crate) async fn look(&self, look: &Look) -> Result<Vec<Option<Looked>>> {
        self.call(LOOK, &serde_json::to_string(look)?).await
    }

    /// Has them seal what is open.
    pub(crate) async fn seal(&self) -> Result<()> {
        self.ask_all(SEAL, "").await.map(drop)
    }

    /// What landed and what waits, of every hour from this one on, Unix milliseconds.
    pub(crate) async fn hours(&self, from: i64) -> Result<Vec<ShardHours>> {
        self.call(HOURS, &from.to_string()).await
    }

    /// How full they are.
    pub(crate) async fn states(&self) -> Result<Vec<LakeState>> {
        self.call(STATE, "").await
    }

    /// A step of forgetting a user, wherever they are.
    pub(crate) async fn forget(&self, forget: &Forget) -> Result<Vec<Step>> {
        self.call(FORGET, &serde_json::to_string(forget)?).await
    }

    /// Has them delete some of what happened before this moment, Unix milliseconds.
    pub(crate) async fn prune(&self, kept_from: i64) -> Result<Vec<Pruned>> {
        self.call(PRUNE, &kept_from.to_string()).await
    }

    /// Has them count a day again; none of one that cannot tell it whole.
    pub(crate) async fn recount(&self, day: &Day) -> Result<Vec<Option<Counted>>> {
        self.call(RECOUNT, &serde_json::to_string(day)?).await
    }

    /// Whether a wish for another number of them is granted, and how far it is.
    pub(crate) async fn reshard(&self, wish: Wish) -> Result<(bool, State)> {
        let wish = serde_json::to_string(&wish)?;
        Ok(json::told(self.ask_first(RESHARD, &wish).await?)?)
    }

    /// Has all look at their alarms, and the one that keeps how many there are; how many that may have been.
    pub(crate) async fn wake(&self) -> Result<usize> {
        if self.spread().await?.generation > 0 {
            self.ask_first(WAKE, "").await?;
        }
        Ok(self.ask_all(WAKE, "").await?.len())
    }

    /// Those of one generation, whatever the site has now.
    pub(crate) fn generation(&self, generation: i64) -> Generation<'a> {
        let (env, site) = (self.env, self.site);
        Generation {
            env,
            site,
            generation,
        }
    }

    async fn call<T: DeserializeOwned>(&self, command: &str, body: &str) -> Result<Vec<T>> {
        objects::told_all(self.ask_all(command, body).await?)
    }

    /// The texts of their answers in their order.
    async fn ask_all(&self, command: &str, body: &str) -> Result<Vec<String>> {
        let bodies = |archives: u32| Ok((0..archives).map(|_| body.as_bytes().to_vec()).collect());
        self.tell_all(command, &bodies).await
    }

    async fn tell_all(&self, command: &str, bodies: Bodies<'_>) -> Result<Vec<String>> {
        let tell = async || {
            let spread = self.spread().await?;
            let bodies = bodies(spread.archives)?;
            let calls = (0..).zip(bodies.iter().map(|body| bytes(body)));
            let of = self.generation(spread.generation);
            of.post(command, calls.collect()).await
        };
        match tell().await {
            Err(error) if self.has_moved(&error) => tell().await,
            told => told,
        }
    }

    /// Asks the one that keeps how many there are, whether it holds events or not.
    async fn ask_first(&self, command: &str, body: &str) -> Result<String> {
        let first = archive_object(self.site, 0, 0);
        objects::ask(self.env, ARCHIVE_DO, &first, command, body).await
    }

    /// Whether the site has other archives than were asked, which are forgotten then.
    fn has_moved(&self, error: &Error) -> bool {
        let has_moved = error.to_string().contains(MOVED);
        if has_moved {
            KNOWN.with_borrow_mut(|known| known.remove(self.site));
        }
        has_moved
    }
}

/// One of a site's archives.
#[derive(Clone, Copy)]
pub(crate) struct ArchiveDo<'a> {
    all: Archives<'a>,
    home: &'a dyn Fn(u32) -> u32,
}

impl ArchiveDo<'_> {
    /// Asks it: the text of its part of the answer.
    pub(crate) async fn ask(&self, ask: &str) -> Result<String> {
        self.said(ASK, ask.as_bytes()).await
    }

    /// Has it take lines of the lake.
    pub(crate) async fn restore(&self, message: &[u8]) -> Result<Appended> {
        self.call(RESTORE, message).await
    }

    /// What is known of a user, by their hash.
    pub(crate) async fn profile(&self, hash: &str) -> Result<Option<Profile>> {
        self.call(PROFILE, hash.as_bytes()).await
    }

    /// A step of forgetting a user.
    pub(crate) async fn forget(&self, forget: &Forget) -> Result<Step> {
        let forget = serde_json::to_string(forget)?;
        self.call(FORGET, forget.as_bytes()).await
    }

    /// Has it fold some of what is not in D1 yet; whether there is more.
    pub(crate) async fn fold(&self) -> Result<bool> {
        self.call(FOLD, &[]).await
    }

    /// Has it fold everything again, into a D1 that was lost; whether there is more, which [`ArchiveDo::fold`] folds.
    pub(crate) async fn refold(&self) -> Result<bool> {
        self.call(REFOLD, &[]).await
    }

    /// Has it take up an object again that a sink refused; `false` where it has done so before.
    pub(crate) async fn retry(&self, what: &Retry) -> Result<bool> {
        let what = serde_json::to_string(what)?;
        self.call(RETRY, what.as_bytes()).await
    }

    async fn call<T: DeserializeOwned>(&self, command: &str, body: &[u8]) -> Result<T> {
        Ok(json::told(self.said(command, body).await?)?)
    }

    async fn said(&self, command: &str, body: &[u8]) -> Result<String> {
        let ask = async || {
            let spread = self.all.spread().await?;
            let calls = vec![((self.home)(spread.archives), bytes(body))];
            let of = self.all.generation(spread.generation);
            let mut told = of.post(command, calls).await?;
            Ok(told.pop().unwrap_or_default())
        };
        match ask().await {
            Err(error) if self.all.has_moved(&error) => ask().await,
            told => told,
        }
    }
}

/// The archives of one generation.
pub(crate) struct Generation<'a> {
    env: &'a Env,
    site: &'a str,
    generation: i64,
}

impl Generation<'_> {
    /// Has some take a step of a reshard; what they tell, in their order.
    pub(crate) async fn obey(
        &self,
        shards: impl Iterator<Item = u32>,
        order: &Order,
    ) -> Result<Vec<Told>> {
        let order = serde_json::to_string(order)?;
        let calls = shards.map(|shard| (shard, JsValue::from_str(&order)));
        objects::told_all(self.post(OBEY, calls.collect()).await?)
    }

    /// Has each take a parcel that an old archive gives.
    pub(crate) async fn take(&self, parcels: &[(u32, Vec<u8>)]) -> Result<()> {
        let calls = parcels
            .iter()
            .map(|(shard, parcel)| (*shard, bytes(parcel)));
        self.post(TAKE, calls.collect()).await.map(drop)
    }

    /// Calls some at once, each with its body; the texts of their answers.
    async fn post(&self, command: &str, calls: Vec<(u32, JsValue)>) -> Result<Vec<String>> {
        let calls = calls.into_iter().map(|(shard, body)| {
            let name = archive_object(self.site, shard, self.generation);
            (name, body)
        });
        objects::post_all(self.env, ARCHIVE_DO, command, calls.collect()).await
    }
}

fn bytes(body: &[u8]) -> JsValue {
    Uint8Array::from(body).into()
}
