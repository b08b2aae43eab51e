// What a change needs to be tested: the part of `npm test` that `npm test -- --quick` runs.
import { outputOf } from '../base/process.mjs';

/** The crates in which everything is tested natively. */
const SHARED = 'shoreline-shared';
const WORKER = 'shoreline-worker';
const TRACKER = 'shoreline-tracker';
const PUBLISHER = 'shoreline-publisher';
const NATIVE = [SHARED, WORKER, TRACKER, PUBLISHER];

/** The rules of who may know whom: it reads the sources of the crates that ship. */
const ROOMS = 'shoreline-rooms';

/** One event's way on the running system, who may do what, and what is refused. */
const SMOKE = ['pipeline::', 'tenancy::', 'refusals::keys'];

/**
 * What is to be run: the tests of `deploy/`; crates; targets of the crate `shoreline-tests`; end-to-end tests by parts
 * of their names.
 * @typedef {{ deploy?: boolean, crates?: string[], targets?: string[], e2e?: string[] }} Needs
 */

/**
 * Which files need what: all rules that match a file count.
 * @type {[RegExp, Needs | ((found: RegExpExecArray) => Needs)][]}
 */
const RULES = [
  [/^(shared|worker|tracker-wasm|publisher|tests\/rooms)\//, { crates: [ROOMS] }],
  [/^shared\//, { crates: NATIVE, e2e: SMOKE }],
  [/^worker\//, { crates: [WORKER], e2e: SMOKE }],
  [/^tracker-wasm\//, { crates: [TRACKER], e2e: ['tracker::calls', 'tracker::delivery'] }],
  [/^publisher\//, { crates: [PUBLISHER], e2e: ['publisher::'] }],
  [/^www\/dashboard\//, { e2e: ['dashboard::views', 'dashboard::questions'] }],
  [/^www\/(?!dashboard\/)/, { e2e: ['pages::'] }],
  [/^(deploy|tests\/bench)\//, { deploy: true }],
  [/^deploy\/dev\/(base|build|run|setup)\//, { e2e: SMOKE }],
  [/^deploy\/(demo|dev\/lake)\//, ([, room]) => ({ e2e: [room === 'demo' ? 'demo::' : 'lake::'] })],
  [/^deploy\/aws\//, { targets: ['tables'] }],
  [/^tests\/src\//, { targets: ['lib'], e2e: SMOKE }],
  [/^tests\/e2e\/(\w+)/, ([, module]) => ({ e2e: module === 'main' ? SMOKE : [`${module}::`] })],
  [/^tests\/(exact|tables|sinks)\//, ([, target]) => ({ targets: [target] })],
  [/^tests\/tests\//, { targets: ['kept_lists'] }],
  [/^(Cargo\.|package|rust-toolchain|wrangler\.toml|\.ci\/)/, { deploy: true, crates: NATIVE, e2e: SMOKE }],
  [/^(README|docs\/(API|EVENTS))\.md$/, { e2e: ['clients::docs'] }],
  [/^docs\/(EVENTS\.md|schemas\/)/, { crates: [SHARED] }],
  [/^docs\/KAFKA\.md$/, { crates: [WORKER] }],
  [/^docs\/LAKE\.md$/, { targets: ['tables'] }],
  [/^docs\/COST\.md$/, { deploy: true }],
];

/**
 * What changed files need.
 * @param {string[]} paths
 * @returns {Required<Needs>}
 */
export function needsOf(paths) {
  const found = paths.flatMap((path) =>
    RULES.flatMap(([pattern, needs]) => {
      const match = pattern.exec(path);
      if (!match) return [];
      return [typeof needs === 'function' ? needs(match) : needs];
    }),
  );
  const all = (/** @type {'crates' | 'targets' | 'e2e'} */ kind) => [
    ...new Set(found.flatMap((needs) => needs[kind] ?? [])),
  ];
  return {
    deploy: found.some(({ deploy }) => deploy),
    crates: all('crates'),
    targets: all('targets'),
    // What a longer name chooses, a shorter one that it begins with has chosen.
    e2e: all('e2e').filter((name, _, names) => !names.some((other) => other !== name && name.startsWith(other))),
  };
}

/**
 * The files of a change: those that differ from the last commit, else those of the commits that `main` lacks, else
 * those of the last commit.
 */
export async function changedPaths() {
  const listed = async (/** @type {string[]} */ ...args) =>
    ((await outputOf('git', args)) ?? '').split('\n').filter(Boolean);
  const open = [
    ...(await listed('diff', '--name-only', 'HEAD')),
    ...(await listed('ls-files', '--others', '--exclude-standard')),
  ];
  const base = (await outputOf('git', ['merge-base', 'HEAD', 'main'])) ?? 'HEAD';
  const paths = [...open, ...(await listed('diff', '--name-only', base, 'HEAD'))];
  return paths.length > 0 ? [...new Set(paths)] : listed('diff', '--name-only', 'HEAD~1', 'HEAD');
}

/**
 * The arguments of `cargo` for what is needed; crates apart from the end-to-end tests, as in the whole run.
 * @param {Required<Needs>} needs
 * @returns {string[][]}
 */
export function cargoRuns({ crates, targets, e2e }) {
  const tests = ['test', '--package', 'shoreline-tests'];
  const named = targets.map((name) => (name === 'lib' ? ['--lib'] : ['--test', name])).flat();
  return [
    ...(crates.length > 0 ? [['test', '--no-fail-fast', ...crates.flatMap((name) => ['--package', name])]] : []),
    ...(named.length > 0 ? [[...tests, '--no-fail-fast', ...named]] : []),
    ...(e2e.length > 0 ? [[...tests, '--test', 'e2e', '--', ...e2e]] : []),
  ];
}
