// `npm run bench -- lake`: how the lake keeps up with the collector, and what an event costs there.
import { setTimeout as delay } from 'node:timers/promises';
import { withWorker } from './system.mjs';
import { Failure, outputOf } from '../base/process.mjs';

const LOOK_AGAIN_MS = 100;

/** @param {string} seconds how long the load lasts @param {string} origin of the pages */
export const benchLake = (seconds, origin) =>
  withWorker((system) => measureLake(system, seconds, origin), { LAKE_SEAL_SECONDS: '60' });

/**
 * From the 202 to the object: how long it takes until all is there, and what the objects are, at the default seal rule.
 * @param {import('./system.mjs').System} system
 * @param {string} seconds how long the load lasts
 * @param {string} origin of the pages
 */
async function measureLake({ url, secrets: { browserKey, readToken }, miniflare }, seconds, origin) {
  const start = Date.now();
  const load = outputOf('target/release/load', [url, browserKey, origin, 'lake', seconds]);
  const [taken, lasted] = ((await load) ?? '').split(' ').map(Number);
  if (!(taken > 0)) throw new Failure('the load was refused');
  /** How far the lake is. */
  async function backlog() {
    const answer = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${readToken}` } });
    const {
      backlog: { lake, outbox },
    } = /** @type {any} */ (await answer.json());
    return { landed: lake.landedEvents, pending: lake.pendingEvents, waiting: outbox.parts };
  }
  const atEnd = await backlog();
  let forwarded;
  for (let now = atEnd; now.landed < taken; now = await backlog()) {
    if (now.waiting === 0) forwarded ??= Date.now();
    await delay(LOOK_AGAIN_MS);
  }
  const landed = Date.now();
  // Those of Shoreline's own calls lie beside the site's.
  const objects = (await everyObject(await miniflare.getR2Bucket('LAKE'))).filter(({ key }) => key.includes('/demo-'));
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  const events = objects.reduce((sum, object) => sum + eventsOf(object), 0);
  if (events !== taken) throw new Failure(`${taken} events were taken, ${events} are in the lake`);
  // The last object waits for its age; the others, sealed for their size, are much alike.
  const full = objects.filter((object) => eventsOf(object) > events / objects.length / 2);
  const inFull = full.reduce((sum, object) => sum + eventsOf(object), 0);
  const lastFull = Math.max(...full.map(({ uploaded }) => Number(uploaded)));
  const passed = (/** @type {number} */ moment) => (moment - start) / 1000;
  const rate = (/** @type {number} */ n, /** @type {number} */ s) => `${Math.round(n / s)}`;
  const rows = [
    ['taken (202)', taken, lasted],
    ["in the lake's shard when the last 202 was given", atEnd.landed + atEnd.pending, lasted],
    ["all in the lake's shard", taken, passed(forwarded ?? landed)],
    ['in objects sealed by their size', inFull, passed(lastFull)],
    ['all in objects, the last one sealed by its age (60 s)', taken, passed(landed)],
  ];
  console.log('| | events | after s | events/s |\n|---|--:|--:|--:|');
  for (const [what, n, s] of rows)
    console.log(`| ${what} | ${n} | ${Number(s).toFixed(1)} | ${rate(Number(n), Number(s))} |`);
  // Locally one thread has both; the platform gives the consumer isolates of its own.
  const left = taken - atEnd.landed - atEnd.pending;
  const alone = left / (passed(forwarded ?? landed) - lasted);
  console.log(
    `\nforwarded with the collector at rest: ${Math.round(alone)} events/s, ` +
      `${(alone / (taken / lasted)).toFixed(2)} of the rate at which it took them`,
  );
  console.log(
    `\n${objects.length} objects, ${(bytes / events).toFixed(1)} bytes an event, ` +
      `${Math.round((objects.length / events) * 1e6)} puts a million events; ` +
      `${Math.round((full.length / inFull) * 1e6)} where objects are sealed by their size`,
  );
}

/** @typedef {{ key: string, size: number, uploaded: Date, customMetadata?: Record<string, string> }} LakeObject */

/** @param {LakeObject} object */
const eventsOf = ({ customMetadata }) => Number(customMetadata?.events);

/** @param {any} bucket @returns {Promise<LakeObject[]>} */
async function everyObject(bucket) {
  /** @type {LakeObject[]} */
  const objects = [];
  /** @type {string | undefined} */
  let cursor;
  do {
    const page = await bucket.list({ prefix: 'events/', cursor, include: ['customMetadata'] });
    objects.push(...page.objects);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return objects;
}
