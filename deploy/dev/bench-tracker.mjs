// `npm run bench -- tracker`: what the tracker costs a page, in Chromium with the processor slowed 4×.
//
// Taken from Chromium's own trace: processor time of the page's main thread in the tracker's script
// (evaluated, called, and in microtasks, of which the page has no others), not time on the clock, so
// that what else the machine does is no part of it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { say } from './process.mjs';
import { made } from './project.mjs';

const SLOWER = Number(process.env.BENCH_SLOWER ?? 4);
const PAGES = Number(process.env.BENCH_PAGES ?? 15);
const CALLS = 1000;

/** When a page has come to rest, ms after it was opened. */
const SETTLED_MS = 2000;
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--remote-debugging-port=0'];

/** Middle of the sorted. @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

export async function benchTracker() {
  const server = createServer(answer).listen(0);
  const port = /** @type {import('node:net').AddressInfo} */ (server.address()).port;
  const profile = mkdtempSync(join(tmpdir(), 'shoreline-bench-'));
  const chromium = spawn(process.env.CHROMIUM ?? 'chromium', [...FLAGS, `--user-data-dir=${profile}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const browser = await connect(await debuggingUrl(chromium));
    for (const line of await measure(browser, `http://localhost:${port}`)) say(line);
  } finally {
    chromium.kill();
    await new Promise((done) => chromium.once('close', done));
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Serves the tracker, a page with it and one without, and a collector that takes everything. */
function answer(/** @type {import('node:http').IncomingMessage} */ request, /** @type {import('node:http').ServerResponse} */ response) {
  const url = request.url ?? '';
  if (url.startsWith('/v1/')) return void response.writeHead(url.includes('down') ? 503 : 202).end('{}');
  if (url.endsWith('.js') || url.endsWith('.wasm')) {
    response.writeHead(200, { 'content-type': url.endsWith('.js') ? 'text/javascript' : 'application/wasm' });
    return void response.end(readFileSync(join(made.tracker, url)));
  }
  const key = url.slice(1);
  const snippet = key === 'without' ? '' : `<script defer src="/shoreline.js" data-key="${key}" data-include-local></script>`;
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end(`<!doctype html><title>Page</title>${snippet}<script>var long=[];new PerformanceObserver(l=>l.getEntries().forEach(e=>long.push(e.duration))).observe({type:'longtask',buffered:true})</script><body>${'<p>text</p>'.repeat(500)}`);
}

/** @param {import('node:child_process').ChildProcess} chromium @returns {Promise<string>} */
const debuggingUrl = (chromium) =>
  new Promise((done, failed) => {
    createInterface({ input: /** @type {NodeJS.ReadableStream} */ (chromium.stderr) }).on('line', (line) => {
      const [, url] = /DevTools listening on (ws:.*)/.exec(line) ?? [];
      if (url) done(url);
    });
    chromium.once('error', failed);
  });

/**
 * Chromium's own protocol.
 * @param {string} url
 * @returns {Promise<((method: string, params?: object, sessionId?: string) => Promise<any>) & { traced: any[], heard: (method: string) => Promise<void> }>}
 */
async function connect(url) {
  const { default: WebSocket } = await import('ws');
  const socket = new WebSocket(url);
  await new Promise((done) => socket.once('open', done));
  /** @type {Map<number, { done: (result: any) => void, failed: (error: Error) => void }>} */
  const asked = new Map();
  socket.on('message', (/** @type {Buffer} */ data) => {
    const { id, result, error, method, params } = JSON.parse(String(data));
    if (method === 'Tracing.dataCollected') ask.traced.push(...params.value);
    listeners.get(method)?.();
    if (error) asked.get(id)?.failed(new Error(error.message));
    else asked.get(id)?.done(result);
  });
  let last = 0;
  /** @type {Map<string, () => void>} */
  const listeners = new Map();
  const call = (/** @type {string} */ method, params = {}, sessionId = undefined) =>
    new Promise((done, failed) => {
      asked.set(++last, { done, failed });
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
    });
  const ask = Object.assign(call, {
    traced: /** @type {any[]} */ ([]),
    heard: (/** @type {string} */ method) => /** @type {Promise<void>} */ (new Promise((done) => listeners.set(method, done))),
  });
  return ask;
}

/** @param {Awaited<ReturnType<typeof connect>>} browser @param {string} url */
async function measure(browser, url) {
  /** @type {number[]} */
  const inits = [];
  /** @type {number[]} */
  const calls = [];
  const tasks = { with: 0, without: 0 };
  for (let n = 0; n < PAGES; n++) {
    const page = await open(browser, `${url}/with`);
    const { ours, long } = await page.traced();
    inits.push(ours);
    tasks.with += long;
    calls.push(await page.run(`(() => { const start = performance.now(); for (let n = 0; n < ${CALLS}; n++) shoreline.feature('bench', { n }); return performance.now() - start; })()`));
    await page.close();
    const empty = await open(browser, `${url}/without`);
    tasks.without += (await empty.traced()).long;
    await empty.close();
  }
  const page = await open(browser, `${url}/down`);
  await page.load();
  const heap = await page.heap();
  await page.run(`for (let n = 0; n < ${CALLS}; n++) shoreline.feature('bench', { n })`);
  await delay(3000);
  const more = (await page.heap()) - heap;
  const pending = await page.run('shoreline.flush().then((outcome) => outcome.pending)');
  return [
    `processor slowed ${SLOWER}×, medians of ${PAGES} pages`,
    `init: ${median(inits).toFixed(1)} ms of the main thread, ${Math.min(...inits).toFixed(1)} at least (bound: 15)`,
    `feature(): ${median(calls.map((ms) => (ms / CALLS) * 1000)).toFixed(1)} µs (bound: 50)`,
    `long tasks (over 50 ms): ${tasks.with}; without the tracker ${tasks.without}`,
    `heap of ${pending} queued events: ${Math.round(more / 1024)} KiB (bound: 1,024)`,
  ];
}

/** Tasks of the tracker, and all that last long. */
const OURS = new Set(['EvaluateScript', 'FunctionCall', 'RunMicrotasks', 'v8.compile']);

/** @param {Awaited<ReturnType<typeof connect>>} browser @param {string} url */
async function open(browser, url) {
  const { targetId } = await browser('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await browser('Target.attachToTarget', { targetId, flatten: true });
  const ask = (/** @type {string} */ method, /** @type {object} */ params = {}) => browser(method, params, sessionId);
  await ask('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  const load = async () => {
    await ask('Page.navigate', { url });
    await delay(SETTLED_MS);
  };
  return {
    load,
    /** What is done until the page has come to rest. */
    traced: async () => {
      await ask('Tracing.start', { traceConfig: { includedCategories: ['devtools.timeline', 'v8'] }, transferMode: 'ReportEvents' });
      const events = browser.heard('Tracing.tracingComplete');
      await load();
      await ask('Tracing.end');
      await events;
      const all = browser.traced.splice(0);
      // A call within a call is part of it: only what lies in no other of them counts.
      let end = 0;
      let ours = 0;
      const candidates = all.filter(({ name, ph, args, tdur }) => ph === 'X' && tdur && OURS.has(name) && (name === 'RunMicrotasks' || /shoreline/.test(args?.data?.url ?? args?.fileName ?? '')));
      for (const { ts, dur, tdur } of candidates.sort((a, b) => a.ts - b.ts)) {
        if (ts < end) continue;
        end = ts + dur;
        ours += tdur / 1000;
      }
      const long = (await ask('Runtime.evaluate', { expression: 'long', returnByValue: true })).result.value.length;
      return { ours, long };
    },
    run: async (/** @type {string} */ expression) => (await ask('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })).result.value,
    heap: async () => {
      for (let n = 0; n < 3; n++) await ask('HeapProfiler.collectGarbage');
      return (await ask('Runtime.getHeapUsage')).usedSize;
    },
    close: () => browser('Target.closeTarget', { targetId }),
  };
}
