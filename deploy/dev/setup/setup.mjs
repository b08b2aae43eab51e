// `npm run setup`: fetches and compiles what the build needs and this machine lacks. Done again, it does nothing.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { Failure, isProgram, main, outputOf, runLogged, say, seconds } from '../base/process.mjs';
import { at, lockedVersion, packagesInstalled, toolEnv, tools } from '../base/project.mjs';
import { WORKER_BUILD_NEEDS, installNeeds } from './debian.mjs';

const OLDEST_NODE = 20;
const WASM = 'wasm32-unknown-unknown';

/** Makes sure that every tool of the build is there. */
export async function setUp() {
  await checkMachine();
  await installPackages();
  await installWasmTarget();
  await installCargoTools();
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
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=5000',
  ]);
  if (!packagesInstalled()) {
    throw new Failure(
      'npm ci left packages out, perhaps because install scripts are switched off (npm config get ignore-scripts)',
    );
  }
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

/** The command-line tools from crates.io, in the versions that fit the crates of Cargo.lock. */
const cargoTools = () => [
  { crate: 'wasm-bindgen-cli', version: lockedVersion('wasm-bindgen'), path: tools.wasmBindgen },
  { crate: 'worker-build', version: lockedVersion('worker'), path: tools.workerBuild },
];

async function installCargoTools() {
  const list = at('.tools', '.crates.toml');
  const installed = existsSync(list) ? readFileSync(list, 'utf8') : '';
  const missing = cargoTools().filter(
    ({ crate, version, path }) => !existsSync(path) || !installed.includes(`"${crate} ${version} `),
  );
  // openssl-sys asks pkg-config, unless this says where OpenSSL is.
  const findsOpenSsl = process.platform !== 'linux' || process.env.OPENSSL_DIR !== undefined;
  if (missing.some(({ crate }) => crate === 'worker-build') && !findsOpenSsl) await installNeeds(WORKER_BUILD_NEEDS);
  const objects = at('.tools', 'target');
  // They run for seconds and are compiled for minutes: a third fewer if not for the last bit of speed.
  const env = { CARGO_PROFILE_RELEASE_OPT_LEVEL: '1', ...toolEnv() };
  for (const { crate, version, path } of missing) {
    // Not --locked: the lock file that wasm-bindgen-cli comes with does not build.
    const args = [
      'install',
      '--root',
      at('.tools'),
      '--target-dir',
      objects,
      '--bin',
      basename(path),
      `${crate}@${version}`,
    ];
    await step(`${crate} ${version}`, 'cargo', args, env);
  }
  rmSync(objects, { recursive: true, force: true });
}

/**
 * @param {string} what
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
async function step(what, command, args, env) {
  const start = Date.now();
  say(`installing ${what}`);
  await runLogged(`install ${what}`, command, args, { env });
  say(`installed ${what} (${seconds(start)})`);
}

if (isProgram(import.meta.url)) main(() => setUp().then(() => say('set up')));
