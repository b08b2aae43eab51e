// Wrangler, run so that it stays on this machine, keeps apart from other runs, and leaves nothing behind.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { beforeStop, runLogged } from '../base/process.mjs';
import { devDir, made, root, stateDir, stateNotes, toolEnv, tools } from '../base/project.mjs';

const GUARD = new URL('guard.mjs', import.meta.url).href;

/** What `wrangler dev` says, one run after the other. */
export const WRANGLER_LOG = join(stateNotes, 'wrangler.log');

/** Bytes of the worker's isolate over time, where the strict layer looks: lines of the moment and bytes. */
export const MEMORY_LOG = join(stateNotes, 'memory.log');

/** Tells Wrangler's build command that who started it has prepared the database and the settings. */
export const PREPARED = 'SHORELINE_PREPARED';

/** The worker behind bindings that refuse what the platform refuses. */
const STRICT_WORKER = join('deploy', 'dev', 'strict', 'worker.mjs');

/** Whether these are wanted: `1` for the limits of the paid plan, `free` for those of the free one. */
export const strict = process.env.SHORELINE_STRICT ?? '';

/** How long Wrangler may take to end by itself. */
const GRACE_MS = 5_000;

/** What every Wrangler of these scripts runs with. */
export function wranglerEnv() {
  return {
    // It would keep a record of every request, which costs a fifth of the speed.
    X_LOCAL_OBSERVABILITY: 'false',
    ...toolEnv(),
    // Wrangler is 10 MB of JavaScript: what Node compiled of it is kept for the next start.
    NODE_COMPILE_CACHE: join(devDir, 'compiled'),
    NO_COLOR: '1',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_LOG_PATH: join(stateNotes, 'debug'),
    // Runs that share a registry hand each other's queue messages about.
    WRANGLER_REGISTRY_PATH: join(stateNotes, 'registry'),
    [PREPARED]: '1',
  };
}

/** What the project's Node is told in order to run Wrangler. @param {string[]} args */
export const command = (args) => ['--no-warnings', tools.wrangler, ...args];

/**
 * Runs a Wrangler command that ends by itself.
 * @param {string} task what is done, as in "could not …"
 * @param {string[]} args
 */
export const wrangler = (task, args) =>
  runLogged(task, tools.node, command(args), { env: wranglerEnv(), logDir: stateNotes });

/**
 * Starts `wrangler dev`; it ends with this process at the latest.
 * @param {{ port: number, inspectorPort: number, vars: string[], onLine: (line: string) => void }} options
 * @returns {{ ended: Promise<void>, end: () => Promise<void> }}
 */
export function wranglerDev({ port, inspectorPort, vars, onLine }) {
  const args = [
    'dev',
    ...(strict ? [STRICT_WORKER] : []),
    '--port',
    `${port}`,
    '--inspector-port',
    `${inspectorPort}`,
    '--persist-to',
    stateDir,
    '--assets',
    made.localPages,
    '--show-interactive-dev-session=false',
  ];
  if (strict) args.push('--var', `SHORELINE_STRICT:${strict}`);
  for (const pair of vars) args.push('--var', pair);
  const child = spawn(tools.node, ['--import', GUARD, ...command(args)], {
    cwd: root,
    env: wranglerEnv(),
    // A process group of its own, so that Ctrl-C reaches only us, and all of it can be ended at once.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  mkdirSync(stateNotes, { recursive: true });
  const log = createWriteStream(WRANGLER_LOG, { flags: 'a' });
  for (const output of [child.stdout, child.stderr]) {
    if (output === null) continue;
    createInterface({ input: output }).on('line', (coloured) => {
      const line = stripVTControlCharacters(coloured);
      log.write(`${line}\n`);
      onLine(line);
    });
  }
  /** @type {Promise<void>} */
  const ended = new Promise((done) => child.once('close', () => log.end(done)));
  const end = async () => {
    child.kill('SIGTERM');
    await Promise.race([ended, delay(GRACE_MS, undefined, { ref: false })]);
    endGroup(child.pid);
    forget();
  };
  const forget = beforeStop(end);
  return { ended, end };
}

/** Ends what is left of a process group. @param {number | undefined} leader */
function endGroup(leader) {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing is left.
  }
}
