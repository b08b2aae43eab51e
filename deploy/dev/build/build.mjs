// `npm run build`: tracker, worker, dashboard and pages, each only if what it is made
// from changed.
import { join } from 'node:path';
import { buildDashboard } from './dashboard.mjs';
import { buildTracker } from './tracker.mjs';
import { buildWorker, keepNames, workerScript } from './worker.mjs';
import { loadSecrets, snippet } from '../setup/keys.mjs';
import { alone } from '../base/lock.mjs';
import { syncPages } from './pages.mjs';
import { failureOf, isProgram, main, say, seconds } from '../base/process.mjs';
import { at, devDir, made, tools } from '../base/project.mjs';
import { setUp } from '../setup/setup.mjs';
import { fingerprint, unlessDone } from '../base/stamp.mjs';

/** What every Rust build depends on. */
const RUST = [
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  '.cargo',
  'shared',
  'package-lock.json',
  'deploy/dev/build/build.mjs',
];

/** Builds everything that is out of date. */
export async function build() {
  await alone('build', async () => {
    await setUp();
    await buildIfChanged(
      'tracker',
      [...RUST, 'tracker-wasm', 'deploy/dev/build/tracker.mjs'],
      join(made.tracker, 'shoreline.js'),
      trackerBuild,
    );
    await buildIfChanged(
      'worker',
      [...RUST, 'worker', 'deploy/dev/build/worker.mjs'],
      workerScript,
      buildWorker,
      keepNames ? ['named'] : [],
    );
    await buildIfChanged(
      'dashboard',
      ['www/dashboard', 'package-lock.json', 'deploy/dev/build/dashboard.mjs'],
      join(made.dashboard, 'dashboard', 'index.html'),
      () => buildDashboard({ outDir: made.dashboard, log: say }),
    );
    buildPages();
  });
}

/**
 * The demo page is a page of the local demo site, which exists nowhere else: deployed, it has no
 * snippet. What `npm start` serves is kept apart, so that a deployment takes nothing from it.
 */
function buildPages() {
  const sources = [at('www'), made.tracker, made.dashboard];
  const { browserKey, readToken } = loadSecrets();
  const local = snippet('', browserKey);
  // Lets the page show what became of its events. Only here: what is deployed is made in the other folder.
  const token = `<meta name="shoreline-read-token" content="${readToken}">`;
  const command = process.env.WRANGLER_COMMAND ?? 'dev';
  syncPages(sources, made.localPages, `${token}\n${local}`);
  syncPages(sources, made.pages, command === 'dev' ? local : '');
}

async function trackerBuild() {
  const { wasmOpt, esbuild } = tools;
  try {
    await buildTracker({ root: at(), wasmOpt, esbuild, outDir: made.tracker, log: say });
  } catch (error) {
    throw failureOf('build the tracker', error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} name
 * @param {string[]} sources
 * @param {string} result a file that the build makes
 * @param {() => Promise<void>} work
 * @param {string[]} settings what else it depends on
 */
async function buildIfChanged(name, sources, result, work, settings = []) {
  const start = Date.now();
  const inputs = fingerprint(sources, settings);
  const worked = await unlessDone({ stamp: join(devDir, 'stamps', name), inputs, made: result }, async () => {
    say(`building the ${name}`);
    await work();
  });
  if (worked) say(`built the ${name} (${seconds(start)})`);
}

if (isProgram(import.meta.url)) main(build);
