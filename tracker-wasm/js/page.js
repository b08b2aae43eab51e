// What the core asks of the page (src/shell/browser.rs). Nothing here calls back into the core, or
// into the page's own code, before it returns.
import { ask, SETTLE, WAKE } from './core.js';
import { isHeard, report } from './reports.js';
import { eventsUrl } from './script.js';

/** How long an answer may take, ms. Without an end, one lost answer would hold up all that follows. */
const ANSWER_MS = 30_000;

/** Fates as the core numbers them; a batch that was split is not reported, its halves will be. */
const FATES = ['', 'sent', 'rejected', 'retry'];

/** Statuses of a batch without an answer, as the core knows them. */
const NO_ANSWER = 0;
const HANDED_OVER = 1;

/** @param {Uint8Array} bytes */
export const random = (bytes) => void crypto.getRandomValues(bytes);

/** What this browser keeps under the key; nothing where the page may not look. @param {string} key */
export function kept(key) {
  try {
    return localStorage.getItem(key) || '';
  } catch {
    return '';
  }
}

/**
 * @param {string} key
 * @param {string} text
 */
export function save(key, text) {
  try {
    localStorage.setItem(key, text);
  } catch {
    // Blocked or full; the core remembers it for as long as the page is open.
  }
}

let timer = 0;

/** @param {number} ms */
export function wakeIn(ms) {
  clearTimeout(timer);
  timer = setTimeout(() => ask(WAKE), ms);
}

/** @param {string} event */
export function made(event) {
  if (isHeard('event')) report('event', JSON.parse(event));
}

/**
 * @param {number} events
 * @param {string} reason
 */
export const dropped = (events, reason) => report('dropped', { events, reason });

/** Settled when all batches that are under way are answered for. */
export let underWay = Promise.resolve();

/**
 * @param {string} batchId
 * @param {string} body
 * @param {number} events
 * @param {boolean} leaving
 */
export function post(batchId, body, events, leaving) {
  const answered = Promise.resolve()
    .then(() => send(body, leaving))
    .catch(() => [NO_ANSWER])
    .then(([status, waitMs = '', answer = null]) => {
      const fate = FATES[ask(SETTLE, status, waitMs, batchId)];
      if (fate) report(fate, { batchId, events, status, answer });
    });
  underWay = Promise.all([underWay, answered]);
}

/**
 * A text body and no headers of our own: the browser sends it as text/plain, without a preflight.
 * `keepalive` lets it finish when the page is left.
 * @param {string} body
 * @param {boolean} leaving
 */
async function send(body, leaving) {
  if (leaving && !('keepalive' in Request.prototype)) {
    return [navigator.sendBeacon(eventsUrl, body) ? HANDED_OVER : NO_ANSWER];
  }
  const signal = AbortSignal.timeout?.(ANSWER_MS);
  const answer = await fetch(eventsUrl, { method: 'POST', body, keepalive: true, credentials: 'omit', signal });
  const wait = answer.headers.get('Retry-After');
  return [answer.status, wait && waitMs(wait), await answer.json().catch(() => null)];
}

/** `Retry-After` is a number of seconds or a date. @param {string} wait */
const waitMs = (wait) => (isNaN(wait) ? Date.parse(wait) - Date.now() : wait * 1000);
