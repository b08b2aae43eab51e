// What a page loads by a script tag: the global `shoreline`.
import { replay, shoreline } from './api.js';
import { own } from './named.js';

/** @type {HTMLScriptElement | null} */
const script = own('currentScript') || own('querySelector').call(document, 'script[data-key]');
const stub = window.shoreline;

// Loaded twice, it would count twice. (Without a stub, an element with this id may stand there.)
if (!stub?.on?.call) {
  const queued = Array.from(stub?.q || []);
  // For a page that has kept the stub's own queue.
  shoreline.q = { push: replay };
  window.shoreline = shoreline;
  const { src: collector, dataset } = script || {};
  // The view first; it is recorded with what happens next, so that a visitor who is identified
  // before anything else is so from the first view on.
  shoreline.init({ collector, wasm: collector && new URL(WASM_PATH, collector), ...dataset, at: queued[0]?.t });
  queued.forEach(replay);
}
