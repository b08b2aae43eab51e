//! The consumer of the events queue: messages appended to the archive and confirmed to their log.

use wasm_bindgen::JsValue;
use worker::{
    Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage, Result, event,
};

use crate::archive::consume::{RETRY_DELAY_S, Unstored, by_site};
use crate::base::together::join_all;
use crate::observe::operations::Background;
use crate::protocol::Message;
use crate::shell::http::calls::{Noted, note};
use crate::shell::platform::bindings::DEAD_LETTERS_QUEUE;
use crate::shell::platform::clock::now_ms;
use crate::shell::platform::log;
use crate::shell::platform::queue::body;
use crate::shell::queue::consume::consume;
use crate::shell::queue::dead_letters::inspect;

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
    let noted = join_all(groups.into_iter().map(|group| settle_site(group, env))).await;
    for noted in noted.into_iter().flatten() {
        context.wait_until(noted.commit_at_once());
    }
}

/// Messages of one site, one after the other: an archive appends one at a time.
async fn settle_site(group: Vec<&Item<'_>>, env: &Env) -> Vec<Noted> {
    let mut all = Vec::new();
    for item in group {
        let began = now_ms();
        let consumed = consume(item.body, &item.message, env).await;
        let failed = consumed.as_ref().err();
        let failed = failed.map(|error| Unstored::of(&error.to_string()));
        let site = Some(item.message.site.as_str());
        let code = failed.map(Unstored::code);
        all.extend(note(env, Background::Consume, site, began, code));
        match consumed {
            Ok(()) => item.raw.ack(),
            // After the queue's tries it goes to the dead letters' queue, which tells what may pass
            // from what does not.
            Err(error) => {
                if failed != Some(Unstored::Paused) {
                    log::error("events_queue", error);
                }
                let options = QueueRetryOptionsBuilder::new()
                    .with_delay_seconds(RETRY_DELAY_S)
                    .build();
                item.raw.retry_with_options(&options);
            }
        }
    }
    all
}

async fn inspect_or_retry(message: &RawMessage, body: &[u8], env: &Env) {
    if inspect(body, env).await {
        message.ack();
    } else {
        message.retry();
    }
}
