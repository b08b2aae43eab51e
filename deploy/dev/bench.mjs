// `npm run bench`: how fast the built worker takes batches, on workerd itself.
//
// Wrangler's proxies cap the rate near 1,300 a second and hide every difference, so the load goes to
// the worker's own socket (Miniflare's `unsafeDirectSockets`). BENCH_SECONDS is the length of a run.
// `npm run bench -- lake`: how the lake keeps up, and what an event costs there.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { benchTracker } from './bench-tracker.mjs';
import { build } from './build.mjs';
import { migrationsDir } from './config.mjs';
import { loadSecrets, seedSql, writeDevVars } from './keys.mjs';
import { freePort } from './port.mjs';
import { Failure, main, outputOf, runShown } from './process.mjs';
import { at, tools } from './project.mjs';

const SECONDS = process.env.BENCH_SECONDS ?? '5';
const LOOK_AGAIN_MS = 100;
const ORIGIN = 'http://localhost:8787';

main(async () => {
  await build();
  if (process.argv.includes('tracker')) return benchTracker();
  if (process.execPath !== tools.node) {
    // Miniflare wants the Node that set-up installed.
    process.exitCode = await runShown(tools.node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
    return;
  }
  const code = await runShown('cargo', ['build', '--release', '-p', 'shoreline-tests', '--bin', 'load']);
  if (code !== 0) throw new Failure('the load generator could not be built');
  const secrets = loadSecrets();
  writeDevVars(secrets);
  const state = mkdtempSync(join(tmpdir(), 'shoreline-bench-'));
  try {
    if (process.argv.includes('lake')) await withSystem(secrets, state, { LAKE_SEAL_SECONDS: '60' }, (system) => measureLake(secrets, system));
    else await withSystem(secrets, state, {}, ({ url }) => runShown('target/release/load', [url, secrets.browserKey, ORIGIN, workerdPid(), SECONDS]));
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
});

/** @typedef {{ url: string, miniflare: import('miniflare').Miniflare }} System */

/**
 * Runs the built worker, its database migrated and seeded.
 * @param {import('./keys.mjs').Secrets} secrets
 * @param {string} state
 * @param {Record<string, string>} settings other than the local ones
 * @param {(system: System) => Promise<unknown>} work
 */
async function withSystem(secrets, state, settings, work) {
  const { Miniflare, convertV4MiniflareOptions } = await import('miniflare');
  const { unstable_getMiniflareWorkerOptions } = await import('wrangler');
  const { assets, modulesRules, ...options } = unstable_getMiniflareWorkerOptions(at('wrangler.toml')).workerOptions;
  const port = await freePort();
  const modulesRoot = at('worker', 'build');
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    ...options,
    bindings: { ...options.bindings, ...settings },
    modulesRoot,
    modules: [
      { type: 'ESModule', path: join(modulesRoot, 'index.js') },
      { type: 'CompiledWasm', path: join(modulesRoot, 'index_bg.wasm') },
    ],
    unsafeDirectSockets: [{ host: '127.0.0.1', port }],
    resourcePersistencePath: state,
    cf: false,
  }));
  try {
    await miniflare.ready;
    const database = await miniflare.getD1Database('DB');
    const migrations = readdirSync(at(migrationsDir())).sort().map((name) => readFileSync(at(migrationsDir(), name), 'utf8'));
    for (const sql of [...migrations, seedSql(secrets)]) await database.exec(oneStatementALine(sql));
    await work({ url: `http://127.0.0.1:${port}`, miniflare });
  } finally {
    await miniflare.dispose();
  }
}

/**
 * From the 202 to the object: how long it takes until all is there, and what the objects are, at the default seal rule.
 * @param {import('./keys.mjs').Secrets} secrets
 * @param {System} system
 */
async function measureLake({ browserKey, readToken }, { url, miniflare }) {
  const start = Date.now();
  const load = outputOf('target/release/load', [url, browserKey, ORIGIN, 'lake', SECONDS]);
  const [taken, seconds] = ((await load) ?? '').split(' ').map(Number);
  if (!(taken > 0)) throw new Failure('the load was refused');
  /** How far the lake is. */
  async function backlog() {
    const answer = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${readToken}` } });
    const { backlog: { lake, outbox } } = /** @type {any} */ (await answer.json());
    return { landed: lake.landedEvents, pending: lake.pendingEvents, waiting: outbox.parts };
  }
  const atEnd = await backlog();
  let forwarded;
  for (let now = atEnd; now.landed < taken; now = await backlog()) {
    if (now.waiting === 0) forwarded ??= Date.now();
    await delay(LOOK_AGAIN_MS);
  }
  const landed = Date.now();
  const objects = await everyObject(await miniflare.getR2Bucket('LAKE'));
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
    ['taken (202)', taken, seconds],
    ['in the lake\'s shard when the last 202 was given', atEnd.landed + atEnd.pending, seconds],
    ['all in the lake\'s shard', taken, passed(forwarded ?? landed)],
    ['in objects sealed by their size', inFull, passed(lastFull)],
    ['all in objects, the last one sealed by its age (60 s)', taken, passed(landed)],
  ];
  console.log('| | events | after s | events/s |\n|---|--:|--:|--:|');
  for (const [what, n, s] of rows) console.log(`| ${what} | ${n} | ${Number(s).toFixed(1)} | ${rate(Number(n), Number(s))} |`);
  console.log(`\n${objects.length} objects, ${(bytes / events).toFixed(1)} bytes an event, ${Math.round((objects.length / events) * 1e6)} puts a million events; ${Math.round((full.length / inFull) * 1e6)} where objects are sealed by their size`);
}

/** @typedef {{ size: number, uploaded: Date, customMetadata?: Record<string, string> }} LakeObject */

/** @param {LakeObject} object */
const eventsOf = ({ customMetadata }) => Number(customMetadata?.events);

/** @param {any} bucket @returns {Promise<LakeObject[]>} */
async function everyObject(bucket) {
  const objects = [];
  let cursor;
  do {
    const page = await bucket.list({ prefix: 'events/', cursor, include: ['customMetadata'] });
    objects.push(...page.objects);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return objects;
}

/** D1's exec takes a statement a line. @param {string} sql */
const oneStatementALine = (sql) => sql.replace(/--.*$/gm, '').split(';').map((statement) => statement.replace(/\s+/g, ' ').trim()).filter(Boolean).join(';\n');

/** The workerd that this process started. */
function workerdPid() {
  const mine = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).find((pid) => {
    try {
      const [, name, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      return name?.startsWith('workerd') && parent === `${process.pid}`;
    } catch {
      return false;
    }
  });
  if (!mine) throw new Failure('workerd was not found among the processes of this one');
  return mine;
}
