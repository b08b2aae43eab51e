//! Static files, read by the worker itself. By JavaScript: the crate's own way brings a parser of URLs with the tables
//! of all scripts, 90 KB of the worker.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, Result};

#[wasm_bindgen(module = "/src/shell/platform/assets.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn read(env: &Env, path: &str) -> std::result::Result<JsValue, JsValue>;
}

/// The text of the file at a path.
pub(crate) async fn text(env: &Env, path: &str) -> Result<String> {
    Ok(read(env, path).await?.as_string().unwrap_or_default())
}
