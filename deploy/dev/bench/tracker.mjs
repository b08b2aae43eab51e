// `npm run bench -- tracker`: what the tracker costs a page, in Chromium with the processor slowed 4×.
//
// Taken from Chromium's own trace: processor time of the page's main thread, not time on the clock, so
// that what else the machine does is no part of it. Pages with and without the tracker take turns, each
// in a context of its own, as to a first visit. The pages have a script of their own, as pages that are
// tracked do; on one that is empty otherwise, the tracker is the first to use the document, storage
// and `fetch`, and bears what that costs once: that is given, too.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChromium } from './chromium.mjs';
import { say } from '../base/process.mjs';
import { made } from '../base/project.mjs';
import { CATEGORIES, tasksOf } from './trace.mjs';

const SLOWER = Number(process.env.BENCH_SLOWER ?? 4);
const PAGES = Number(process.env.BENCH_PAGES ?? 15);
const CALLS = 1000;

/** A task that the page notices, ms. */
const LONG_MS = 50;

/** When a page has come to rest, ms after it was opened. */
const SETTLED_MS = 1500;

/** When a thousand events are stored, ms after they were told, on a busy machine. */
const STORED_MS = 3000;

/** @param {number[]} values */
const sorted = (values) => [...values].sort((a, b) => a - b);

/** Middle, and the range in which the middle half lies. @param {number[]} values */
const spread = (values) => {
  const [low, middle, high] = [1, 2, 3].map((quarter) => sorted(values)[(values.length * quarter) >> 2].toFixed(1));
  return `${middle} ms (half of them ${low} to ${high})`;
};

/** @param {number[]} values */
const median = (values) => sorted(values)[values.length >> 1];

const sum = (/** @type {number[]} */ values) => values.reduce((all, value) => all + value, 0);
/** @typedef {{ ms: number, ours: number, init: number }[]} Tasks */
const times = (/** @type {Tasks} */ tasks) => sum(tasks.map(({ ours }) => ours));
const inits = (/** @type {Tasks} */ tasks) => sum(tasks.map(({ init }) => init));

/** How many tasks of these pages the page notices. @param {{ ms: number }[][]} pages */
const long = (pages, slower = 1) => pages.flat().filter(({ ms }) => ms * slower > LONG_MS).length;

export async function benchTracker() {
  const server = createServer(answer).listen(0);
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const chromium = await startChromium();
  try {
    for (const line of await measure(chromium, `http://localhost:${port}`)) say(line);
  } finally {
    await chromium.stop();
    server.close();
    server.closeAllConnections();
  }
}

/** What a page's own script does: it shows something, remembers something, and asks its server for something. */
const OWN_SCRIPT = `<script>
const button = document.createElement('button');
button.textContent = 'Menu';
button.onclick = () => localStorage.setItem('theme', 'dark');
document.body.append(button);
document.documentElement.dataset.theme = localStorage.getItem('theme') || 'light';
fetch('/v1/own', { method: 'POST' });
</script>`;

/** Serves the tracker, pages with it and without, and a collector that takes everything. */
function answer(
  /** @type {import('node:http').IncomingMessage} */ request,
  /** @type {import('node:http').ServerResponse} */ response,
) {
  const url = request.url ?? '';
  if (url.startsWith('/v1/')) return void response.writeHead(url.includes('down') ? 503 : 202).end('{}');
  if (url.endsWith('.js') || url.endsWith('.wasm')) {
    response.writeHead(200, {
      'content-type': url.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'application/wasm',
    });
    return void response.end(readFileSync(join(made.tracker, url)));
  }
  const key = url.slice(1);
  const snippet =
    key === 'without' ? '' : `<script defer src="/shoreline.js" data-key="${key}" data-include-local></script>`;
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end(
    '<!doctype html><title>Page</title><link rel=icon ' +
      `href=data:,>${snippet}<body>${'<p>text</p>'.repeat(500)}${key === 'empty' ? '' : OWN_SCRIPT}`,
  );
}

/** @param {Awaited<ReturnType<typeof startChromium>>} chromium @param {string} url */
async function measure(chromium, url) {
  /**
   * @type {Record<'first' | 'next' | 'without' | 'empty' | 'unslowed' | 'unslowedWithout' | 'unslowedEmpty', Tasks[]>}
   */
  const runs = { first: [], next: [], without: [], empty: [], unslowed: [], unslowedWithout: [], unslowedEmpty: [] };
  /** @type {Record<'told' | 'made', number[]>} */
  const calls = { told: [], made: [] };
  for (let n = 0; n < PAGES; n++) {
    const visitor = await chromium.visitor();
    const first = await open(visitor, `${url}/with`);
    runs.first.push(await first.traced(first.load));
    const start = 'performance.now() - start';
    const made = await first.traced(async () => {
      calls.told.push(
        await first.run(
          `(() => { const start = performance.now(); for (let n = 0; n < ${CALLS}; n++) ` +
            `shoreline.feature('bench', { n }); return ${start} })()`,
        ),
      );
      await delay(STORED_MS);
    });
    calls.made.push(times(made));
    await first.close();
    const next = await open(visitor, `${url}/with`);
    runs.next.push(await next.traced(next.load));
    await next.close();
    await visitor.leave();
    for (const [kind, path, rate] of /** @type {const} */ ([
      ['without', 'without', SLOWER],
      ['empty', 'empty', SLOWER],
      ['unslowed', 'with', 1],
      ['unslowedWithout', 'without', 1],
      ['unslowedEmpty', 'empty', 1],
    ])) {
      const visitor = await chromium.visitor();
      const page = await open(visitor, `${url}/${path}`, rate);
      runs[kind].push(await page.traced(page.load));
      await visitor.leave();
    }
  }
  const all = (/** @type {typeof runs.first} */ pages) => pages.map((tasks) => sum(tasks.map(({ ms }) => ms)));
  const most = Math.max(...[...runs.first, ...runs.next].flat().map(({ ours }) => ours));
  const more = all(runs.first).map((ms, n) => ms - all(runs.without)[n]);
  const µs = (/** @type {number[]} */ values) => ((median(values) / CALLS) * 1000).toFixed(1);
  const really = median(all(runs.without)) / median(all(runs.unslowedWithout));
  const init = (/** @type {Tasks[]} */ slowed, /** @type {Tasks[]} */ unslowed) =>
    `at full speed ${spread(unslowed.map(inits))}, ${SLOWER} times that ` +
    `${(median(unslowed.map(inits)) * SLOWER).toFixed(1)} ms; slowed ${spread(slowed.map(inits))}, of which ` +
    `${SLOWER}/${really.toFixed(1)} are ${((median(slowed.map(inits)) * SLOWER) / really).toFixed(1)} ms`;
  return [
    `processor time of the main thread, slowed ${SLOWER}×, ${PAGES} pages of each kind`,
    `what is slowed ${SLOWER}× by name takes ${really.toFixed(1)} times as long, by pages without the tracker`,
    `init, a first page (bound: 15): ${init(runs.first, runs.unslowed)}`,
    `… on a page that is empty otherwise: ${init(runs.empty, runs.unslowedEmpty)}`,
    `init and making and storing the first events, a first page: ${spread(runs.first.map(times))}; at full ` +
      `speed: ${spread(runs.unslowed.map(times))}`,
    `… a next page, which sends again what the first left behind: ${spread(runs.next.map(times))}`,
    `the whole page: ${spread(all(runs.first))}; without the tracker ${spread(all(runs.without))}; more: ` +
      `${spread(more)}`,
    `feature(): ${µs(calls.told)} µs a call (bound: 50); with making, storing and sending the event later ` +
      `${µs(calls.made)} µs`,
    `tasks over ${LONG_MS} ms, first pages: ${long(runs.first)}; next: ${long(runs.next)}; without: ` +
      `${long(runs.without)}`,
    `tasks of which ${SLOWER} times the time at full speed is over ${LONG_MS} ms: ` +
      `${long(runs.unslowed, SLOWER)}; without: ${long(runs.unslowedWithout, SLOWER)}`,
    "the tracker's longest part of any task at full speed: " +
      `${Math.max(...runs.unslowed.flat().map(({ ours }) => ours)).toFixed(1)} ms`,
    `the tracker's longest part of any task: ${most.toFixed(1)} ms`,
    ...(await heap(chromium, url)),
  ];
}

/**
 * What queued events take, by what the heap grows from half of them to all.
 * @param {Awaited<ReturnType<typeof startChromium>>} chromium
 * @param {string} url
 */
async function heap(chromium, url) {
  const page = await open(await chromium.visitor(), `${url}/down`);
  await page.load();
  const queue = async (/** @type {number} */ events) => {
    await page.run(`for (let n = 0; n < ${events}; n++) shoreline.feature('bench', { n })`);
    await delay(STORED_MS);
    return { pending: await page.run('shoreline.flush().then(({ pending }) => pending)'), bytes: await page.heap() };
  };
  const half = await queue(CALLS / 2);
  const full = await queue(CALLS / 2);
  const each = (full.bytes - half.bytes) / (full.pending - half.pending);
  return [
    `heap: ${Math.round(each)} bytes for an event, ${Math.round((each * CALLS) / 1024)} KiB for ${CALLS} (bound: ` +
      `1,024); ${full.pending} queued`,
  ];
}

/** @param {Awaited<ReturnType<Awaited<ReturnType<typeof startChromium>>['visitor']>>} visitor @param {string} url */
async function open(visitor, url, rate = SLOWER) {
  const { ask, close, trace } = await visitor.open();
  await ask('Emulation.setCPUThrottlingRate', { rate });
  return {
    close,
    load: async () => {
      await ask('Page.navigate', { url });
      await delay(SETTLED_MS);
    },
    /** Tasks of the page's main thread while that is done. @param {() => Promise<void>} act */
    traced: async (act) => tasksOf(await trace(CATEGORIES, act), url),
    run: async (/** @type {string} */ expression) =>
      (await ask('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })).result.value,
    /** Bytes in use: of scripts, of what the page keeps for them, and of buffers. */
    heap: async () => {
      for (let n = 0; n < 3; n++) await ask('HeapProfiler.collectGarbage');
      const usage = await ask('Runtime.getHeapUsage');
      return usage.usedSize + (usage.embedderHeapUsedSize ?? 0) + (usage.backingStorageSize ?? 0);
    },
  };
}
