// The tag that loaded this script, and what it says.

/** @type {HTMLScriptElement | null} */
const script = document.currentScript || document.querySelector('script[data-key]');

/** The collector is where the script came from, whatever page it runs on. @param {string} path */
const onCollector = (path) => (script?.src ? new URL(path, script.src).href : '');

/**
 * Where the module is: beside the script. It is asked for by its hash, which the build puts in, past
 * caches that hold another version.
 */
export const wasmUrl = onCollector('shoreline.wasm?' + WASM_INTEGRITY);

/** Where events go. */
export const eventsUrl = onCollector('/v1/events?key=' + encodeURIComponent(script?.dataset.key));

/** Hosts of the machine itself; a file has none. */
const LOCAL = /^(localhost|127(\.\d+){3}|\[::1\]|)$|\.localhost$/;

/**
 * Why nothing is counted on this page; nothing if it is. Looked at before the module is loaded: who
 * is left out need not download it.
 * @param {string} ignored what `localStorage['shoreline.ignore']` says
 */
export function excluded(ignored) {
  if (!script?.dataset.key) return 'no_key';
  if (ignored) return 'ignored';
  if (script.hasAttribute('data-include-local')) return '';
  if (navigator.webdriver) return 'automated';
  return LOCAL.test(location.hostname) ? 'local' : '';
}
