//! Messages of bytes: the worker crate sends texts and values only.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use worker::{Env, RawMessage, Result};

#[wasm_bindgen]
extern "C" {
    type Producer;

    #[wasm_bindgen(method, catch)]
    async fn send(
        this: &Producer,
        body: &Uint8Array,
        options: &JsValue,
    ) -> std::result::Result<JsValue, JsValue>;
}

/// Sends a message of bytes.
pub(crate) async fn send(env: &Env, queue: &str, body: &[u8]) -> Result<()> {
    let queue = env.queue(queue)?;
    let producer: &Producer = queue.as_ref().unchecked_ref();
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &"contentType".into(), &"bytes".into())?;
    producer.send(&Uint8Array::from(body), &options).await?;
    Ok(())
}

/// The bytes of a message; of one that somebody else sent as a text, those of the text.
pub(crate) fn body(message: &RawMessage) -> Vec<u8> {
    let body = message.body();
    match body.as_string() {
        Some(text) => text.into_bytes(),
        None if body.is_object() => Uint8Array::new(&body).to_vec(),
        None => Vec::new(),
    }
}
