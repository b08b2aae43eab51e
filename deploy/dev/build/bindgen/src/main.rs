//! Writes `index.js` and `index_bg.wasm` from the wasm that cargo built.
//!
//! `shoreline-bindgen MODULE.wasm FOLDER`

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let module = arguments.next().context("no module was named")?;
    let folder = arguments.next().context("no folder was named")?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name("index")
        // A module that imports the wasm, as workerd loads it, and holds the one instance of it.
        .module(true)?
        .typescript(false)
        // A panic ends the instance; these say so, and make a new one (worker/src/shell/platform/wasm.js).
        .reset_state_function(true)
        .force_enable_abort_handler(true);
    bindgen.generate(folder)
}
