// The built worker on Miniflare's direct socket, for measurements.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrationsDir } from '../base/config.mjs';
import { loadSecrets, seedSql, writeDevVars } from '../setup/keys.mjs';
import { freePort } from '../base/port.mjs';
import { Failure } from '../base/process.mjs';
import { at } from '../base/project.mjs';

/**
 * @typedef {{ url: string, pid: string, inspector: string, state: string, secrets: import('../setup/keys.mjs').Secrets,
 *   miniflare: import('miniflare').Miniflare }} System
 */

/**
 * A module of a worker, first the one that is started.
 * @typedef {{ type: string, path: string, contents?: string }} Module
 */

/** The built worker's modules. @type {Module[]} */
const BUILT = [
  { type: 'ESModule', path: at('worker', 'build', 'index.js') },
  { type: 'CompiledWasm', path: at('worker', 'build', 'index_bg.wasm') },
];

/**
 * Does `work` with the worker on a new state folder.
 * @param {(system: System) => Promise<void>} work
 * @param {Record<string, string>} settings other than the local ones
 */
export async function withWorker(work, settings = {}) {
  const system = await startWorker({ settings });
  try {
    await work(system);
  } finally {
    await system.stop();
  }
}

/**
 * Starts the worker on a new state folder.
 * @param {{ settings?: Record<string, string>, before?: Module[] }} [options] settings other than the local ones;
 *   modules that are started in its place and import it
 */
export async function startWorker({ settings = {}, before = [] } = {}) {
  const secrets = loadSecrets();
  writeDevVars(secrets);
  const { unstable_getMiniflareWorkerOptions } = await import('wrangler');
  /** @type {{ workerOptions: any }} */
  const { workerOptions } = unstable_getMiniflareWorkerOptions(at('wrangler.toml'));
  const { assets, modulesRules, ...options } = workerOptions;
  const bindings = { ...options.bindings, ...settings };
  const migrations = readdirSync(at(migrationsDir()))
    .sort()
    .map((name) => readFileSync(at(migrationsDir(), name), 'utf8'));
  const sql = [...migrations, seedSql(secrets)];
  const running = await startModules(
    { ...options, bindings, modulesRoot: at('worker', 'build'), modules: [...before, ...BUILT] },
    sql,
  );
  return { ...running, secrets };
}

/** Another program may take a port between its choice and its use. */
const PORT_TRIES = 3;

/**
 * Starts any worker on a new state folder.
 * @param {any} options Miniflare's
 * @param {string[]} sql of its database
 * @returns {ReturnType<typeof startOnPorts>}
 */
export async function startModules(options, sql, tries = PORT_TRIES) {
  try {
    return await startOnPorts(options, sql);
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code !== 'ERR_ADDRESS_IN_USE' || tries === 1) throw error;
    return startModules(options, sql, tries - 1);
  }
}

/**
 * Wrangler's proxies cap the rate near 1,300 requests a second and hide every
 * difference, so what is measured is the worker's own socket (Miniflare's `unsafeDirectSockets`).
 * @param {any} options Miniflare's
 * @param {string[]} sql of its database
 */
async function startOnPorts(options, sql) {
  const state = mkdtempSync(join(tmpdir(), 'shoreline-bench-'));
  const { Miniflare, convertV4MiniflareOptions } = await import('miniflare');
  const [port, inspectorPort] = [await freePort(), await freePort()];
  const others = workerds();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...options,
      unsafeDirectSockets: [{ host: '127.0.0.1', port }],
      resourcePersistencePath: state,
      inspectorPort,
      // Of what the worker logs, what went wrong; a line for each request is none to show. All of it is read: a worker
      // whose output nobody reads stands still.
      handleStructuredLogs: (/** @type {{ level: string, message: string }} */ { level, message }) =>
        level === 'error' && console.error(message),
      cf: false,
    }),
  );
  const stop = async () => {
    await miniflare.dispose();
    rmSync(state, { recursive: true, force: true });
  };
  try {
    await miniflare.ready;
    const database = await miniflare.getD1Database('DB');
    for (const text of sql) await database.exec(oneStatementALine(text));
    const pid = workerds().find((each) => !others.includes(each));
    if (!pid) throw new Failure('workerd was not found among the processes of this one');
    return {
      url: `http://127.0.0.1:${port}`,
      pid,
      inspector: `http://127.0.0.1:${inspectorPort}`,
      state,
      miniflare,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** D1's exec takes a statement a line. @param {string} sql */
const oneStatementALine = (sql) =>
  sql
    .replace(/--.*$/gm, '')
    .split(';')
    .map((statement) => statement.replace(/\s+/g, ' ').trim())
    .filter(Boolean)
    .join(';\n');

/** The workerds that this process started. */
function workerds() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [, name, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return name?.startsWith('workerd') && parent === `${process.pid}`;
      } catch {
        return false;
      }
    });
}
