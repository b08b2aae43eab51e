// `npm run bench`: how fast the built worker takes batches, on workerd itself.
//
// Wrangler's proxies cap the rate near 1,300 a second and hide every difference, so the load goes to
// the worker's own socket (Miniflare's `unsafeDirectSockets`). BENCH_SECONDS is the length of a run.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchTracker } from './bench-tracker.mjs';
import { build } from './build.mjs';
import { migrationsDir } from './config.mjs';
import { loadSecrets, seedSql, writeDevVars } from './keys.mjs';
import { freePort } from './port.mjs';
import { Failure, main, runShown } from './process.mjs';
import { at, tools } from './project.mjs';

const SECONDS = process.env.BENCH_SECONDS ?? '5';
const ORIGIN = 'http://localhost:8787';

main(async () => {
  await build();
  if (process.argv.includes('tracker')) return benchTracker();
  if (process.execPath !== tools.node) {
    // Miniflare wants the Node that set-up installed.
    process.exitCode = await runShown(tools.node, [fileURLToPath(import.meta.url)]);
    return;
  }
  const code = await runShown('cargo', ['build', '--release', '-p', 'shoreline-tests', '--bin', 'load']);
  if (code !== 0) throw new Failure('the load generator could not be built');
  const secrets = loadSecrets();
  writeDevVars(secrets);
  const state = mkdtempSync(join(tmpdir(), 'shoreline-bench-'));
  try {
    await measure(secrets, state);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
});

/**
 * @param {import('./keys.mjs').Secrets} secrets
 * @param {string} state
 */
async function measure(secrets, state) {
  const { Miniflare, convertV4MiniflareOptions } = await import('miniflare');
  const { unstable_getMiniflareWorkerOptions } = await import('wrangler');
  const { assets, modulesRules, ...options } = unstable_getMiniflareWorkerOptions(at('wrangler.toml')).workerOptions;
  const port = await freePort();
  const modulesRoot = at('worker', 'build');
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    ...options,
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
    await runShown('target/release/load', [`http://127.0.0.1:${port}`, secrets.browserKey, ORIGIN, workerdPid(), SECONDS]);
  } finally {
    await miniflare.dispose();
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
