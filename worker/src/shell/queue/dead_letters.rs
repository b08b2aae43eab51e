//! The consumer of the dead letters' queue: what a failure was, and what is kept of it.

use worker::{Env, Result};

use crate::dead_letter::{AWAY_AFTER, DeadPart, Reason, is_of_content};
use crate::protocol::Message;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::log;
use crate::shell::queue::buried::bury;
use crate::shell::queue::consume::consume;

/// Looks at a message that failed as often as the queue tries: each of its parts gets one more try by
/// itself, and only what the archive refuses for its content is a dead letter. All else is left to the
/// log, which still has it. So are the parts that follow [`AWAY_AFTER`] in a row which failed: what they need is away.
///
/// `false` asks for another try: of what is no message of a log no log has a copy.
pub(crate) async fn inspect(body: &[u8], env: &Env) -> bool {
    let Ok(message) = Message::parse(body) else {
        let unknown = DeadPart::unknown(body, now_ms());
        let detail = "The message is not one of a log.";
        let buried = bury(&unknown, Reason::Unreadable, detail, env).await;
        if let Err(error) = &buried {
            log::error("dead_letter_queue", error);
        }
        return buried.is_ok();
    };
    let mut failed = 0_u32;
    for part in DeadPart::of(&message) {
        match inspect_part(&part, env).await {
            Ok(()) => failed = 0,
            Err(error) => {
                log::error("dead_letter_queue", error);
                failed = failed.saturating_add(1);
            }
        }
        if failed == AWAY_AFTER {
            break;
        }
    }
    true
}

async fn inspect_part(part: &DeadPart, env: &Env) -> Result<()> {
    let message =
        Message::parse(&part.message).map_err(|error| worker::Error::RustError(error.0))?;
    let Err(error) = consume(&part.message, &message, env).await else {
        return Ok(());
    };
    let detail = error.to_string();
    // An archive that is away or too busy is no fault of the part's: only what is wrong with the
    // content itself will not pass.
    if !is_of_content(&detail) {
        return Err(error);
    }
    bury(part, Reason::NotStored, &detail, env).await
}
