//! The consumer of the events queue: each message stored, landed and confirmed by itself.

use wasm_bindgen::JsValue;
use worker::{
    Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage, Result, event,
};

use super::bindings::{LAKE_DO, SITE_DO, settings};
use super::platform::{Ids, now_ms};
use super::users_worker::forget;
use super::{d1, log, objects};
use crate::consume::{Message, RETRY_DELAY_S, Unreadable};
use crate::rollup::Finding;
use crate::routes::{APPEND, CONFIRM, lake_object, site_object};

#[event(queue)]
async fn queue(batch: MessageBatch<JsValue>, env: Env, _context: Context) -> Result<()> {
    for message in batch.raw_iter() {
        settle(&message, &env).await;
    }
    // Never `Err`: it would panic, and take the whole batch's acknowledgements with it.
    Ok(())
}

async fn settle(message: &RawMessage, env: &Env) {
    let text = message.body().as_string().unwrap_or_default();
    match consume(&text, env).await {
        Ok(()) => message.ack(),
        // Our own outbox wrote it and keeps its parts until they are confirmed: dropping the message
        // loses nothing, and reading it again would not make it readable.
        Err(Failure::Unreadable(Unreadable(error))) => {
            log::error("events_queue", error);
            message.ack();
        }
        Err(Failure::Transient(error)) => {
            log::error("events_queue", error);
            let options = QueueRetryOptionsBuilder::new()
                .with_delay_seconds(RETRY_DELAY_S)
                .build();
            message.retry_with_options(&options);
        }
    }
}

enum Failure {
    Unreadable(Unreadable),
    Transient(worker::Error),
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl From<worker::Error> for Failure {
    fn from(error: worker::Error) -> Self {
        Self::Transient(error)
    }
}

/// D1, then the lake, then the confirmation: whatever fails in between, the outbox sends the part
/// again, and every step meets what it did before.
async fn consume(text: &str, env: &Env) -> std::result::Result<(), Failure> {
    let message = Message::parse(text)?;
    let attempt = Ids::new()?.next(now_ms());
    let settings = settings(env)?;
    let statements = message.statements(&attempt, &settings.ingest.hash_key);
    let findings: Vec<Finding> = d1::transaction(env, &statements).await?;
    for (user, alias) in message.erasures(&findings) {
        forget(env, &message.site, &user, &alias).await?;
    }
    let handover = message.handover(&findings);
    let lake = lake_object(&message.site, message.shard);
    objects::call::<()>(env, LAKE_DO, &lake, APPEND, &handover.append).await?;
    let site = site_object(&message.site, message.shard);
    let confirmation =
        serde_json::to_string(&handover.confirmation).map_err(worker::Error::from)?;
    objects::call::<()>(env, SITE_DO, &site, CONFIRM, &confirmation).await?;
    Ok(())
}
