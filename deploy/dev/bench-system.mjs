// The built worker on Miniflare's direct socket, for measurements.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrationsDir } from './config.mjs';
import { loadSecrets, seedSql, writeDevVars } from './keys.mjs';
import { freePort } from './port.mjs';
import { Failure } from './process.mjs';
import { at } from './project.mjs';

/** @typedef {{ url: string, pid: string, inspector: string, state: string, secrets: import('./keys.mjs').Secrets, miniflare: import('miniflare').Miniflare }} System */

/**
 * Does `work` with the worker on a new state folder. Wrangler's proxies cap the rate near 1,300 requests a second and hide
 * every difference, so what is measured is the worker's own socket (Miniflare's `unsafeDirectSockets`).
 * @param {(system: System) => Promise<void>} work
 * @param {Record<string, string>} settings other than the local ones
 */
export async function withWorker(work, settings = {}) {
  const secrets = loadSecrets();
  writeDevVars(secrets);
  const state = mkdtempSync(join(tmpdir(), 'shoreline-bench-'));
  const { Miniflare, convertV4MiniflareOptions } = await import('miniflare');
  const { unstable_getMiniflareWorkerOptions } = await import('wrangler');
  const { assets, modulesRules, ...options } = unstable_getMiniflareWorkerOptions(at('wrangler.toml')).workerOptions;
  const [port, inspectorPort] = [await freePort(), await freePort()];
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
    inspectorPort,
    // Of what the worker logs, what went wrong; a line for each request is none to show.
    handleStructuredLogs: (/** @type {{ level: string, message: string }} */ { level, message }) => level === 'error' && console.error(message),
    cf: false,
  }));
  try {
    await miniflare.ready;
    const database = await miniflare.getD1Database('DB');
    const migrations = readdirSync(at(migrationsDir())).sort().map((name) => readFileSync(at(migrationsDir(), name), 'utf8'));
    for (const sql of [...migrations, seedSql(secrets)]) await database.exec(oneStatementALine(sql));
    await work({ url: `http://127.0.0.1:${port}`, pid: workerdPid(), inspector: `http://127.0.0.1:${inspectorPort}`, state, secrets, miniflare });
  } finally {
    await miniflare.dispose();
    rmSync(state, { recursive: true, force: true });
  }
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
