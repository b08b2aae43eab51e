// `npm run size`: what a page downloads, by part and in total, the dashboard's first view, and what the worker weighs
// and costs to start. Fails over the budgets of sizes; a time depends on the machine, so it is only said.
// `npm run size -- tracker`: the first alone.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { workerScript, workerWasm } from './worker.mjs';
import { build, reportOf } from './build.mjs';
import { Failure, main, runShown } from '../base/process.mjs';
import { at, tools } from '../base/project.mjs';

/** Bytes, gzip -9, of the worker's module: what is uploaded, and read on every cold start. */
const WORKER_BUDGET = 935_000;

/** @param {number} bytes */
const shown = (bytes) => bytes.toLocaleString('en');

/** Says what the worker weighs. @returns {boolean} whether that is within the budget */
function sayWorkerSize() {
  const [wasm, script] = [workerWasm, workerScript].map((path) => readFileSync(path));
  const [module, glue] = [wasm, script].map((bytes) => gzipSync(bytes, { level: 9 }).length);
  console.log(
    `worker: index_bg.wasm ${shown(wasm.length)} bytes, ${shown(module)} gzip, of ${shown(WORKER_BUDGET)}; ` +
      `index.js ${shown(script.length)}, ${shown(glue)} gzip`,
  );
  return module <= WORKER_BUDGET;
}

main(async () => {
  // Over their budgets, the tracker and the dashboard are not built at all.
  await build();
  for (const name of ['tracker', 'dashboard']) process.stdout.write(readFileSync(reportOf(name), 'utf8'));
  if (process.argv.includes('tracker')) return;
  const fits = sayWorkerSize();
  // Miniflare wants the Node that set-up installed.
  await runShown(tools.node, [at('deploy', 'dev', 'build', 'startup.mjs')]);
  if (!fits) throw new Failure('the worker is over its budget');
});
