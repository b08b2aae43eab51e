// What is recorded by itself. All but features only if the page asks for it.
import { record } from './events.js';
import { isOn } from './options.js';

const DOWNLOAD = /\.(7z|apk|csv|dmg|docx?|epub|exe|gz|iso|mp[34]|msi|pdf|pkg|pptx?|rar|tar|txt|wav|xlsx?|zip)$/i;

/** Errors recorded on one page at most: one that fails on every frame must not be all that is known. */
const ERRORS = 10;

/** Characters kept of a stack; the edge keeps no more of any text. */
const STACK_CHARS = 1000;

/** @param {MouseEvent} event */
export function clicked({ target, type }) {
  const element = /** @type {Element} */ (target);
  const used = /** @type {HTMLElement | null | undefined} */ (element.closest?.('[data-shoreline-feature]'));
  if (used && type === 'click') {
    /** @type {Record<string, string | undefined>} */
    const data = {};
    for (const name in used.dataset) if (/^shoreline./.test(name)) data[name[9].toLowerCase() + name.slice(10)] = used.dataset[name];
    if (data.feature) record('feature_use', data);
  }
  const link = /** @type {HTMLAnchorElement | null | undefined} */ (element.closest?.('a[href]'));
  if (!link || !/^http/.test(link.protocol)) return;
  const { href: url, host, pathname } = link;
  if (isOn('downloads') && (link.hasAttribute('download') || DOWNLOAD.test(pathname))) record('download', { url });
  else if (isOn('outbound') && host !== location.host) record('outbound', { url });
}

/** That a form was sent, and which: never what was written into it. @param {Event} event */
export function submitted({ target }) {
  const form = /** @type {Element} */ (target);
  if (isOn('forms')) record('form', { name: form.getAttribute('name') || form.id, id: form.id, url: location.href });
}

/** @param {any} error */
export const told = (error) => ({ message: String(error?.message ?? error), stack: error?.stack && String(error.stack).slice(0, STACK_CHARS) });

const seen = new Set();

/**
 * @param {any} error
 * @param {string} source
 */
function failed(error, source) {
  const data = { source, ...told(error) };
  const key = data.message + source;
  if (seen.has(key) || seen.size >= ERRORS) return;
  seen.add(key);
  record('error', data);
}

/** @param {ErrorEvent} event */
export const threw = ({ error, message, filename, lineno, colno }) => isOn('errors') && failed(error ?? message, `${filename}:${lineno}:${colno}`);

/** @param {PromiseRejectionEvent} event */
export const rejected = ({ reason }) => isOn('errors') && failed(reason, 'promise');

/** @type {Record<string, number>} */
const vitals = {};
let areTold = false;

/** The address that was loaded: what was measured is its, wherever the visitor went since. */
let loaded = '';

/**
 * How long interactions took that were not instant, ms, by id: the longest of an interaction's events.
 * @type {Record<string, number>}
 */
const interactions = {};

/** One in so many interactions may be slow by chance: INP leaves out as many of the longest. */
const INTERACTIONS_FOR_AN_OUTLIER = 50;

/**
 * @param {string} type
 * @param {(entry: any) => void} each
 */
function observe(type, each) {
  try {
    const options = { type, buffered: true, durationThreshold: 16 };
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe(options);
  } catch {
    // Not in this browser.
  }
}

/** Watches how fast the page is. */
export function watchVitals() {
  if (!isOn('vitals')) return;
  loaded = location.href;
  observe('navigation', (entry) => (vitals.TTFB = entry.responseStart));
  observe('paint', ({ name, startTime }) => name === 'first-contentful-paint' && ((vitals.FCP = startTime), (vitals.CLS ??= 0)));
  observe('largest-contentful-paint', (entry) => (vitals.LCP = entry.startTime));
  observe('event', ({ interactionId: id, duration }) => id && (interactions[id] = Math.max(interactions[id] || 0, duration)));
  // Shifts less than a second apart are one, of five seconds at most; the largest counts.
  let [sum, first, last] = [0, 0, 0];
  observe('layout-shift', ({ hadRecentInput, startTime, value }) => {
    if (hadRecentInput) return;
    if (startTime - last > 1000 || startTime - first > 5000) [sum, first] = [0, startTime];
    last = startTime;
    vitals.CLS = Math.max(vitals.CLS || 0, (sum += value));
  });
}

/** The page is hidden, and may never be seen again: what is known is told, once. */
export function tellVitals() {
  if (areTold) return;
  areTold = true;
  const longest = Object.values(interactions).sort((a, b) => b - a);
  const outliers = (performance.interactionCount || longest.length) / INTERACTIONS_FOR_AN_OUTLIER;
  if (longest[0]) vitals.INP = longest[Math.min(longest.length - 1, Math.floor(outliers))];
  for (const name in vitals) record('web_vital', { name, value: Math.round(vitals[name] * 1000) / 1000, url: loaded });
}
