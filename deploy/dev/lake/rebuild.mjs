// D1 from the lake: the worker does it in steps, one call each; this makes the calls.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../base/process.mjs';
import { devDir } from '../base/project.mjs';

/** How long nothing may land while events are still on their way to the lake. */
const STUCK_MS = 10 * 60_000;

const LOOK_AGAIN_MS = 1000;

/** How often a call is sent again that got no answer, or 503: a step that comes twice changes nothing. */
const TRIES = 5;

/** @typedef {{ key: string, lines?: number }} Cursor */
/** @typedef {{ waiting: number, object?: string, events: number, cursor: Cursor | null }} Step */

/** Where the system is, and its admin token. @param {string | undefined} url */
function target(url) {
  const token = process.env.SHORELINE_ADMIN_TOKEN;
  if (url && token) return { url: url.replace(/\/+$/, ''), token };
  if (url) throw new Failure('with --url, the admin token must be in SHORELINE_ADMIN_TOKEN');
  const file = process.env.SHORELINE_KEYS ? resolve(process.env.SHORELINE_KEYS) : join(devDir, 'keys.json');
  if (!existsSync(file)) throw new Failure('the local system does not run; npm start starts it, --url names another');
  const keys = JSON.parse(readFileSync(file, 'utf8'));
  return { url: keys.url, token: keys.adminToken };
}

/**
 * One call.
 * @param {{ url: string, token: string }} where
 * @param {object} body
 * @returns {Promise<Step>}
 */
async function call({ url, token }, body) {
  for (let tries = 1; ; tries += 1) {
    const request = { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(body) };
    const answer = await fetch(`${url}/v1/rebuild`, request).catch(
      (error) => `no answer: ${error.cause?.message ?? error.message}`,
    );
    if (typeof answer !== 'string' && answer.ok) return /** @type {Promise<Step>} */ (answer.json());
    const said = typeof answer === 'string' ? answer : `${answer.status} ${(await answer.text()).slice(0, 300)}`;
    const passing = typeof answer === 'string' || answer.status === 503;
    if (!passing || tries === TRIES) throw new Failure(`${url}/v1/rebuild: ${said}`);
    await delay(LOOK_AGAIN_MS * tries);
  }
}

/**
 * Rebuilds, and says what it did. Stopped or failed, it may be run again.
 * @param {{ from: string, to: string, url?: string, after?: string }} options
 */
export async function rebuild({ from, to, url, after }) {
  const where = target(url);
  /** @type {Cursor | null} */
  let cursor = after ? { key: after } : null;
  const total = { objects: 0, events: 0 };
  let waiting = 0;
  let since = Date.now();
  for (;;) {
    const step = await call(where, { startDate: from, endDate: to, ...(cursor && { cursor }) });
    if (step.waiting > 0) {
      if (step.waiting !== waiting) {
        console.log(`${step.waiting} events of these days are on their way to the lake`);
        waiting = step.waiting;
        since = Date.now();
      }
      if (Date.now() - since > STUCK_MS)
        throw new Failure(`${waiting} events do not land; /health tells why. Nothing was read`);
      await delay(LOOK_AGAIN_MS);
      continue;
    }
    total.events += step.events;
    cursor = step.cursor;
    if (!cursor) break;
    if (cursor.lines === undefined) {
      total.objects += 1;
      console.log(cursor.key);
    }
  }
  console.log(`${total.events} events of ${total.objects} objects were told to D1`);
}
