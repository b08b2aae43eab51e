// `npm test`: sets up, builds, and runs every test, native and end to end. On Debian it installs what the tests need of
// the machine. Further arguments go to `cargo test`. `npm test -- --quick` runs what the change at hand needs.
import { availableParallelism } from 'node:os';
import { build } from '../build/build.mjs';
import { TEST_NEEDS, installNeeds } from '../setup/debian.mjs';
import { installMoto } from '../setup/moto.mjs';
import { forgetRefusals, refusals } from '../strict/refusals.mjs';
import { main, runHeard, runShown, say, seconds } from '../base/process.mjs';
import { tools } from '../base/project.mjs';
import { installSchemathesis } from '../setup/schemathesis.mjs';
import { checkNode, installPackages, setUp } from '../setup/setup.mjs';
import { cargoRuns, changedPaths, needsOf } from './quick.mjs';
import { TIMED } from './timed.mjs';

/**
 * A run of cargo, and how many tests it has at a time: as many as processors where nothing is said.
 * @typedef {{ args: string[], threads?: number }} Run
 */

/** By `SHORELINE_STRICT=1`: systems whose bindings refuse what the platform refuses (docs/RELIABILITY.md). */
const isStrict = Boolean(process.env.SHORELINE_STRICT);

const PROCESSORS = availableParallelism();

/** End-to-end tests wait for the system more than they compute: so many of them at a time. */
const MANY = 4 * PROCESSORS;

const TESTS = ['test', '--no-fail-fast', '--package', 'shoreline-tests'];
const E2E = [...TESTS, '--test', 'e2e', '--'];

/**
 * Native tests apart from the end-to-end ones: built together, cargo would give the crates that ship
 * the features of the browser driver's dependencies, and test what is not shipped.
 * @type {Run}
 */
const NATIVE = { args: ['test', '--no-fail-fast', '--workspace', '--exclude', 'shoreline-tests'] };

/** Little that drives the system, or nothing of it. @type {Run} */
const SMALL = { args: [...TESTS, '--lib', '--bins', '--test', 'kept_lists', '--test', 'sinks', '--test', 'tables'] };

/** What drives the built system. @type {Run[]} */
const DRIVEN = [
  { args: [...E2E, ...TIMED.flatMap((name) => ['--skip', name])], threads: MANY },
  { args: [...E2E, ...TIMED] },
  // 200,000 events: beside the end-to-end tests it leaves them too little of two processors.
  { args: [...TESTS, '--test', 'exact'] },
];

/** The commands of `deploy/` under Node's own test runner. */
const testDeploy = () => runShown(tools.node, ['--no-warnings', '--test', 'deploy/**/*.test.mjs']);

/**
 * Runs commands of cargo, all of them: what failed before does not hide what fails later.
 * @param {Run[]} runs
 */
async function runCargo(runs) {
  for (const { args, threads } of runs) {
    say(`cargo ${args.join(' ')}`);
    const start = Date.now();
    tell(await runShown('cargo', args, threads ? { RUST_TEST_THREADS: `${threads}` } : {}), start);
  }
}

/** Says how a run ended, which the whole ends as if it failed. @param {number} code @param {number} start */
function tell(code, start) {
  say(`${code === 0 ? 'passed' : 'failed'} (${seconds(start)})`);
  process.exitCode = code || process.exitCode;
}

/** Runs cargo and shows what it said when it has ended, so that two runs do not talk at once. @param {Run} run */
async function runBeside({ args }) {
  const start = Date.now();
  const { code, said } = await runHeard('cargo', args);
  say(`cargo ${args.join(' ')}`);
  process.stdout.write(said);
  tell(code, start);
}

/**
 * What arguments choose: of one package, or of all.
 * @param {string[]} args
 * @returns {Run[]}
 */
function chosen(args) {
  if (args.some((arg) => arg === '-p' || arg.startsWith('--package')))
    return [{ args: ['test', '--no-fail-fast', ...args] }];
  return [{ args: [...NATIVE.args, ...args] }, { args: [...TESTS, ...args] }];
}

/** Builds the system, and installs what else drives it. */
async function prepare() {
  await build();
  await installMoto();
  await installSchemathesis();
}

/** @param {string[]} args */
async function runQuickly(args) {
  const needs = needsOf(await changedPaths());
  const runs = cargoRuns(needs);
  if (!needs.deploy && runs.length === 0) return say('what changed needs no test but npm run check');
  await (needs.e2e.length > 0 ? build() : installPackages());
  if (needs.deploy) process.exitCode = await testDeploy();
  await runCargo(runs.map((run) => ({ args: [...run, ...args] })));
}

/** Fails where the strict layer refused anything, whether a test noticed or not. */
function tellRefusals() {
  const all = refusals();
  if (all.length === 0) return say('nothing was refused by the strict layer');
  for (const line of new Set(all)) console.error(line);
  say(`the strict layer refused ${all.length} times`);
  process.exitCode = 1;
}

main(async () => {
  const start = Date.now();
  checkNode();
  forgetRefusals();
  await installNeeds(TEST_NEEDS);
  const args = process.argv.slice(2);
  process.exitCode = 0;
  if (args.includes('--quick')) {
    await runQuickly(args.filter((arg) => arg !== '--quick'));
  } else {
    await setUp();
    // The last crate of the worker is one processor's work: native tests, which need none of it, have the others.
    await Promise.all([prepare(), args.length === 0 && runCargo([NATIVE])]);
    if (args.length === 0) {
      // Most of what it compiles, the end-to-end tests are made of, too.
      const small = runBeside(SMALL);
      say('the commands of deploy/');
      process.exitCode = (await testDeploy()) || process.exitCode;
      await small;
      await runCargo(DRIVEN);
    } else {
      await runCargo(chosen(args));
    }
  }
  if (isStrict) tellRefusals();
  say(`tests ${process.exitCode === 0 ? 'passed' : 'failed'} (${seconds(start)})`);
});
