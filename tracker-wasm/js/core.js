// The way into the wasm module. What is asked for, and how, is listed at `ask` in src/shell/mod.rs.
// glue_bg.js is made by wasm-bindgen and tools/glue.mjs; the build puts it beside these files.
import { __wbg_set_wasm, ask as askModule, imports } from './glue_bg.js';

export const SHOWN = 0;
export const WENT = 1;
export const REPLACED = 2;
export const RECORD = 3;
export const IDENTIFY = 4;
export const WAKE = 5;
export const FLUSH = 6;
export const HIDDEN = 7;
export const UNLOADED = 8;
export const SETTLE = 9;
export const PENDING = 10;

/**
 * Asks the core. Never throws: before the module is loaded, and on a page where it never will be,
 * the answer is 0.
 * @param {number} what
 * @param {...(string | number)} lines
 * @returns {number}
 */
export function ask(what, ...lines) {
  try {
    return askModule(what, lines.join('\n'));
  } catch {
    return 0;
  }
}

/**
 * Loads the module. Only the very one this script was built with: another version's functions have
 * the same short names and other meanings.
 * @param {string | URL} url
 */
export async function load(url) {
  const answer = await fetch(url, { integrity: WASM_INTEGRITY });
  let made;
  try {
    made = await WebAssembly.instantiateStreaming(answer.clone(), imports);
  } catch {
    // An older browser, or a server that does not say application/wasm.
    made = await WebAssembly.instantiate(await answer.arrayBuffer(), imports);
  }
  __wbg_set_wasm(made.instance.exports);
}
