// How these scripts run programs, speak, fail and stop.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { devDir, root, toolEnv } from './project.mjs';

/** A failure that one sentence explains; anything else that is thrown is a bug of these scripts. */
export class Failure extends Error {}

/** One line of progress. @param {string} line */
export const say = (line) => console.log(`shoreline: ${line}`);

/**
 * Whole seconds since `start`, for progress lines.
 * @param {number} start from `Date.now()`
 */
export const seconds = (start) => `${Math.round((Date.now() - start) / 1000)} s`;

/** Programs that run now. @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** What else has to happen before this process may end. @type {Set<() => Promise<void>>} */
const stoppers = new Set();

/**
 * Registers what has to happen before this process may end.
 * @param {() => Promise<void>} stopper
 * @returns {() => void} takes it back
 */
export function beforeStop(stopper) {
  stoppers.add(stopper);
  return () => stoppers.delete(stopper);
}

let stopping = false;

/**
 * Stops what was started, then this process.
 * @param {number} code the exit code
 */
export async function stop(code) {
  if (stopping) return;
  stopping = true;
  for (const child of running) child.kill('SIGTERM');
  await Promise.allSettled([...stoppers].map((stopper) => stopper()));
  process.exit(code);
}

/** Whether this process is on its way out, so that what ends now ended because it was told to. */
export const isStopping = () => stopping;

/**
 * Whether a module is the program that was started, and not only imported by it.
 * @param {string} url its `import.meta.url`
 */
export const isProgram = (url) => realpathSync(process.argv[1]) === fileURLToPath(url);

/**
 * Runs a script's work: a `Failure` becomes one sentence and exit code 1.
 * @param {() => Promise<unknown>} work
 * @param {number} interrupted the exit code after Ctrl-C and the like
 */
export async function main(work, interrupted = 130) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(interrupted));
  try {
    await work();
  } catch (error) {
    if (stopping) return;
    console.error(error instanceof Failure ? `shoreline: ${error.message}` : error);
    await stop(1);
  }
}

/** The end of a log, for an error message. @param {string} path */
export function lastLines(path, count = 30) {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}

/** How npm, cargo, rustup and apt say that they cannot reach their servers. */
const NO_NETWORK = new RegExp(
  [
    '^npm error code E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH)',
    'spurious network error',
    'failed to download',
    'could not download',
    'could not resolve host',
    'temporary failure resolving',
    '(could not|unable to) connect to',
  ].join('|'),
  'im',
);

/** How often a long step shows that it is alive. */
const TICK_MS = 20_000;

/**
 * Runs a program whose output only matters when it fails: it goes to a log, and long silence is
 * broken by the log's last line.
 * @param {string} task what is done, as in "could not …"
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, logDir?: string }} [options]
 */
export async function runLogged(task, command, args, { cwd = root, env = toolEnv(), logDir = devDir } = {}) {
  const log = join(logDir, `${task.replaceAll(/[^a-z0-9.]+/gi, '-')}.log`);
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, 'w');
  const start = Date.now();
  const tick = setInterval(() => say(`  … ${seconds(start)}: ${lastLines(log, 1).trim().slice(0, 100)}`), TICK_MS);
  try {
    const code = await finished(spawn(command, args, { cwd, env, stdio: ['ignore', file, file] }));
    if (code === 0) return;
  } finally {
    clearInterval(tick);
    closeSync(file);
  }
  const shown = relative(root, log);
  throw failureOf(task, readFileSync(log, 'utf8'), `the end of ${shown}:\n${lastLines(log)}`);
}

/**
 * The failure of a task that other programs did.
 * @param {string} task what was done, as in "could not …"
 * @param {string} output all they said
 * @param {string} details what of it to show
 */
export function failureOf(task, output, details = output) {
  return new Failure(NO_NETWORK.test(output) ? `no network: could not ${task}` : `could not ${task}; ${details}`);
}

/**
 * Runs a program in the foreground.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [further] what its environment has beside that of all programs
 * @returns {Promise<number>} its exit code
 */
export const runShown = (command, args, further = {}) =>
  finished(spawn(command, args, { cwd: root, env: { ...further, ...toolEnv() }, stdio: 'inherit' }));

/**
 * Runs a program to its end and hears what it says.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<{ code: number, said: string }>} its exit code, and its output and errors in their order
 */
export async function runHeard(command, args) {
  const child = spawn(command, args, { cwd: root, env: toolEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const pipe of [child.stdout, child.stderr]) pipe.setEncoding('utf8').on('data', (chunk) => (said += chunk));
  return { code: await finished(child), said };
}

/**
 * What a program prints, or undefined if it is missing or fails.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string | undefined>}
 */
export function outputOf(command, args) {
  const child = spawn(command, args, { cwd: root, env: toolEnv(), stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  return finished(child).then(
    (code) => (code === 0 ? output.trim() : undefined),
    () => undefined,
  );
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>} the exit code; 1 if a signal ended it
 */
function finished(child) {
  running.add(child);
  return new Promise((done, failed) => {
    child.once('error', (/** @type {NodeJS.ErrnoException} */ { code }) => {
      failed(
        new Failure(
          `${basename(child.spawnfile)} ${code === 'ENOENT' ? 'was not found' : `could not be started (${code})`}`,
        ),
      );
    });
    child.once('close', (code) => done(code ?? 1));
  }).finally(() => running.delete(child));
}
