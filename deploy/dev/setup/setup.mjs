// `npm run setup`: fetches and compiles what the build needs and this machine lacks. Done again, it does nothing.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { Failure, isProgram, main, outputOf, runLogged, say, seconds } from '../base/process.mjs';
import { at, lockedVersion, packagesInstalled, readText, tools } from '../base/project.mjs';

const OLDEST_NODE = 20;
const WASM = 'wasm32-unknown-unknown';

/** Makes sure that every tool of the build is there. */
export async function setUp() {
  await checkMachine();
  await installPackages();
  await installWasmTarget();
  await installBindgen();
}

/** The sentence for a Node that is too old, also for those that could not run much of this. */
export function checkNode() {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) return;
  throw new Failure(
    `Node ${process.versions.node} is too old; install Node ${OLDEST_NODE} or newer (https://nodejs.org)`,
  );
}

async function checkMachine() {
  checkNode();
  const rust = (await outputOf('rustup', ['--version'])) ?? (await outputOf('cargo', ['--version']));
  if (rust === undefined)
    throw new Failure('Rust was not found (no rustup or cargo on the PATH); install it with https://rustup.rs');
  if ((await outputOf('cc', ['--version'])) === undefined) {
    throw new Failure('no C compiler was found (cc), which Rust links with; on Debian: apt install build-essential');
  }
}

/** Installs the npm packages of the lock file. */
export async function installPackages() {
  if (packagesInstalled()) return;
  await step('npm packages', 'npm', [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=5000',
  ]);
  // Nothing that is installed runs a script of its own, but for what package.json allows to.
  const { allowScripts } = JSON.parse(readText('package.json'));
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
  await step('scripts of npm packages', 'npm', ['rebuild', '--ignore-scripts=false', '--loglevel=error', ...allowed]);
  if (!packagesInstalled()) throw new Failure('npm ci left packages out');
}

/** Installs Rust's WebAssembly target. */
export async function installWasmTarget() {
  const libraries = await outputOf('rustc', ['--print', 'target-libdir', '--target', WASM]);
  if (libraries !== undefined && existsSync(libraries)) return;
  if ((await outputOf('rustup', ['--version'])) === undefined) {
    throw new Failure(
      `Rust's ${WASM} target is missing, and rustup, which would install it, was not found (https://rustup.rs)`,
    );
  }
  // With no name, rustup reads rust-toolchain.toml, which names the target too.
  if (libraries === undefined) await step('Rust toolchain', 'rustup', ['toolchain', 'install']);
  await step(`Rust target ${WASM}`, 'rustup', ['target', 'add', WASM]);
}

/** What writes the JavaScript around the worker's wasm, compiled here (`deploy/dev/build/bindgen`). */
const BINDGEN = { crate: 'shoreline-bindgen', folder: 'deploy/dev/build/bindgen' };

async function installBindgen() {
  const version = lockedVersion('wasm-bindgen');
  if (!readText(`${BINDGEN.folder}/Cargo.toml`).includes(`"=${version}"`)) {
    throw new Failure(`${BINDGEN.folder}/Cargo.toml must name wasm-bindgen's version in Cargo.lock, ${version}`);
  }
  const list = at('.tools', '.crates.toml');
  const installed = existsSync(list) ? readFileSync(list, 'utf8') : '';
  if (existsSync(tools.bindgen) && installed.includes(`"${BINDGEN.crate} ${version} `)) return;
  const objects = at('.tools', 'target');
  const where = ['--path', at(BINDGEN.folder), '--root', at('.tools'), '--target-dir', objects];
  await step(`${BINDGEN.crate} ${version}`, 'cargo', ['install', '--locked', ...where]);
  rmSync(objects, { recursive: true, force: true });
}

/**
 * @param {string} what
 * @param {string} command
 * @param {string[]} args
 */
async function step(what, command, args) {
  const start = Date.now();
  say(`installing ${what}`);
  await runLogged(`install ${what}`, command, args);
  say(`installed ${what} (${seconds(start)})`);
}

if (isProgram(import.meta.url)) main(() => setUp().then(() => say('set up')));
