//! The consumer of the events queue: each message stored, landed and confirmed by itself.

use wasm_bindgen::JsValue;
use worker::{
    Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage, Result, event,
};

use super::bindings::{DEAD_LETTERS_QUEUE, LAKE_DO, SITE_DO, settings};
use super::dead_letter_queue::{bury, forget_replayed, inspect};
use super::platform::{Ids, now_ms};
use super::users_worker::forget;
use super::{d1, log, objects};
use crate::consume::{Message, RETRY_DELAY_S, Unreadable};
use crate::dead_letter::{Label, Reason};
use crate::rollup::Finding;
use crate::routes::{APPEND, CONFIRM, lake_object, site_object};
use crate::site::{Confirmation, ConfirmedPart};

#[event(queue)]
async fn queue(batch: MessageBatch<JsValue>, env: Env, _context: Context) -> Result<()> {
    let dead = batch.queue() == DEAD_LETTERS_QUEUE;
    for message in batch.raw_iter() {
        if dead {
            inspect_or_retry(&message, &text_of(&message), &env).await;
        } else {
            settle(&message, &env).await;
        }
    }
    // Never `Err`: it would panic, and take the whole batch's acknowledgements with it.
    Ok(())
}

fn text_of(message: &RawMessage) -> String {
    message.body().as_string().unwrap_or_default()
}

async fn settle(message: &RawMessage, env: &Env) {
    let text = text_of(message);
    match consume(&text, env).await {
        Ok(()) => message.ack(),
        // Reading it again would not make it readable.
        Err(Failure::Unreadable(Unreadable(error))) => {
            log::error("events_queue", &error);
            inspect_or_retry(message, &text, env).await;
        }
        // After the queue's tries it goes to the dead letters' queue, which tells what may pass from
        // what does not.
        Err(Failure::NotStored(error) | Failure::Later(error)) => {
            log::error("events_queue", error);
            let options = QueueRetryOptionsBuilder::new()
                .with_delay_seconds(RETRY_DELAY_S)
                .build();
            message.retry_with_options(&options);
        }
    }
}

async fn inspect_or_retry(message: &RawMessage, text: &str, env: &Env) {
    if inspect(text, env).await {
        message.ack();
    } else {
        message.retry();
    }
}

/// Why a message is not done.
pub(super) enum Failure {
    /// It is none of ours.
    Unreadable(Unreadable),
    /// D1 did not take it.
    NotStored(worker::Error),
    /// Anything else, all of which may pass.
    Later(worker::Error),
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl From<worker::Error> for Failure {
    fn from(error: worker::Error) -> Self {
        Self::Later(error)
    }
}

/// D1, then the lake, then the confirmation: whatever fails in between, the outbox sends the part
/// again, and every step meets what it did before.
pub(super) async fn consume(text: &str, env: &Env) -> std::result::Result<(), Failure> {
    let mut message = Message::parse(text)?;
    let too_old = message.take_too_old(now_ms());
    if !too_old.is_empty() {
        bury_too_old(text, &too_old, env).await?;
    }
    let attempt = Ids::new()?.next(now_ms());
    let settings = settings(env)?;
    let statements = message.statements(&attempt, &settings.ingest.hash_key);
    let findings: Vec<Finding> = d1::transaction(env, &statements)
        .await
        .map_err(Failure::NotStored)?;
    for (user, alias) in message.erasures(&findings) {
        forget(env, &message.site, &user, &alias).await?;
    }
    let handover = message.handover(&findings);
    let lake = lake_object(&message.site, message.shard);
    objects::call::<()>(env, LAKE_DO, &lake, APPEND, &handover.append).await?;
    confirm(env, &message.site, message.shard, &handover.confirmation).await?;
    if message.replay.is_some() {
        forget_replayed(env, &message.site, &message.part_ids()).await?;
    }
    Ok(())
}

/// Tells the outbox that parts need not be kept any more.
pub(super) async fn confirm(
    env: &Env,
    site: &str,
    shard: u32,
    confirmation: &Confirmation,
) -> Result<()> {
    let body = serde_json::to_string(confirmation)?;
    objects::call::<()>(env, SITE_DO, &site_object(site, shard), CONFIRM, &body).await
}

async fn bury_too_old(text: &str, ids: &[String], env: &Env) -> Result<()> {
    let label = Label::parse(text);
    for part in label.iter().flat_map(Label::parts) {
        if ids.contains(&part.id) {
            let detail = "The part came later than the lake remembers parts.";
            bury(&part, Reason::TooOld, detail, env).await?;
        }
    }
    Ok(())
}

/// The confirmation of a part that is dead.
pub(super) fn dead(id: &str) -> Confirmation {
    Confirmation {
        parts: vec![ConfirmedPart {
            id: id.to_owned(),
            duplicates: Vec::new(),
        }],
    }
}
