//! Storing a batch in D1, whatever of it D1 knows already.

use serde::de::DeserializeOwned;

use super::{Batch, Findings};
use crate::rollup::{ErasedUser, Known};
use crate::sql::Statement;

/// How often a batch is tried. Once is enough for events that are new, twice where D1 knows some
/// already; after that, only what another consumer stores at the same moment is in the way.
const TRIES: usize = 4;

/// D1: statements as one transaction.
#[allow(async_fn_in_trait)] // One thread, one implementation each: no `Send` bound to promise.
pub trait Database {
    /// What goes wrong.
    type Error;

    /// Runs statements, all of them or none, and returns the rows of the last.
    async fn transaction<T: DeserializeOwned>(
        &self,
        statements: &[Statement],
    ) -> Result<Vec<T>, Self::Error>;
}

/// Why a batch is not stored; nothing of it is, then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotStored<E> {
    /// D1 answers, and does not take it: it may take a part of it.
    Refused(E),
    /// D1 does not answer either.
    Away(E),
}

impl<E> NotStored<E> {
    /// What D1 said.
    pub fn into_inner(self) -> E {
        match self {
            Self::Refused(error) | Self::Away(error) => error,
        }
    }
}

/// Stores what of a batch is new, and returns what is to be known of the rest.
///
/// # Errors
/// [`NotStored`], with what D1 said of the last try.
pub async fn store<'a, D: Database>(
    database: &D,
    batch: &Batch<'a>,
) -> Result<Findings<'a>, NotStored<D::Error>> {
    let mut known: Vec<Known> = Vec::new();
    let mut tries = 1_usize;
    loop {
        let statements = batch.statements(&known);
        let error = match database.transaction::<ErasedUser>(&statements).await {
            Ok(erased) => return Ok(batch.findings(&known, &erased)),
            Err(error) => error,
        };
        let known_now = database.transaction(&[batch.known()]).await;
        let known_now = known_now.map_err(NotStored::Away)?;
        if known_now == known {
            // Nothing was in the way that was not known: it is something else.
            return Err(NotStored::Refused(error));
        }
        if tries >= TRIES {
            return Err(NotStored::Away(error));
        }
        known = known_now;
        tries = tries.saturating_add(1);
    }
}
