// One request, and what is known of it afterwards.
import { eventsUrl } from './options.js';

/** How long an answer may take, ms. Without an end, one lost answer would hold up all that follows. */
const ANSWER_MS = 30_000;

/** Statuses of a batch without an answer, as the core knows them. */
const NO_ANSWER = 0;
const HANDED_OVER = 1;
export const TAKEN_OVER = 2;

/** `Retry-After` is a number of seconds or a date. @param {string} wait */
const waitMs = (wait) => (isNaN(wait) ? Date.parse(wait) - Date.now() : wait * 1000);

/**
 * A text body and no headers of our own: the browser sends it as text/plain, without a preflight.
 * `keepalive` lets it finish when the page is left.
 * @param {string} body
 * @param {boolean} [leaving]
 * @returns {Promise<[status: number, waitMs?: number, answer?: any]>} the wait is negative where none is asked for
 */
export async function send(body, leaving) {
  try {
    if (leaving && !('keepalive' in Request.prototype))
      return [navigator.sendBeacon(eventsUrl(), body) ? HANDED_OVER : NO_ANSWER];
    const answer = await fetch(eventsUrl(), {
      method: 'POST',
      body,
      keepalive: true,
      credentials: 'omit',
      signal: AbortSignal.timeout?.(ANSWER_MS),
    });
    const wait = answer.headers.get('Retry-After');
    return [answer.status, wait ? waitMs(wait) : -1, await answer.json().catch(() => null)];
  } catch {
    return [NO_ANSWER];
  }
}

/** Settled when all that is under way is answered for. @type {Promise<any>} */
export let underWay = Promise.resolve();

/** @param {Promise<any>} more */
export const alsoUnderWay = (more) => void (underWay = Promise.all([underWay, more]));
