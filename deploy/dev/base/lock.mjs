// Locks between processes: a file that holds its owner's process id.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { say } from './process.mjs';
import { devDir, root } from './project.mjs';

/** The locks of this process. @type {Set<string>} */
const held = new Set();
process.once('exit', () => held.forEach(releaseLock));

/**
 * Takes a lock, or tells who has it. The lock of a process that is gone counts as free, and an
 * owner that ends, ends its lock.
 * @param {string} path
 * @returns {number | undefined} the owner's process id; undefined if the lock is now ours
 */
export function takeLock(path) {
  mkdirSync(dirname(path), { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      held.add(path);
      return undefined;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    const owner = ownerOf(path);
    if (owner !== undefined) return owner;
    rmSync(path, { force: true });
  }
}

/** @param {string} path a lock of this process */
function releaseLock(path) {
  held.delete(path);
  rmSync(path, { force: true });
}

/** @param {string} path @returns {number | undefined} the living process that has the lock */
function ownerOf(path) {
  let pid;
  try {
    pid = Number(readFileSync(path, 'utf8'));
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    // EPERM: another user's process, and alive.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM' ? pid : undefined;
  }
}

/** How often a waiting process looks again. */
const RETRY_MS = 100;

/** After how long it says what it waits for. */
const PATIENCE_MS = 3_000;

/**
 * Does `work` while no other process of this checkout does.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 */
export async function alone(name, work) {
  const path = join(devDir, `${name}.lock`);
  const start = Date.now();
  for (let told = false, owner; (owner = takeLock(path)) !== undefined; ) {
    if (!told && Date.now() - start > PATIENCE_MS) {
      told = true;
      say(`waiting for the ${name} of process ${owner} (if there is none, delete ${relative(root, path)})`);
    }
    await delay(RETRY_MS);
  }
  try {
    return await work();
  } finally {
    releaseLock(path);
  }
}
