// `npm run bench -- import`: how fast a file is imported, and with how much memory.
//
// BENCH_LINES lines (1,000,000 unless set) of about 400 bytes, in 7 parts, over 45 days in order of time; with
// BENCH_ORDER=random in no order, which opens all the lake's 1,080 hours at once; with BENCH_TEXT=wide with titles that
// no byte of Latin-1 has; with BENCH_SINKS=2 to a second sink, too, until both have it all.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { withWorker } from './system.mjs';
import { Failure } from '../base/process.mjs';

const LINES = Number(process.env.BENCH_LINES ?? 1_000_000);
const PARTS = 7;
const RANDOM = process.env.BENCH_ORDER === 'random';
const TITLE = process.env.BENCH_TEXT === 'wide' ? 'カタログ — каталог магазина — دليل' : 'Catalog of the shop';
const TWO_SINKS = process.env.BENCH_SINKS === '2';
const SPAN_MS = 45 * 24 * 60 * 60 * 1000;
const POLL_MS = 500;

/** A line. @param {number} n @param {number} first */
function line(n, first) {
  const at = first + Math.floor((RANDOM ? Math.random() : n / LINES) * SPAN_MS);
  return JSON.stringify({
    eventId: randomUUID(),
    eventType: n % 3 ? 'page_view' : 'feature_use',
    userId: `user-${n % 5000}`,
    sessionId: `session-${n % 50_000}`,
    timestamp: at,
    eventData: {
      feature: 'export',
      url: `https://shop.example/catalog/${n % 700}?utm_source=news`,
      title: TITLE,
      referrer: 'https://search.example/',
    },
    metadata: {
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
      ipAddress: '203.0.113.0',
      platform: 'web',
    },
  });
}

/** Measures one import, and prints what it took. */
export async function benchImport() {
  if (!TWO_SINKS) return withWorker(measure);
  // Takes each object, as S3 does, and forgets it.
  const server = createServer((request, answer) => {
    request.on('end', () => answer.writeHead(200, { etag: '"taken"' }).end()).resume();
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const key = { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' };
  const s3 = { AWS_REGION: 'eu-central-1', S3_BUCKET: 'lake', S3_ENDPOINT: `http://127.0.0.1:${port}` };
  try {
    await withWorker(measure, { SINKS: 'r2,s3', ...s3, ...key });
  } finally {
    server.close();
  }
}

/** @param {import('./system.mjs').System} system */
async function measure({ url, pid, inspector, secrets }) {
  /** @param {string} path @param {RequestInit} [init] */
  const ask = async (path, init) => {
    const answer = await fetch(`${url}/v1/imports${path}`, {
      ...init,
      headers: { authorization: `Bearer ${secrets.sourceKey}` },
    });
    if (!answer.ok) throw new Failure(`${path}: ${answer.status} ${await answer.text()}`);
    return /** @type {Promise<any>} */ (answer.json());
  };
  /** Events that every sink has. */
  const landed = async () => {
    const answer = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${secrets.readToken}` } });
    return /** @type {any} */ (await answer.json()).backlog.lake.landedEvents;
  };
  const first = Date.now() - SPAN_MS;
  const { importId } = await ask('', { method: 'POST', body: JSON.stringify({ parts: PARTS }) });
  const isolate = await connect(inspector);
  const before = rss(pid);
  let [mostRss, mostHeap] = [before, 0];
  const sample = async () => {
    mostRss = Math.max(mostRss, rss(pid));
    mostHeap = Math.max(mostHeap, (await isolate('Runtime.getHeapUsage')).usedSize);
  };
  const start = Date.now();
  let bytes = 0;
  for (let part = 0; part < PARTS; part += 1) {
    const [from, to] = [part, part + 1].map((n) => Math.round((n * LINES) / PARTS));
    let text = '';
    for (let n = from; n < to; n += 1) text += `${line(n, first)}\n`;
    const body = Buffer.from(text);
    bytes += body.length;
    await ask(`/${importId}/parts/${part + 1}`, { method: 'PUT', body });
    await sample();
  }
  const uploaded = seconds(start);
  let walked;
  for (;;) {
    const told = await ask(`/${importId}`);
    await sample();
    if (told.received === LINES) walked ??= seconds(start);
    if (told.finishedAt) {
      if (told.processed !== LINES) throw new Failure(`not all was taken: ${JSON.stringify(told)}`);
      break;
    }
    await delay(POLL_MS);
  }
  const stored = seconds(start);
  while (TWO_SINKS && (await landed()) < LINES) {
    await sample();
    await delay(POLL_MS);
  }
  const inBoth = seconds(start);
  const mb = (/** @type {number} */ n) => Math.round(n / 1e6);
  console.log(`${LINES} lines, ${mb(bytes)} MB, ${PARTS} parts, ${RANDOM ? 'random' : 'in order'}`);
  console.log('| | seconds | lines/s |\n|---|--:|--:|');
  const all = { uploaded, walked, stored, ...(TWO_SINKS && { 'in both sinks': inBoth }) };
  for (const [name, took] of Object.entries(all)) {
    console.log(`| ${name} | ${took?.toFixed(1)} | ${Math.round(LINES / Number(took))} |`);
  }
  const { wasm } = await memory(isolate);
  console.log(`isolate: JavaScript heap ${mb(mostHeap)} MB at most, wasm memory ${mb(wasm)} MB (it never shrinks)`);
  console.log(
    `workerd, with the bucket, queue and D1 that it simulates: ${mb(before)} MB before, ${mb(mostRss)} MB at most`,
  );
}

/** @param {number} start */
const seconds = (start) => (Date.now() - start) / 1000;

/** A call of the inspector's protocol. @typedef {(method: string, params?: object) => Promise<any>} Isolate */

/**
 * Asks the inspector of the worker's isolate, which holds its requests, objects, alarms and queue consumer alike.
 * @param {string} inspector
 * @returns {Promise<Isolate>}
 */
async function connect(inspector) {
  const targets = /** @type {{ webSocketDebuggerUrl: string }[]} */ (
    await (await fetch(`${inspector}/json/list`)).json()
  );
  const target = targets.find(({ webSocketDebuggerUrl }) => webSocketDebuggerUrl.includes('core:user'));
  if (!target) throw new Failure('the inspector does not know the worker');
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((done, failed) => {
    socket.onopen = done;
    socket.onerror = failed;
  });
  let last = 0;
  /** @type {Map<number, (result: any) => void>} */
  const waiting = new Map();
  /** @type {number | undefined} */
  let contextId;
  socket.onmessage = ({ data }) => {
    const { id, method, result, error, params } = JSON.parse(data);
    if (method === 'Runtime.executionContextCreated') contextId = params.context.id;
    if (error) console.error(error);
    waiting.get(id)?.(result ?? {});
    waiting.delete(id);
  };
  return (method, params = {}) =>
    new Promise((done) => {
      last += 1;
      waiting.set(last, done);
      const where = method === 'Runtime.evaluate' ? { contextId } : {};
      socket.send(JSON.stringify({ id: last, method, params: { ...params, ...where } }));
    });
}

/**
 * Bytes of the whole process, with the SQLite and the simulated bucket, queue and D1 in it.
 * @param {string} pid
 */
const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

/**
 * Bytes of the isolate: its JavaScript now, and its wasm memory, which never shrinks.
 * @param {Isolate} isolate
 */
async function memory(isolate) {
  await isolate('Runtime.enable');
  const { usedSize } = await isolate('Runtime.getHeapUsage');
  const { result } = await isolate('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' });
  const { objects } = await isolate('Runtime.queryObjects', { prototypeObjectId: result.objectId });
  const sum = 'function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }';
  const { result: wasm } = await isolate('Runtime.callFunctionOn', {
    objectId: objects.objectId,
    functionDeclaration: sum,
    returnByValue: true,
  });
  return { heap: usedSize, wasm: wasm.value };
}
