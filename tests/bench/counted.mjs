// Operations that cost money, counted in runs that are not timed: rows written, requests of objects, operations of the
// queue.
import { Failure, say } from '../../deploy/dev/base/process.mjs';
import { dollars } from './prices.mjs';
import { cpuSeconds } from './proc.mjs';
import { send } from './run.mjs';
import { OURS, settle, startSystems, stopAll } from './systems.mjs';

/** @typedef {import('./counted/counters.mjs').Counts} Counts */
/**
 * @typedef {{ name: string, events: number, pace: string, batches: number, counts: Counts, use:
 *   import('./prices.mjs').Use }} Counted
 */

/**
 * Runs: a site that is busy, and one that is quiet, where nothing shares a message or a transaction with anything.
 * Batches, events in each, batches a second.
 */
const RUNS = [
  { pace: 'busy', events: 1, batches: 800, rate: 40 },
  { pace: 'busy', events: 5, batches: 800, rate: 40 },
  { pace: 'busy', events: 25, batches: 800, rate: 40 },
  { pace: 'quiet', events: 5, batches: 30, rate: 0.5 },
];

/** Batches before: tables, and what the first batch of all makes. */
const WARM_UP_BATCHES = 20;

/**
 * Connections: as many as a pace may need on a machine with other work, and one that never rests for the seconds after
 * which workerd closes it.
 */
const connectionsFor = (/** @type {number} */ rate) => (rate < 1 ? 1 : 16);

/** For the whole of a run, however busy the machine is. */
const MAX_SECONDS = 600;

/**
 * All three at once: nothing here is timed.
 * @param {{ quick?: boolean }} [options] quick: only batches of 25
 * @returns {Promise<Counted[]>}
 */
export async function counted({ quick = false } = {}) {
  const found = [];
  for (const run of quick ? RUNS.filter(({ events }) => events === 25) : RUNS) {
    const systems = await startSystems({ counted: true });
    try {
      found.push(...(await Promise.all(systems.map((system) => count(system, run)))));
    } finally {
      await stopAll(systems);
    }
    say(`counted ${run.batches} batches of ${run.events}, ${run.pace}`);
  }
  return found;
}

/**
 * @param {import('./systems.mjs').System} system
 * @param {typeof RUNS[number]} plan
 * @returns {Promise<Counted>}
 */
async function count(system, { pace, events, batches, rate }) {
  const at = { connections: connectionsFor(rate), seconds: MAX_SECONDS, events };
  await send(system, 'full', { ...at, pace: { batches: WARM_UP_BATCHES, rate } });
  await settle(system);
  await told(system, '?reset');
  const before = cpuSeconds(system.pid);
  const { batches: sent } = await send(system, 'full', { ...at, pace: { batches, rate } });
  await settle(system);
  const cpuMs = (cpuSeconds(system.pid) - before) * 1000;
  if (sent !== batches) throw new Failure(`${system.name} took ${sent} of ${batches} batches`);
  const counts = await told(system, '');
  control(system.name, counts, batches, events);
  return { name: system.name, events, pace, batches, counts, use: useOf(counts, cpuMs, batches * events) };
}

/** @param {import('./systems.mjs').System} system @param {string} query @returns {Promise<Counts>} */
const told = async ({ url }, query) => /** @type {any} */ (await (await fetch(`${url}/counted${query}`)).json());

/**
 * Counters that count nothing would praise what is measured, so what is known beforehand must be found: the TypeScript
 * worker writes three rows of D1 an event (the row, its key, its place in the index), the twin one id an event, and
 * each a batch id.
 * @param {string} name @param {Counts} counts @param {number} batches @param {number} events
 */
function control(name, { d1, objects, requests }, batches, events) {
  const all = batches * events;
  const wrong =
    (requests < batches && 'requests') ||
    (name === 'TypeScript' && d1.rowsWritten !== 3 * all && 'rows of D1') ||
    (name === 'TypeScript' && objects.Counts.rowsWritten < 3 * batches && 'rows of objects') ||
    (name === 'twin' && objects.Archive.rowsWritten < all && 'rows of objects') ||
    (name === OURS && Object.keys(objects).length === 0 && 'objects');
  if (wrong) throw new Failure(`the counters of ${name} miss ${wrong}`);
}

/**
 * @param {Counts} counts @param {number} cpuMs @param {number} events
 * @returns {import('./prices.mjs').Use} an event
 */
function useOf({ requests, objects, d1, queue, r2, kv, logLines }, cpuMs, events) {
  const sum = (/** @type {'requests' | 'rowsWritten' | 'rowsRead'} */ key) =>
    Object.values(objects).reduce((all, of) => all + of[key], 0);
  const use = {
    // Reading the counts is none of them.
    requests,
    cpuMs,
    objectRequests: sum('requests'),
    objectRowsWritten: sum('rowsWritten'),
    objectRowsRead: sum('rowsRead'),
    d1RowsWritten: d1.rowsWritten,
    d1RowsRead: d1.rowsRead,
    queueOperations: queue.written + queue.read + queue.deleted,
    r2Puts: r2.puts,
    r2Gets: r2.gets,
    kvReads: kv.reads,
    kvWrites: kv.writes,
    logLines,
  };
  return Object.fromEntries(Object.entries(use).map(([name, n]) => [name, n / events]));
}

/** As Markdown. @param {Counted[]} all */
export function countedTable(all) {
  const columns = [
    'events a batch',
    'site',
    '',
    'rows written an event',
    'of these',
    'object requests',
    'queue operations',
    'puts a million',
    'KV reads',
    'lines of log',
    '$ a million events',
  ];
  const lines = [`| ${columns.join(' | ')} |`, '|--:|---|---|--:|---|--:|--:|--:|--:|--:|--:|'];
  for (const { name, events, pace, batches, counts, use } of all) {
    const split = [
      ['D1', counts.d1.rowsWritten],
      ...Object.entries(counts.objects).map(([of, { rowsWritten }]) => [of, rowsWritten]),
    ];
    const parts = split
      .filter(([, rows]) => Number(rows) > 0)
      .map(([of, rows]) => `${of} ${(Number(rows) / batches / events).toFixed(2)}`);
    const written = use.objectRowsWritten + use.d1RowsWritten;
    const cells = [
      events,
      pace,
      name,
      `**${written.toFixed(2)}**`,
      parts.join(', '),
      use.objectRequests.toFixed(2),
      use.queueOperations.toFixed(2),
      (use.r2Puts * 1e6).toFixed(0),
      use.kvReads.toFixed(2),
      use.logLines.toFixed(2),
      `**${dollars(use).toFixed(2)}**`,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}
