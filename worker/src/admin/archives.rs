//! The call that gives a site another number of archives, and its answer.

use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::archive::reshard::{Phase, State};
use crate::archive::spread::MAX_ARCHIVES;
use crate::base::{json, whole};
use crate::http::error::Fault;
use crate::http::known;

/// Fields of the body.
pub const ARCHIVES_FIELDS: &[&str] = &["archives"];

/// The body.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = NewArchives))]
pub(crate) struct Body {
    /// How many archives the site is to have.
    #[cfg_attr(test, schema(value_type = i64, minimum = 1, maximum = 16))]
    archives: Number,
}

/// What is asked of the site's first archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// How far it is.
    Nothing,
    /// So many archives.
    Archives(u32),
    /// No other number, after all.
    Cancel,
}

impl Wish {
    /// Reads the body `{archives}`.
    ///
    /// # Errors
    /// 400 with what is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        known::fields_of(body, ARCHIVES_FIELDS)?;
        let body: Body =
            json::read(body).map_err(|_| Fault::malformed("The body must be {archives}."))?;
        let archives =
            whole::of(&body.archives).filter(|number| (1..=MAX_ARCHIVES).contains(number));
        let archives = archives.and_then(|number| u32::try_from(number).ok());
        archives.map(Self::Archives).ok_or(Fault::Malformed {
            field: Some("archives"),
            detail: "archives is a whole number from 1 to 16.",
        })
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Archives))]
pub struct Archives {
    /// How many archives the site has.
    pub archives: u32,
    /// Another number that it is getting; null: none.
    #[cfg_attr(test, schema(required))]
    pub change: Option<Change>,
}

/// Another number of archives on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ArchivesChange))]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// How many there will be.
    pub archives: u32,
    /// The step that is being done.
    pub phase: Phase,
    /// Why it is not done yet, where that is not for itself.
    #[cfg_attr(test, schema(required))]
    pub waiting_for: Option<String>,
}

impl Archives {
    /// What the first archive knows.
    pub fn of(state: &State) -> Self {
        let change = state.job.as_ref().map(|job| Change {
            archives: if job.is_cancelled() {
                job.from.archives
            } else {
                job.to.archives
            },
            phase: job.phase,
            waiting_for: job.why.clone(),
        });
        Self {
            archives: state.now.archives,
            change,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_from_1_to_16_is_taken_and_nothing_else() {
        assert_eq!(Wish::parse(br#"{"archives":16}"#), Ok(Wish::Archives(16)));
        for wrong in [
            r#"{"archives":0}"#,
            r#"{"archives":17}"#,
            r#"{"archives":-1}"#,
            r#"{"archives":"3"}"#,
            r#"{"archives":3,"more":1}"#,
            "{}",
            "",
        ] {
            assert_eq!(
                Wish::parse(wrong.as_bytes()).unwrap_err().status(),
                400,
                "{wrong}"
            );
        }
    }
}
