//! Reads of D1's sums with what they lack ([`crate::read::fresh`]).

use serde::de::DeserializeOwned;
use worker::Env;

use crate::archive::fold::{Sums, Want};
use crate::archive::{Looked, Stand, standing};
use crate::base::sql::{Statement, Table};
use crate::http::error::Fault;
use crate::read::fresh::{Fresh, Next, united};
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::d1;
use crate::shell::platform::log;

type Answer<T> = std::result::Result<T, Fault>;

/// The answers of D1 to some statements, and what they lack.
pub(crate) struct Found {
    /// What D1 lacks.
    pub(crate) lacking: Sums,
    /// Whether that is all that it lacks; otherwise it answers as of the last folds.
    pub(crate) is_fresh: bool,
    /// Where D1 stands, then its answers.
    results: Vec<Table>,
}

impl Found {
    /// The rows of a statement, by its place.
    pub(crate) fn rows<T: DeserializeOwned>(&self, place: usize) -> Answer<Vec<T>> {
        let result = self.results.get(place.saturating_add(1));
        let rows = result.map_or(Ok(Vec::new()), Table::rows);
        rows.map_err(|error| unreachable(error.into()))
    }

    /// How many rows D1 read for a statement, where it tells.
    pub(crate) fn cost(&self, place: usize) -> Option<usize> {
        let read = self.results.get(place.saturating_add(1))?.rows_read();
        read.and_then(|read| read.try_into().ok())
    }
}

/// Asks D1 and a site's archives: `statements` of what D1 lacks. Where one does not answer, D1 answers as of the last
/// folds; where one cannot tell so much, it folds it.
pub(crate) async fn fresh(
    env: &Env,
    site: &str,
    wants: &[Want],
    statements: &dyn Fn(&Sums) -> Vec<Statement>,
) -> Answer<Found> {
    let mut fresh = Fresh::default();
    loop {
        let looked = look(env, site, &fresh, wants).await;
        let Some((at, sums)) = looked.map(|looked| united(&looked, wants)) else {
            return found(env, site, None, statements).await;
        };
        let found_now = found(env, site, Some(sums), statements).await?;
        let stands: Option<Vec<Stand>> = match found_now.results.first() {
            Some(table) => Some(table.rows().map_err(|error| unreachable(error.into()))?),
            None => None,
        };
        match fresh.next(&at, stands.unwrap_or_default()) {
            Next::Answer => return Ok(found_now),
            Next::Again => {}
            Next::Alone => {
                log::error(
                    "fresh",
                    "D1 does not stand where the archive believes it to",
                );
                return found(env, site, None, statements).await;
            }
        }
    }
}

async fn found(
    env: &Env,
    site: &str,
    lacking: Option<Sums>,
    statements: &dyn Fn(&Sums) -> Vec<Statement>,
) -> Answer<Found> {
    let is_fresh = lacking.is_some();
    let lacking = lacking.unwrap_or_default();
    let mut all = vec![standing(site)];
    all.extend(statements(&lacking));
    let results = d1::batch(env, &all).await.map_err(unreachable)?;
    Ok(Found {
        lacking,
        is_fresh,
        results,
    })
}

/// What the archives say; none where D1 is to be asked alone. One that cannot tell so much folds it.
async fn look(env: &Env, site: &str, fresh: &Fresh, wants: &[Want]) -> Option<Vec<Looked>> {
    let looked = async {
        let archives = Archives::of(env, site);
        let look = fresh.look(wants.to_vec(), archives.number().await?);
        let looked = archives.look(&look).await?;
        for (shard, _) in (0..).zip(&looked).filter(|(_, looked)| looked.is_none()) {
            archives.at(&|_| shard).fold().await?;
        }
        Ok::<_, worker::Error>(looked.into_iter().collect())
    };
    looked.await.unwrap_or_else(|error| {
        log::error("archive_do", error);
        None
    })
}

fn unreachable(error: worker::Error) -> Fault {
    log::error("d1", error);
    Fault::Unavailable("The read model cannot be reached right now.")
}
