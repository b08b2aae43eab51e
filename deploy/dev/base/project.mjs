// Where things are, and which versions the project has decided on.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

/** A path inside the checkout. @param {string[]} parts */
export const at = (...parts) => join(root, ...parts);

/** A text file of the checkout. @param {string} path */
export const readText = (path) => readFileSync(at(path), 'utf8');

/** What `npm start` keeps for itself, apart from the system's data. */
export const devDir = at('.dev');

/** The folder of the local D1, Durable Objects and R2; Wrangler's own default if nothing is said. */
export const stateDir = process.env.SHORELINE_STATE ? resolve(process.env.SHORELINE_STATE) : at('.wrangler', 'state');

/** What these scripts keep about a state folder: logs, stamps. */
export const stateNotes = join(stateDir, 'shoreline');

/** The folder in which Wrangler and Miniflare lay out what they persist. */
export const persistRoot = join(stateDir, 'v3');

const bin = at('node_modules', '.bin');

export const tools = {
  /** A Node that Wrangler accepts, whatever the machine's own is. */
  node: at('node_modules', 'node', 'bin', 'node'),
  /** Wrangler's program, without the launcher in front of it. */
  wrangler: at('node_modules', 'wrangler', 'wrangler-dist', 'cli.js'),
  wasmOpt: join(bin, 'wasm-opt'),
  esbuild: join(bin, 'esbuild'),
  tsc: join(bin, 'tsc'),
  biome: join(bin, 'biome'),
  bindgen: at('.tools', 'bin', 'shoreline-bindgen'),
};

/**
 * The built tracker and dashboard, and the pages with them: as `npm start` serves them, and as Wrangler by itself does.
 */
export const made = {
  tracker: at('dist', 'tracker'),
  dashboard: at('dist', 'dashboard'),
  localPages: at('dist', 'local'),
  pages: at('dist', 'www'),
};

/**
 * The environment of every program these scripts start: the project's own Node and tools first,
 * and rustup's default folder last, for a shell that was open when Rust was installed.
 */
export function toolEnv() {
  const path = [bin, process.env.PATH, join(homedir(), '.cargo', 'bin')];
  return { ...process.env, PATH: path.filter(Boolean).join(delimiter) };
}

/**
 * The version of a crate in Cargo.lock.
 * @param {string} crate
 */
export function lockedVersion(crate) {
  const entry = new RegExp(`^name = "${crate}"\\r?\\nversion = "([^"]+)"`, 'm').exec(readText('Cargo.lock'));
  if (!entry) throw new Error(`Cargo.lock does not name ${crate}`);
  return entry[1];
}

/** Whether the packages of package-lock.json, and no other versions, are in node_modules. */
export function packagesInstalled() {
  const listing = at('node_modules', '.package-lock.json');
  if (!existsSync(listing) || !existsSync(tools.node)) return false;
  const installed = JSON.parse(readFileSync(listing, 'utf8')).packages;
  /** @type {[string, {version?: string, optional?: boolean}][]} */
  const locked = Object.entries(JSON.parse(readText('package-lock.json')).packages);
  // '' is the project itself; optional packages are other platforms' binaries.
  return locked.every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}
