// Requests to a running system, tried again where it says so.
import { setTimeout as delay } from 'node:timers/promises';
import { fetchText } from '../dev/base/fetch.mjs';
import { Failure, isStopping } from '../dev/base/process.mjs';

/** How often a request is tried that gets no answer, or one that asks for patience. */
const TRIES = 8;

/** How long one may take, milliseconds. */
const TIMEOUT_MS = 30_000;

/** The longest wait that a `Retry-After` is taken at its word for, seconds: an hourly quota's is longer. */
const PATIENCE_S = 120;

/**
 * What to wait before the next try, milliseconds; undefined: there is none. Pure.
 * @param {number} tried how often it was tried, from 1
 * @param {{ status: number, retryAfter?: string | null }} [answer] none: the connection failed
 */
export function waitBefore(tried, answer) {
  if (tried >= TRIES || (answer && answer.status !== 429 && answer.status !== 503)) return undefined;
  const asked = Number(answer?.retryAfter ?? Number.NaN);
  if (Number.isFinite(asked)) return asked > PATIENCE_S ? undefined : Math.max(asked, 0) * 1_000;
  return Math.min(250 * 2 ** tried, 10_000);
}

/**
 * Sends a request until it is answered for good. The same body every time: what was taken before an answer
 * was lost is known by its ids.
 * @param {string} url
 * @param {RequestInit} request
 * @param {(seconds: number) => void} onWait
 * @returns {Promise<any>} the JSON of a 2xx
 */
export async function ask(url, request, onWait = () => {}) {
  for (let tried = 1; ; tried += 1) {
    const answer = await once(url, request);
    if (answer && answer.status >= 200 && answer.status < 300) return JSON.parse(answer.text || 'null');
    const wait = isStopping() ? undefined : waitBefore(tried, answer);
    if (wait === undefined)
      throw new Failure(
        `${new URL(url).pathname}: ` +
          (answer ? `${answer.status} ${answer.text.slice(0, 300)}` : 'no answer; does the system run (npm start)?'),
      );
    onWait(Math.ceil(wait / 1_000));
    await delay(wait);
  }
}

/** @param {string} url @param {RequestInit} request */
async function once(url, request) {
  try {
    const { status, headers, text } = await fetchText(url, TIMEOUT_MS, request);
    return { status, retryAfter: headers.get('retry-after'), text };
  } catch {
    return undefined;
  }
}
