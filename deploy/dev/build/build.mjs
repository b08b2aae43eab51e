// `npm run build`, and Wrangler's [build] command: tracker, worker, dashboard and pages, each only if what it is made
// from changed.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** What the builds of the tracker and of the dashboard said of their sizes. @param {string} name */
export const reportOf = (name) => at('dist', `${name}.txt`);

/** Builds everything that is out of date. */
export async function build() {
  await alone('build', async () => {
    await setUp();
    const tracker = join(made.tracker, 'shoreline.js');
    await buildIfChanged(
      'tracker',
      [...RUST, 'tracker-wasm', 'deploy/dev/build/tracker.mjs'],
      existsSync(tracker) ? reportOf('tracker') : tracker,
      () => reported('tracker', trackerBuild),
    );
    await buildIfChanged(
      'worker',
      [...RUST, 'worker', 'deploy/dev/build/worker.mjs', 'deploy/dev/build/bindgen'],
      workerScript,
      buildWorker,
      keepNames ? ['named'] : [],
    );
    const dashboard = join(made.dashboard, 'dashboard', 'index.html');
    await buildIfChanged(
      'dashboard',
      ['www/dashboard', 'package-lock.json', 'deploy/dev/build/dashboard.mjs'],
      existsSync(dashboard) ? reportOf('dashboard') : dashboard,
      () => reported('dashboard', (log) => buildDashboard({ outDir: made.dashboard, log })),
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

/**
 * Does a build, shows what it says, and keeps that for `npm run size`.
 * @param {string} name
 * @param {(log: (line: string) => void) => Promise<void>} work
 */
async function reported(name, work) {
  /** @type {string[]} */
  const lines = [];
  await work((line) => {
    lines.push(line);
    say(line);
  });
  mkdirSync(dirname(reportOf(name)), { recursive: true });
  writeFileSync(reportOf(name), `${lines.join('\n')}\n`);
}

/** @param {(line: string) => void} log */
async function trackerBuild(log) {
  const { wasmOpt, esbuild } = tools;
  try {
    await buildTracker({ root: at(), wasmOpt, esbuild, outDir: made.tracker, log });
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

// Wrangler runs it before it starts. The tests start many systems, and build once.
if (isProgram(import.meta.url) && process.env.SHORELINE_BUILT !== '1') main(build);
