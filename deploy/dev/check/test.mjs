// `npm test`: sets up, builds, and runs every test, native and end to end. On Debian it installs what the tests need of
// the machine. Further arguments go to `cargo test`. `npm test -- --quick` runs what the change at hand needs.
import { availableParallelism } from 'node:os';
import { build } from '../build/build.mjs';
import { TEST_NEEDS, installNeeds } from '../setup/debian.mjs';
import { installMoto } from '../setup/moto.mjs';
import { main, runShown, say, seconds } from '../base/process.mjs';
import { tools } from '../base/project.mjs';
import { installSchemathesis } from '../setup/schemathesis.mjs';
import { checkNode } from '../setup/setup.mjs';
import { cargoRuns, changedPaths, needsOf } from './quick.mjs';

/**
 * Native tests apart from the end-to-end ones: built together, cargo would give the crates that ship
 * the features of the browser driver's dependencies, and test what is not shipped.
 */
const EVERYTHING = [
  ['test', '--no-fail-fast', '--workspace', '--exclude', 'shoreline-tests'],
  ['test', '--no-fail-fast', '--package', 'shoreline-tests'],
];

/** End-to-end tests wait for the system more than they compute: so many more of them at a time than processors. */
const TESTS_A_PROCESSOR = 3;

/** The commands of `deploy/` under Node's own test runner. */
const testDeploy = () => runShown(tools.node, ['--no-warnings', '--test', 'deploy/**/*.test.mjs']);

/**
 * Runs commands of cargo, all of them: what failed before does not hide what fails later.
 * @param {string[][]} runs
 */
async function runCargo(runs) {
  for (const args of runs) {
    const outside = args.includes('shoreline-tests') && args[args.indexOf('shoreline-tests') - 1] !== '--exclude';
    const threads = outside ? { RUST_TEST_THREADS: `${TESTS_A_PROCESSOR * availableParallelism()}` } : {};
    say(`cargo ${args.join(' ')}`);
    const start = Date.now();
    const code = await runShown('cargo', args, threads);
    say(`${code === 0 ? 'passed' : 'failed'} (${seconds(start)})`);
    process.exitCode = code || process.exitCode;
  }
}

/** @param {string[]} args */
async function runQuickly(args) {
  const needs = needsOf(await changedPaths());
  const runs = cargoRuns(needs);
  if (!needs.deploy && runs.length === 0) return say('what changed needs no test but npm run check');
  if (needs.e2e.length > 0) await build();
  if (needs.deploy) process.exitCode = await testDeploy();
  await runCargo(runs.map((run) => [...run, ...args]));
}

main(async () => {
  const start = Date.now();
  checkNode();
  await installNeeds(TEST_NEEDS);
  const args = process.argv.slice(2);
  process.exitCode = 0;
  if (args.includes('--quick')) {
    await runQuickly(args.filter((arg) => arg !== '--quick'));
  } else {
    await build();
    await installMoto();
    await installSchemathesis();
    const chosen = args.some((arg) => arg === '-p' || arg.startsWith('--package'));
    if (!chosen) {
      say('the commands of deploy/');
      process.exitCode = await testDeploy();
    }
    await runCargo(chosen ? [['test', '--no-fail-fast', ...args]] : EVERYTHING.map((run) => [...run, ...args]));
  }
  say(`tests ${process.exitCode === 0 ? 'passed' : 'failed'} (${seconds(start)})`);
});
