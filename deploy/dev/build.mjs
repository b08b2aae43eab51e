// `npm run build`, and Wrangler's [build] command: tracker, pages and worker, each only if what it is made from changed.
import { buildTracker } from './build-tracker.mjs';
import { loadSecrets, snippet } from './keys.mjs';
import { alone } from './lock.mjs';
import { syncPages } from './pages.mjs';
import { isProgram, main, runLogged, say, seconds } from './process.mjs';
import { at, devDir, toolEnv, tools } from './project.mjs';
import { setUp } from './setup.mjs';
import { fingerprint, unlessDone } from './stamp.mjs';

/** What every Rust build depends on. */
const RUST = ['Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', '.cargo', 'shared', 'package-lock.json', 'deploy/dev/build.mjs'];

const TRACKER_OUT = at('dist', 'tracker');

/** Builds everything that is out of date. */
export async function build() {
  await alone('build', async () => {
    await setUp();
    await buildIfChanged('tracker', [...RUST, 'tracker-wasm', 'deploy/dev/build-tracker.mjs'], at('dist', 'tracker', 'shoreline.js'), () =>
      buildTracker({ root: at(), wasmBindgen: tools.wasmBindgen, wasmOpt: tools.wasmOpt, esbuild: tools.esbuild, outDir: TRACKER_OUT, log: say }),
    );
    await buildIfChanged('worker', [...RUST, 'worker'], at('worker', 'build', 'index.js'), buildWorker);
    syncPages([at('www'), TRACKER_OUT], at('dist', 'www'), demoSnippet());
  });
}

function buildWorker() {
  // Without these three, worker-build downloads what it runs.
  const own = { WASM_BINDGEN_BIN: tools.wasmBindgen, WASM_OPT_BIN: tools.wasmOpt, ESBUILD_BIN: tools.esbuild };
  return runLogged('build worker', tools.workerBuild, ['--release'], { cwd: at('worker'), env: { ...toolEnv(), ...own } });
}

/** The demo page is a page of the local demo site; deployed, that site and its keys do not exist. */
function demoSnippet() {
  const command = process.env.WRANGLER_COMMAND;
  return command === undefined || command === 'dev' ? snippet('', loadSecrets().browserKey) : '';
}

/**
 * @param {string} name
 * @param {string[]} sources
 * @param {string} made a file that the build makes
 * @param {() => Promise<void>} work
 */
async function buildIfChanged(name, sources, made, work) {
  const start = Date.now();
  const inputs = fingerprint(sources);
  const worked = await unlessDone({ stamp: `${devDir}/stamps/${name}`, inputs, made }, async () => {
    say(`building the ${name}`);
    await work();
  });
  if (worked) say(`built the ${name} (${seconds(start)})`);
}

if (isProgram(import.meta.url)) main(build);
