// What workerd spends on starting the built worker, over starting a worker that does nothing:
// reading the script, compiling the module, instantiating it and answering the first request.
// `npm run size` ends with it. Processor time, and not the clock's, so that other work on the machine counts for
// little.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { workerScript, workerWasm } from './worker.mjs';
import { freePort } from '../base/port.mjs';
import { Failure, isProgram, main } from '../base/process.mjs';
import { readText } from '../base/project.mjs';

/** Starts of each; the least is taken: what else the machine does only ever adds. */
const STARTS = 7;

/** Milliseconds of processor time: what a cold start may cost a page's first batch. */
const STARTUP_BUDGET_MS = 50;

const COMPATIBILITY_DATE = /compatibility_date = "([^"]+)"/.exec(readText('wrangler.toml'))?.[1];

const EMPTY = [
  {
    type: 'ESModule',
    path: 'index.js',
    contents: 'export default { fetch: () => new Response(null, { status: 204 }) };',
  },
];

const OURS = [
  { type: 'ESModule', path: 'index.js', contents: readFileSync(workerScript, 'utf8') },
  { type: 'CompiledWasm', path: 'index_bg.wasm', contents: readFileSync(workerWasm) },
];

/** The least of several starts. */
async function startupMs() {
  const times = { ours: Infinity, empty: Infinity };
  for (let start = 0; start < STARTS; start += 1) {
    times.empty = Math.min(times.empty, await oneStart(EMPTY));
    times.ours = Math.min(times.ours, await oneStart(OURS));
  }
  return times.ours - times.empty;
}

/** @param {any[]} modules Miniflare's */
async function oneStart(modules) {
  const { Miniflare, convertV4MiniflareOptions } = await import('miniflare');
  const port = await freePort();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules,
      compatibilityDate: COMPATIBILITY_DATE,
      unsafeDirectSockets: [{ host: '127.0.0.1', port }],
      // It has no bindings, and says so.
      handleStructuredLogs: () => {},
      cf: false,
    }),
  );
  try {
    await miniflare.ready;
    // A preflight request: the whole way through the module, but to no database.
    const answer = await fetch(`http://127.0.0.1:${port}/v1/events`, { method: 'OPTIONS' });
    if (answer.status !== 204) throw new Failure(`the worker answered ${answer.status}: ${await answer.text()}`);
    return processorMs(workerdPid());
  } finally {
    await miniflare.dispose();
  }
}

/** The one workerd that this process has running. */
function workerdPid() {
  const mine = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [, name, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return name?.startsWith('workerd') && parent === `${process.pid}`;
      } catch {
        return false;
      }
    });
  if (mine.length !== 1) throw new Failure(`of one workerd, ${mine.length} were found among the processes of this one`);
  return mine[0];
}

/** Processor time of all threads that live, by the scheduler's own count. @param {string} pid */
function processorMs(pid) {
  const tasks = join('/proc', pid, 'task');
  const nanoseconds = readdirSync(tasks).map((task) =>
    Number(readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, time) => sum + time, 0) / 1e6;
}

if (isProgram(import.meta.url)) {
  main(async () => {
    const ms = await startupMs();
    console.log(
      `worker: ${ms.toFixed(1)} ms of processor time to start, of ${STARTUP_BUDGET_MS} (least of ${STARTS}, over ` +
        "an empty worker's)",
    );
  });
}
