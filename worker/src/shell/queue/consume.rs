//! One message consumed: appended by the site's archives, and confirmed to its log.

use worker::{Env, Result};

use crate::archive::Appended;
use crate::archive::consume::{confirmation, united};
use crate::archive::spread::split;
use crate::dead_letter::{DeadPart, Reason};
use crate::protocol::Message;
use crate::shell::platform::bindings::settings;
use crate::shell::platform::clients::archives::Archives;
use crate::shell::platform::clients::site_do::SiteDo;
use crate::shell::queue::buried::{bury, forget_replayed};

/// Has the site's archives append a message, each its own events.
async fn append(body: &[u8], message: &Message<'_>, env: &Env) -> Result<Appended> {
    let bodies = |archives: u32| match archives {
        1 => Ok(vec![body.to_vec()]),
        several => {
            let key = &settings(env)?.ingest.hash_key;
            Ok(split(message, several, key))
        }
    };
    let archives = Archives::of(env, &message.site);
    Ok(united(archives.append(&bodies).await?))
}

/// One message: whatever fails in between, the log sends its rows again, and every step meets what it
/// did before.
pub(crate) async fn consume(body: &[u8], message: &Message<'_>, env: &Env) -> Result<()> {
    let appended = append(body, message, env).await?;
    for part in DeadPart::of(message) {
        let is_it = |(row, _): &&(i64, String)| part.row.as_ref().is_some_and(|id| id.seq == *row);
        if let Some((_, why)) = appended.unreadable.iter().find(is_it) {
            bury(&part, Reason::Unreadable, why, env).await?;
        }
    }
    let confirmation = confirmation(message, &appended);
    let log = SiteDo::of(env, &message.site, message.shard);
    log.confirm(&confirmation).await?;
    if message.replay.is_some() {
        let done = message.rows.iter().filter(|row| {
            appended
                .unreadable
                .iter()
                .all(|(other, _)| *other != row.seq)
        });
        let ids: Vec<String> = done
            .map(|row| message.row_id(row.seq).to_string())
            .collect();
        forget_replayed(env, &message.site, &ids).await?;
    }
    Ok(())
}
