// One timed run of one system.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Failure } from '../../deploy/dev/base/process.mjs';
import { at } from '../../deploy/dev/base/project.mjs';
import { cpuSeconds, memoryMb } from './proc.mjs';
import { settle } from './systems.mjs';

/** The load generator (tests/src/bin/load). */
const LOAD = at('target', 'release', 'load');

/** Where pages are. */
export const ORIGIN = 'http://localhost:8787';

/** How far a request goes. @typedef {'empty' | 'validate' | 'full'} Path */

/**
 * What a run took: requests a second, ms, µs of workerd's processor time a request with all that follows it, MB at its
 * end, and which share of a core the load generator took.
 * @typedef {{ rate: number, p50: number, p99: number, cpu: number, memory: number, ownCpu: number }} Figures
 */

/**
 * Load, not measured.
 * @param {import('./systems.mjs').System} system
 * @param {Path} path
 * @param {{ connections: number, seconds: number, events?: number, pace?: { batches: number, rate: number } }} load
 */
export async function send({ name, url, secrets }, path, { connections, seconds, events = 25, pace }) {
  const args = [
    url,
    secrets.browserKey,
    ORIGIN,
    'once',
    path,
    connections,
    seconds,
    events,
    ...(pace ? [pace.batches, pace.rate] : []),
  ];
  const { stdout } = await promisify(execFile)(LOAD, args.map(String)).catch(
    (/** @type {{ stderr?: string }} */ { stderr }) => {
      throw new Failure(`the load on ${name} (${path}, ${connections} connections) failed: ${stderr}`);
    },
  );
  return /** @type {{ batches: number, seconds: number, rate: number, p50: number, p99: number, ownCpu: number }} */ (
    JSON.parse(stdout)
  );
}

/**
 * @param {import('./systems.mjs').System} system
 * @param {Path} path
 * @param {number} connections
 * @param {{ seconds: number, warmUp: number }} times
 * @returns {Promise<Figures>}
 */
export async function run(system, path, connections, { seconds, warmUp }) {
  await send(system, path, { connections, seconds: warmUp });
  await settle(system);
  const before = cpuSeconds(system.pid);
  const { batches, rate, p50, p99, ownCpu } = await send(system, path, { connections, seconds });
  const memory = memoryMb(system.pid);
  await settle(system);
  const cpu = ((cpuSeconds(system.pid) - before) / batches) * 1e6;
  return { rate, p50, p99, cpu, memory, ownCpu };
}
