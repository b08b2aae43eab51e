// `npm run demo:traffic`: made-up traffic for a running system, so that there is something to look at.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure, isStopping, main, say, seconds } from '../dev/base/process.mjs';
import { devDir } from '../dev/base/project.mjs';
import { DAY_MS, linesOf } from './history.mjs';
import { batches } from './live.mjs';
import { USAGE, readOptions } from './options.mjs';
import { progress } from './progress.mjs';
import { ask } from './send.mjs';

/** A part of an import at most, characters: well under the 64 MiB that one may have. */
const PART_CHARS = 8_000_000;

/** Requests under way at once. */
const AT_ONCE = 16;

/** How often the import is asked how far it is, milliseconds. */
const LOOK_MS = 500;

/** @typedef {{ url: string, browserKey: string, sourceKey: string, readToken: string }} Keys */
/**
 * What became of the events: the names are those of the answers.
 * @typedef {{ sent: number, accepted: number, duplicate: number, rejected: number, skipped: number }} Sum
 */

/** @returns {Sum} */
const nothing = () => ({ sent: 0, accepted: 0, duplicate: 0, rejected: 0, skipped: 0 });

/** @param {string | undefined} path @returns {Keys} */
function readKeys(path) {
  const file = path ?? process.env.SHORELINE_KEYS ?? join(devDir, 'keys.json');
  if (!existsSync(file)) throw new Failure(`${file} is not there: npm start writes it while the system runs`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/**
 * The days before now, by one import.
 * @param {Keys} keys
 * @param {ReturnType<typeof readOptions>} options
 * @param {number} now
 */
async function fill({ url, sourceKey }, { seed, days, perDay }, now) {
  const authorization = `Bearer ${sourceKey}`;
  const today = Math.floor(now / DAY_MS);
  const bar = progress('history');
  const { importId } = await ask(`${url}/v1/imports`, { method: 'POST', headers: { authorization }, body: '{}' });
  let [part, lines] = [0, 0];
  /** @type {string[]} */
  let waiting = [];
  const put = async () => {
    if (waiting.length === 0) return;
    await ask(`${url}/v1/imports/${importId}/parts/${(part += 1)}`, {
      method: 'PUT',
      headers: { authorization },
      body: `${waiting.join('\n')}\n`,
    });
    lines += waiting.length;
    waiting = [];
  };
  let chars = 0;
  for (let day = today - days + 1; day <= today && !isStopping(); day += 1) {
    for (const line of linesOf(seed, day, { perDay, today, until: now })) {
      chars += line.length + 1;
      if (chars > PART_CHARS) {
        await put();
        chars = line.length + 1;
      }
      waiting.push(line);
    }
    // Half of the bar is making and sending, half is waiting until all of it is stored.
    bar.show(
      (0.5 * (day - today + days)) / days,
      `${(lines + waiting.length).toLocaleString('en')} events of ${day - today + days} days`,
    );
  }
  await put();
  let state = await ask(`${url}/v1/imports/${importId}/complete`, { method: 'POST', headers: { authorization } });
  while (state.status !== 'finished' && state.status !== 'failed' && !isStopping()) {
    const read = state.received / Math.max(lines, 1);
    // Read is not stored yet: the bar is full when the import is finished.
    bar.show(
      Math.min(0.5 + 0.5 * read, 0.99),
      read < 1
        ? `${state.received.toLocaleString('en')} of ${lines.toLocaleString('en')} read`
        : 'all read, being stored',
    );
    await delay(LOOK_MS);
    state = await ask(`${url}/v1/imports/${importId}`, { headers: { authorization } });
  }
  bar.show(1, `${state.received.toLocaleString('en')} events`);
  bar.end();
  if (state.status === 'failed') throw new Failure(`the import ${importId} lost ${state.failed} parts`);
  return {
    sent: lines,
    accepted: state.processed,
    duplicate: state.duplicate,
    rejected: state.rejected,
    skipped: state.skipped,
  };
}

/**
 * Traffic of this moment, at a rate.
 * @param {Keys} keys
 * @param {ReturnType<typeof readOptions>} options
 * @param {number} now
 */
async function live(keys, { seed, rate, events, seconds }, now) {
  const sum = nothing();
  const bar = progress('live');
  const [begun, under] = [performance.now(), new Set()];
  const whole = Math.min(events, rate * seconds);
  /** @type {unknown} */
  let failed;
  let waits = '';
  for (const batch of batches(seed, Math.floor(now / DAY_MS))) {
    const acts = batch.acts.slice(0, whole - sum.sent);
    const late = performance.now() - begun - (sum.sent / rate) * 1_000;
    if (late < 0) await delay(-late);
    if (acts.length === 0 || isStopping() || failed) break;
    sum.sent += acts.length;
    const task = post(keys, { ...batch, acts }, (wait) => (waits = `, waiting ${wait} s as asked`)).then((answer) => {
      waits = '';
      for (const name of /** @type {const} */ (['accepted', 'duplicate', 'rejected', 'skipped']))
        sum[name] += answer[name];
    });
    under.add(task);
    task.catch((error) => (failed ??= error)).finally(() => under.delete(task));
    if (under.size >= AT_ONCE) await Promise.race(under).catch(() => {});
    bar.show(
      sum.sent / whole,
      `${sum.sent.toLocaleString('en')} of ${whole.toLocaleString('en')} events, ` +
        `${Math.round((sum.sent * 1_000) / Math.max(performance.now() - begun, 1))}/s${waits}`,
    );
  }
  await Promise.allSettled(under);
  bar.end();
  if (failed) throw failed;
  return sum;
}

/**
 * One batch, as a page sends it or a service.
 * @param {Keys} keys
 * @param {import('./live.mjs').Batch} batch
 * @param {(seconds: number) => void} onWait
 */
function post({ url, browserKey, sourceKey }, { batchId, visitor, source, acts }, onWait) {
  const now = Date.now();
  const events = acts.map(({ after: _, source: own, ...event }, index) => ({
    ...event,
    ...(own ? { source: own } : { metadata: { platform: 'web' } }),
    timestamp: now - (acts.length - 1 - index) * 200,
  }));
  if (source) {
    const headers = {
      authorization: `Bearer ${sourceKey}`,
      'content-type': 'application/json',
      'idempotency-key': batchId,
    };
    return ask(`${url}/v1/ingest`, { method: 'POST', headers, body: JSON.stringify(events) }, onWait);
  }
  const headers = { origin: new URL(url).origin, 'user-agent': visitor.agent, 'content-type': 'text/plain' };
  return ask(
    `${url}/v1/events?key=${browserKey}`,
    { method: 'POST', headers, body: JSON.stringify({ batchId, events }) },
    onWait,
  );
}

/** @param {string} what @param {Sum} sum */
const told = (what, { sent, accepted, duplicate, rejected, skipped }) =>
  `  ${what.padEnd(8)} ${sent} sent: ${accepted} accepted, ${duplicate} ` +
  `duplicates${rejected + skipped > 0 ? `, ${rejected} rejected, ${skipped} skipped` : ''}`;

main(async () => {
  if (process.argv.includes('--help')) return console.log(USAGE);
  const options = readOptions(process.argv.slice(2));
  const keys = readKeys(options.keys);
  const now = Date.now();
  const start = now;
  say(`traffic for ${keys.url}, seed ${options.seed}`);
  const lines = [];
  if (options.days > 0) lines.push(told('history', await fill(keys, options, now)));
  if (Math.min(options.events, options.seconds) > 0 && !isStopping())
    lines.push(told('live', await live(keys, options, now)));
  console.log(
    `\n${lines.join('\n')}\n  in ${seconds(start)}; again the same: npm run demo:traffic -- --seed ${options.seed}\n`,
  );
});
