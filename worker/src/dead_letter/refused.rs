//! Objects of the lake that a sink refuses, among the dead letters: under `<sink>:<key>`.

use super::{Chosen, Reason, list};
use crate::base::sql::Statement;
use crate::lake::{RefusedObject, Retry};
use crate::sinks::SinkKind;

/// The statement that lists an object of a shard that a sink refuses. It is listed once a day, which is
/// no other try.
pub fn list_refused(site: &str, shard: u32, object: &RefusedObject, now_ms: i64) -> Statement {
    let (sink, key) = (object.sink.name(), object.key.as_str());
    list([
        site.into(),
        format!("{sink}:{key}").into(),
        i64::from(shard).into(),
        Reason::SinkRefused.code().into(),
        object.code.as_str().into(),
        object.hour_ms.into(),
        object.events.into(),
        now_ms.into(),
        key.into(),
    ])
}

/// The statement that takes an object off the list that its shard has taken up again, unless it was
/// listed once more since it was touched ([`super::touch`]).
pub fn forget_refused(chosen: &Chosen, touched_at: i64) -> Statement {
    Statement::new(
        "DELETE FROM dead_letters WHERE site_id = ?1 AND part_id = ?2 AND last_at <= ?3",
        [
            chosen.site_id.as_str().into(),
            chosen.part_id.as_str().into(),
            touched_at.into(),
        ],
    )
}

impl Chosen {
    /// What its shard of the lake is told, where a sink refused it.
    pub fn retry(&self) -> Option<Retry> {
        let (sink, key) = self.part_id.split_once(':')?;
        (self.code == Reason::SinkRefused.code()).then_some(())?;
        Some(Retry {
            sink: SinkKind::parse(sink)?,
            key: key.to_owned(),
        })
    }
}
