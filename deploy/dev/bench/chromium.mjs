// A Chromium for measurements, by its own protocol.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
];

/** Starts one with an empty profile. */
export async function startChromium() {
  const profile = mkdtempSync(join(tmpdir(), 'shoreline-bench-'));
  const process_ = spawn(process.env.CHROMIUM ?? 'chromium', [...FLAGS, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const browser = await connect(await debuggingUrl(process_));
  return {
    /** Somebody of whom the browser keeps nothing yet. */
    visitor: async () => {
      const { browserContextId } = await browser.ask('Target.createBrowserContext');
      return {
        open: () => open(browser, browserContextId),
        leave: () => browser.ask('Target.disposeBrowserContext', { browserContextId }),
      };
    },
    stop: async () => {
      process_.kill();
      await new Promise((done) => process_.once('close', done));
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** An empty page. @param {Awaited<ReturnType<typeof connect>>} browser @param {string} browserContextId */
async function open(browser, browserContextId) {
  const { targetId } = await browser.ask('Target.createTarget', { url: 'about:blank', browserContextId });
  const { sessionId } = await browser.ask('Target.attachToTarget', { targetId, flatten: true });
  const ask = (/** @type {string} */ method, /** @type {object} */ params = {}) =>
    browser.ask(method, params, sessionId);
  return {
    ask,
    close: () => browser.ask('Target.closeTarget', { targetId }),
    /**
     * The browser's trace of what is done.
     * @param {string[]} categories
     * @param {() => Promise<void>} act
     * @returns {Promise<any[]>}
     */
    trace: async (categories, act) => {
      browser.traced.splice(0);
      await ask('Tracing.start', { traceConfig: { includedCategories: categories }, transferMode: 'ReportEvents' });
      await act();
      const complete = browser.heard('Tracing.tracingComplete');
      await ask('Tracing.end');
      await complete;
      return browser.traced.splice(0);
    },
  };
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

/** @param {string} url */
async function connect(url) {
  const { default: WebSocket } = await import('ws');
  const socket = new WebSocket(url);
  await new Promise((done) => socket.once('open', done));
  /** @type {Map<number, { done: (result: any) => void, failed: (error: Error) => void }>} */
  const asked = new Map();
  /** @type {Map<string, () => void>} */
  const listeners = new Map();
  /** @type {any[]} */
  const traced = [];
  socket.on('message', (/** @type {Buffer} */ data) => {
    const { id, result, error, method, params } = JSON.parse(String(data));
    if (method === 'Tracing.dataCollected') traced.push(...params.value);
    listeners.get(method)?.();
    if (error) asked.get(id)?.failed(new Error(error.message));
    else asked.get(id)?.done(result);
  });
  let last = 0;
  return {
    traced,
    /** @param {string} method @returns {Promise<any>} */
    ask: (method, params = {}, sessionId = undefined) =>
      new Promise((done, failed) => {
        asked.set(++last, { done, failed });
        socket.send(JSON.stringify({ id: last, method, params, sessionId }));
      }),
    /** @param {string} method @returns {Promise<void>} */
    heard: (method) => new Promise((done) => listeners.set(method, done)),
  };
}
