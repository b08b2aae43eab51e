// `npm run bench -- sites`: what quiet sites feel of a hot one. Three quiet sites send a batch every 100 ms each, first
// alone, then while a hot site sends at a given rate: open loop, so that what is slow is not sent more slowly. The
// whole platform is one process here, which no deployment is: sites share its processor as well.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { withWorker } from './system.mjs';
import { Failure } from '../base/process.mjs';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 10);
const QUIET_SITES = 3;
const QUIET_EVERY_MS = 100;
/** Batches a second of the hot site; a page in ten thousand of a large site sends one. */
const RATES = [0, 50, 100, 200, 400];
const EVENTS = 10;

/** @typedef {{ key: string, origin: string }} Sender */

/** @param {string} origin of the demo's pages */
export const benchSites = (origin) =>
  withWorker(async ({ url, secrets }) => {
    const admin = async (/** @type {string} */ path, /** @type {object} */ body) => {
      const headers = { authorization: `Bearer ${secrets.adminToken}` };
      const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Failure(`${path}: ${answer.status} ${await answer.text()}`);
      return /** @type {any} */ (await answer.json());
    };
    /** @type {Sender[]} */
    const quiet = [];
    for (let n = 0; n < QUIET_SITES; n++) {
      const of = `https://quiet-${n}.example`;
      await admin('/v1/sites', { siteId: `quiet-${n}`, origins: [of], domain: `quiet-${n}.example` });
      quiet.push({ key: (await admin(`/v1/sites/quiet-${n}/keys`, { kind: 'browser' })).key, origin: of });
    }
    const hot = { key: secrets.browserKey, origin };
    console.log('| hot site, batches/s | its p99 ms | refused | quiet sites, batches | p50 ms | p99 ms |');
    console.log('|--:|--:|--:|--:|--:|--:|');
    for (const rate of RATES) {
      const ends = Date.now() + SECONDS * 1_000;
      const [ofHot, ...ofQuiet] = await Promise.all([
        rate === 0 ? { took: [], refused: 0 } : sendAt(url, hot, 1_000 / rate, ends),
        ...quiet.map((sender) => sendAt(url, sender, QUIET_EVERY_MS, ends)),
      ]);
      const all = ofQuiet.flatMap(({ took }) => took);
      if (ofQuiet.some(({ refused }) => refused > 0)) throw new Failure('a quiet site was refused');
      console.log(
        `| ${rate} | ${at(ofHot.took, 0.99)} | ${ofHot.refused} | ${all.length} | ${at(all, 0.5)} | ${at(all, 0.99)} |`,
      );
      await delay(2_000);
    }
  });

/** A quantile. @param {number[]} took @param {number} part */
function at(took, part) {
  const sorted = took.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * part)]?.toFixed(1) ?? '';
}

/**
 * Sends a batch at each beat, whether the one before is answered or not.
 * @param {string} url @param {Sender} sender @param {number} everyMs @param {number} ends
 */
async function sendAt(url, { key, origin }, everyMs, ends) {
  /** @type {number[]} */
  const took = [];
  let refused = 0;
  const one = async () => {
    const begun = performance.now();
    const headers = { origin, 'user-agent': 'Mozilla/5.0 (bench)', 'content-type': 'text/plain' };
    const answer = await fetch(`${url}/v1/events?key=${key}`, { method: 'POST', headers, body: batch() });
    await answer.arrayBuffer();
    if (answer.status === 429 || answer.status === 503) refused += 1;
    else if (answer.status !== 202) throw new Failure(`events were answered ${answer.status}`);
    took.push(performance.now() - begun);
  };
  /** @type {Promise<void>[]} */
  const all = [];
  for (let next = Date.now(); next < ends; next += everyMs) {
    await delay(Math.max(0, next - Date.now()));
    all.push(one());
  }
  await Promise.all(all);
  return { took, refused };
}

function batch() {
  const events = Array.from({ length: EVENTS }, (_, n) => ({
    eventId: randomUUID(),
    eventType: 'page_view',
    userId: `u${n}`,
    sessionId: 's',
    eventData: { url: `https://shop.example/${n}` },
    metadata: { platform: 'web' },
  }));
  return JSON.stringify({ batchId: randomUUID(), events });
}
