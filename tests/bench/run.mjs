// One timed run of one system.
import { Failure, outputOf } from '../../deploy/dev/process.mjs';
import { cpuSeconds, memoryMb } from './proc.mjs';
import { settle } from './systems.mjs';

/** The load generator (tests/src/bin/load). */
export const LOAD = 'target/release/load';

/** Where pages are. */
export const ORIGIN = 'http://localhost:8787';

/** How far a request goes. @typedef {'empty' | 'validate' | 'full'} Path */

/**
 * What a run took: requests a second, ms, µs of workerd's processor time a request with all that follows it, MB at its end,
 * and which share of a core the load generator took.
 * @typedef {{ rate: number, p50: number, p99: number, cpu: number, memory: number, ownCpu: number }} Figures
 */

/**
 * Load, not measured.
 * @param {import('./systems.mjs').System} system
 * @param {Path} path
 * @param {{ connections: number, seconds: number, events?: number, pace?: { batches: number, rate: number } }} load
 */
export async function send({ name, url, secrets }, path, { connections, seconds, events = 25, pace }) {
  const args = [url, secrets.browserKey, ORIGIN, 'once', path, connections, seconds, events, ...(pace ? [pace.batches, pace.rate] : [])];
  const told = await outputOf(LOAD, args.map(String));
  if (!told) throw new Failure(`${name} refused the load (${path}); run it by hand to see why: ${LOAD} ${args.join(' ')}`);
  return /** @type {{ batches: number, seconds: number, rate: number, p50: number, p99: number, ownCpu: number }} */ (JSON.parse(told));
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
