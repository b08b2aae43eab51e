// What Shoreline's own events and lines in the log cost a batch: CPU time of workerd, which says the same however busy
// the machine is.
import { randomUUID } from 'node:crypto';
import { cpuSeconds } from '../../../tests/bench/proc.mjs';
import { withWorker } from './system.mjs';

/** Batches of a run. */
const BATCHES = 5_000;

/** The warm-up before it: by then events have been committed and stored for the first time. */
const WARM_UP_BATCHES = 200;
const WARM_UP_MS = 8_000;

/** Batches under way at once. */
const AT_ONCE = 8;

/** Runs of each, in turns. */
const ROUNDS = 3;

const SETTINGS = {
  neither: { OPERATION_EVENTS: 'off', REQUEST_LOGS: 'errors' },
  'events (default)': { OPERATION_EVENTS: 'on', REQUEST_LOGS: 'errors' },
  'events and lines of all': { OPERATION_EVENTS: 'on', REQUEST_LOGS: 'all' },
};

/** @param {string} origin */
export async function benchWatch(origin) {
  /** @type {Record<string, number[]>} */
  const found = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, settings] of Object.entries(SETTINGS)) {
      await withWorker(async ({ url, pid, secrets }) => {
        const target = `${url}/v1/events?key=${secrets.browserKey}&dryRun=1`;
        const end = Date.now() + WARM_UP_MS;
        while (Date.now() < end) await send(target, origin, WARM_UP_BATCHES);
        const before = cpuSeconds(pid);
        await send(target, origin, BATCHES);
        (found[name] ??= []).push(((cpuSeconds(pid) - before) / BATCHES) * 1e6);
      }, settings);
    }
  }
  console.log('| validate + sanitize, 25 events, with | CPU µs a batch, each run |\n|---|---|');
  for (const [name, runs] of Object.entries(found))
    console.log(`| ${name} | ${runs.map((run) => run.toFixed(0)).join(', ')} |`);
}

/**
 * @param {string} target
 * @param {string} origin
 * @param {number} batches
 */
async function send(target, origin, batches) {
  let left = batches;
  const work = async () => {
    while (left-- > 0) {
      const headers = { origin, 'content-type': 'text/plain', 'user-agent': 'Mozilla/5.0 (load)' };
      const answer = await fetch(target, { method: 'POST', headers, body: batch() });
      if (answer.status !== 200) throw new Error(`the load was refused: ${answer.status}`);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function batch() {
  const [userId, sessionId] = [randomUUID(), randomUUID()];
  const events = Array.from({ length: 25 }, (_, n) => ({
    eventId: randomUUID(),
    eventType: n % 3 ? 'page_view' : 'feature_use',
    userId,
    sessionId,
    eventData: {
      feature: 'export',
      url: `https://shop.example/catalog/${n % 7}?utm_source=news`,
      title: 'Catalog of the shop',
      referrer: 'https://search.example/',
    },
    metadata: { platform: 'web' },
  }));
  return JSON.stringify({ batchId: randomUUID(), events });
}
