// The core, which decides (src/shell.rs): numbers in, numbers out.

// How a page came to be where it is, and fates of a batch, as the core numbers them.
export const SHOWN = 0;
export const WENT = 1;
export const REPLACED = 2;
export const WAITS = 3;
export const SPLIT = 4;

const VISIT_IDLE_MS = 1_800_000;
const VISIT_MAX_MS = 86_400_000;

/**
 * What the core answers. Before it is loaded, and on a page where it never will be (a policy without
 * 'wasm-unsafe-eval'), these few rules stand in, with which events can be sent one by one.
 * (What is no number is made one where it is called with: `true` is 1, and text what it says.)
 * @type {Record<string, (...numbers: any[]) => any>}
 */
export let core = {
  view: (how, elsewhere) => how < WENT || (how < REPLACED && elsewhere),
  lives: (now, began, latest) => now - latest < VISIT_IDLE_MS && now - began < VISIT_MAX_MS,
  sampled: (word, share) => word < share * 2 ** 32,
};

/** Whether it is. */
export let isLive = false;

/**
 * Loads the module. Only the very one this script was built with: another version's functions may
 * have other meanings.
 * @param {string | URL} url
 */
export async function load(url) {
  const answer = await fetch(url, { integrity: WASM_INTEGRITY });
  const { instance } = await WebAssembly.instantiate(await answer.arrayBuffer());
  core = /** @type {any} */ (instance.exports);
  isLive = true;
}
