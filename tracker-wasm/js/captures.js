// What is recorded by itself. All but features only if the page asks for it.
import { record } from './events.js';
import { own } from './named.js';
import { isOn } from './options.js';

const DOWNLOAD = /\.(7z|apk|csv|dmg|docx?|epub|exe|gz|iso|mp[34]|msi|pdf|pkg|pptx?|rar|tar|txt|wav|xlsx?|zip)$/i;

/** Errors recorded on one page at most: one that fails on every frame must not be all that is known. */
const ERRORS = 10;

/** @param {MouseEvent} event */
export function clicked(event) {
  // Into open shadow roots, which `target` hides, and out of the slots there.
  const path = event.composedPath();
  /** @param {string} css @returns {any} */
  const nearest = (css) => path.find((one) => one instanceof Element && own('matches', one).call(one, css));
  const used = nearest('[data-shoreline-feature]');
  if (used && event.type === 'click') {
    /** @type {Record<string, string | undefined>} */
    const data = {};
    const marks = own('dataset', used);
    for (const name in marks) if (/^shoreline./.test(name)) data[name[9].toLowerCase() + name.slice(10)] = marks[name];
    if (data.feature) record('feature_use', data);
  }
  const link = nearest(':any-link');
  if (!link) return;
  // A link in SVG says what is written, and no more.
  const { href: url, host, pathname } = link.protocol ? link : new URL(link.href.baseVal, own('baseURI'));
  if (!/^http/.test(url)) return;
  if (isOn('downloads') && (link.hasAttribute('download') || DOWNLOAD.test(pathname))) record('download', { url });
  else if (isOn('outbound') && host !== location.host) record('outbound', { url });
}

/** That a form was sent, and which: never what was written into it. @param {Event} event */
export function submitted({ target }) {
  const form = /** @type {Element} */ (target);
  const id = own('id', form);
  if (isOn('forms')) record('form', { name: own('name', form) || id, id, url: location.href });
}

/** @param {any} error */
export const told = (error) => ({
  message: String(error?.message ?? error),
  stack: error?.stack && String(error.stack),
});

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
export const threw = ({ error, message, filename, lineno, colno }) =>
  isOn('errors') && failed(error ?? message, `${filename}:${lineno}:${colno}`);

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
  observe(
    'paint',
    ({ name, startTime }) => name === 'first-contentful-paint' && ((vitals.FCP = startTime), (vitals.CLS ??= 0)),
  );
  observe('largest-contentful-paint', (entry) => (vitals.LCP = entry.startTime));
  observe(
    'event',
    ({ interactionId: id, duration }) => id && (interactions[id] = Math.max(interactions[id] || 0, duration)),
  );
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
  for (const name in vitals) record('web_vital', { name, value: +vitals[name].toFixed(3), url: loaded });
}
