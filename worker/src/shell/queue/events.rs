//! The consumer of the events queue: messages appended to the archive and confirmed to their log.

use wasm_bindgen::JsValue;
use worker::{
    Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage, Result, event,
};

use crate::archive::Appended;
use crate::archive::consume::{RETRY_DELAY_S, by_site, confirmation, united};
use crate::archive::spread::split;
use crate::base::together::join_all;
use crate::dead_letter::{DeadPart, Reason};
use crate::observe::operations::Background;
use crate::protocol::names::{APPEND, CONFIRM, site_object};
use crate::protocol::{Confirmation, Message};
use crate::shell::http::calls::note;
use crate::shell::platform::archives::tell_all;
use crate::shell::platform::bindings::{DEAD_LETTERS_QUEUE, SITE_DO, settings};
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::log;
use crate::shell::platform::objects;
use crate::shell::platform::queue::body;
use crate::shell::queue::dead_letters::{bury, forget_replayed, inspect};

#[event(queue)]
async fn queue(batch: MessageBatch<JsValue>, env: Env, context: Context) -> Result<()> {
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
        settle(&messages, &env, &context).await;
    }
    // Never `Err`: it would panic, and take the whole batch's acknowledgements with it.
    Ok(())
}

/// A message that could be read.
struct Item<'a> {
    raw: &'a RawMessage,
    body: &'a [u8],
    message: Message<'a>,
}

/// Acknowledges what is done, and asks for the rest again.
async fn settle(messages: &[(RawMessage, Vec<u8>)], env: &Env, context: &Context) {
    let mut items = Vec::new();
    for (raw, body) in messages {
        match Message::parse(body) {
            Ok(message) => items.push(Item { raw, body, message }),
            // Reading it again would not make it readable.
            Err(error) => {
                log::error("events_queue", error);
                inspect_or_retry(raw, body, env).await;
            }
        }
    }
    let items: Vec<&Item<'_>> = items.iter().collect();
    let groups = by_site(items, |item| item.message.site.as_str());
    join_all(
        groups
            .into_iter()
            .map(|group| settle_site(group, env, context)),
    )
    .await;
}

/// Messages of one site, one after the other: an archive appends one at a time.
async fn settle_site(group: Vec<&Item<'_>>, env: &Env, context: &Context) {
    for item in group {
        let began = now_ms();
        let consumed = consume(item.body, &item.message, env).await;
        let failed = consumed.is_err().then_some("not_stored");
        let site = Some(item.message.site.as_str());
        if let Some(committed) = note(env, Background::Consume, site, began, failed) {
            context.wait_until(committed);
        }
        match consumed {
            Ok(()) => item.raw.ack(),
            // After the queue's tries it goes to the dead letters' queue, which tells what may pass
            // from what does not.
            Err(error) => {
                log::error("events_queue", error);
                let options = QueueRetryOptionsBuilder::new()
                    .with_delay_seconds(RETRY_DELAY_S)
                    .build();
                item.raw.retry_with_options(&options);
            }
        }
    }
}

async fn inspect_or_retry(message: &RawMessage, body: &[u8], env: &Env) {
    if inspect(body, env).await {
        message.ack();
    } else {
        message.retry();
    }
}

/// Has the site's archives append a message, each its own events.
async fn append(body: &[u8], message: &Message<'_>, env: &Env) -> Result<Appended> {
    let bodies = |archives: u32| match archives {
        1 => Ok(vec![body.to_vec()]),
        several => {
            let key = &settings(env)?.ingest.hash_key;
            Ok(split(message, several, key))
        }
    };
    let said = tell_all(env, &message.site, APPEND, &bodies).await?;
    Ok(united(objects::told_all(said)?))
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
    confirm(env, &message.site, message.shard, &confirmation).await?;
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

/// Tells the log that rows need not be kept any more.
pub(crate) async fn confirm(
    env: &Env,
    site: &str,
    shard: u32,
    confirmation: &Confirmation,
) -> Result<()> {
    if confirmation.ranges.is_empty() {
        return Ok(());
    }
    let body = serde_json::to_string(confirmation)?;
    objects::call::<()>(env, SITE_DO, &site_object(site, shard), CONFIRM, &body).await
}
