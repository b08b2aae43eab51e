//! The consumer of the events queue: messages stored together, landed and confirmed shard by shard.

use wasm_bindgen::JsValue;
use worker::{
    Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage, Result, event,
};

use super::bindings::{DEAD_LETTERS_QUEUE, LAKE_DO, SITE_DO, settings};
use super::d1::D1;
use super::dead_letter_queue::{bury, forget_replayed, inspect};
use super::platform::now_ms;
use super::queue::body;
use super::users_worker::forget;
use super::{log, objects};
use crate::consume::{Batch, Findings, Handover, Message, NotStored, RETRY_DELAY_S, groups, store};
use crate::dead_letter::{DeadPart, Reason};
use crate::protocol::{Confirmation, Unreadable};
use crate::routes::{APPEND, CONFIRM, lake_object, site_object};
use crate::sorted::Map;

#[event(queue)]
async fn queue(batch: MessageBatch<JsValue>, env: Env, _context: Context) -> Result<()> {
    let messages: Vec<(RawMessage, Vec<u8>)> = batch
        .raw_iter()
        .map(|message| {
            let body = body(&message);
            (message, body)
        })
        .collect();
    if batch.queue() == DEAD_LETTERS_QUEUE {
        for (message, body) in &messages {
            inspect_or_retry(message, body, &env).await;
        }
    } else {
        settle(&messages, &env).await;
    }
    // Never `Err`: it would panic, and take the whole batch's acknowledgements with it.
    Ok(())
}

/// A message that could be read.
struct Item<'a> {
    raw: &'a RawMessage,
    message: Message<'a>,
}

/// Acknowledges what is done, and asks for the rest again.
async fn settle(messages: &[(RawMessage, Vec<u8>)], env: &Env) {
    let mut items = Vec::new();
    for (raw, body) in messages {
        match prepare(body, env).await {
            Ok(message) => items.push(Item { raw, message }),
            // Reading it again would not make it readable.
            Err(Failure::Unreadable(Unreadable(error))) => {
                log::error("events_queue", &error);
                inspect_or_retry(raw, body, env).await;
            }
            Err(failure) => retry(&[raw], failure),
        }
    }
    let mut groups = groups(items, |item| &item.message);
    while let Some(group) = groups.pop() {
        if let Spoilt::One(error) = settle_group(&group, env).await {
            // One of them is not taken, and the others with it: each by itself.
            log::error("events_queue", error);
            groups.extend(group.into_iter().map(|item| vec![item]));
        }
    }
}

/// How a group ended.
enum Spoilt {
    /// All of it is settled.
    None,
    /// Nothing of it is stored or settled, because D1 refuses one of several.
    One(worker::Error),
}

async fn settle_group(group: &[Item<'_>], env: &Env) -> Spoilt {
    let messages: Vec<&Message<'_>> = group.iter().map(|item| &item.message).collect();
    let raw = group.iter().map(|item| item.raw);
    let findings = match stored(&messages, env).await {
        Ok(findings) => findings,
        Err(Failure::NotStored(NotStored::Refused(error))) if group.len() > 1 => {
            return Spoilt::One(error);
        }
        Err(failure) => {
            retry(&raw.collect::<Vec<_>>(), failure);
            return Spoilt::None;
        }
    };
    let mut shards: Map<u32, Vec<&Item<'_>>> = Map::new();
    for item in group {
        shards.entry(item.message.shard).or_default().push(item);
    }
    for items in shards.into_values() {
        let messages: Vec<&Message<'_>> = items.iter().map(|item| &item.message).collect();
        let raw: Vec<&RawMessage> = items.iter().map(|item| item.raw).collect();
        match hand_over(&messages, &findings, env).await {
            Ok(()) => raw.iter().for_each(|message| message.ack()),
            Err(failure) => retry(&raw, failure),
        }
    }
    Spoilt::None
}

/// After the queue's tries they go to the dead letters' queue, which tells what may pass from what
/// does not.
fn retry(messages: &[&RawMessage], failure: Failure) {
    log::error("events_queue", failure.into_inner());
    for message in messages {
        let options = QueueRetryOptionsBuilder::new()
            .with_delay_seconds(RETRY_DELAY_S)
            .build();
        message.retry_with_options(&options);
    }
}

async fn inspect_or_retry(message: &RawMessage, body: &[u8], env: &Env) {
    if inspect(body, env).await {
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
    NotStored(NotStored<worker::Error>),
    /// Anything else, all of which may pass.
    Later(worker::Error),
}

impl Failure {
    fn into_inner(self) -> worker::Error {
        match self {
            Self::Unreadable(Unreadable(error)) => worker::Error::RustError(error),
            Self::NotStored(not_stored) => not_stored.into_inner(),
            Self::Later(error) => error,
        }
    }
}

impl From<worker::Error> for Failure {
    fn from(error: worker::Error) -> Self {
        Self::Later(error)
    }
}

/// One message: whatever fails in between, the outbox sends its parts again, and every step meets
/// what it did before.
pub(super) async fn consume(body: &[u8], env: &Env) -> std::result::Result<(), Failure> {
    let message = prepare(body, env).await?;
    let findings = stored(&[&message], env).await?;
    hand_over(&[&message], &findings, env).await
}

/// Reads a message, and takes out what comes too late.
async fn prepare<'a>(body: &'a [u8], env: &Env) -> std::result::Result<Message<'a>, Failure> {
    let mut message = Message::parse(body).map_err(Failure::Unreadable)?;
    let too_old = message.take_too_old(now_ms());
    if !too_old.is_empty() {
        bury_too_old(body, &too_old, env).await?;
    }
    Ok(message)
}

/// Has D1 store messages of one site.
async fn stored<'a>(
    messages: &[&'a Message<'a>],
    env: &Env,
) -> std::result::Result<Findings<'a>, Failure> {
    let Some(Message { site, .. }) = messages.first() else {
        return Ok(Findings::default());
    };
    let batch = Batch::of(site, messages, &settings(env)?.ingest.hash_key);
    let findings = store(&D1(env), &batch).await.map_err(Failure::NotStored)?;
    for (user, alias) in batch.erasures(&findings) {
        forget(env, site, &user, &alias).await?;
    }
    Ok(findings)
}

/// Hands stored messages of one shard to the lake, and then confirms them.
async fn hand_over(
    messages: &[&Message<'_>],
    findings: &Findings<'_>,
    env: &Env,
) -> std::result::Result<(), Failure> {
    let Some(Message { site, shard, .. }) = messages.first() else {
        return Ok(());
    };
    let handover = Handover::of(messages, findings);
    let lake = lake_object(site, *shard);
    objects::call::<()>(env, LAKE_DO, &lake, APPEND, &handover.append).await?;
    for confirmation in &handover.confirmations {
        confirm(env, site, *shard, confirmation).await?;
    }
    for replay in messages.iter().filter(|message| message.replay.is_some()) {
        forget_replayed(env, site, &replay.part_ids()).await?;
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

async fn bury_too_old(body: &[u8], ids: &[String], env: &Env) -> Result<()> {
    let message = crate::protocol::Message::parse(body);
    for part in message.iter().flat_map(DeadPart::of) {
        if ids.contains(&part.id) {
            let detail = "The part came later than the lake remembers parts.";
            bury(&part, Reason::TooOld, detail, env).await?;
        }
    }
    Ok(())
}
