// What a page loads by a script tag: the global `shoreline`.
import { init, shoreline } from './api.js';
import { asked } from './events.js';

/** @type {HTMLScriptElement | null} */
const script = document.currentScript || document.querySelector('script[data-key]');
const stub = window.shoreline;

/** A call, with the time at which it was made where the snippet says it. @param {any} call */
function replay(call) {
  asked.at = call.t || 0;
  shoreline(...call);
  asked.at = 0;
}

// Loaded twice, it would count twice.
if (!stub?.on) {
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
