// Stamps: work is skipped when its inputs are, byte for byte, those it was last done with.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { at } from './project.mjs';

/** Folders that hold what was made, not what it is made from. */
const MADE = new Set(['build', 'target', 'node_modules']);

/**
 * All files under a folder (or the file itself), in a stable order.
 * @param {string} path
 * @returns {string[]}
 */
export function filesUnder(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => !MADE.has(name));
  return names.sort().flatMap((name) => filesUnder(join(path, name)));
}

/**
 * One hash over the names and contents of files and folders of the checkout, and over further text.
 * @param {string[]} paths
 * @param {string[]} texts
 */
export function fingerprint(paths, texts = []) {
  const hash = createHash('sha256');
  const parts = paths
    .flatMap((path) => filesUnder(at(path)))
    .flatMap((file) => [file.slice(at().length), readFileSync(file)]);
  for (const part of [...parts, ...texts]) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

/**
 * Does `work` unless the stamp says that it was done with these inputs and `made` is still there.
 * @param {{ stamp: string, inputs: string, made: string }} done
 * @param {() => Promise<void>} work
 * @returns {Promise<boolean>} whether there was work to do
 */
export async function unlessDone({ stamp, inputs, made }, work) {
  if (existsSync(made) && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return false;
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, inputs);
  return true;
}
