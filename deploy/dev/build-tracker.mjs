// Builds what a page downloads: shoreline.js and shoreline.wasm, from tracker-wasm/.
//
//   node deploy/dev/build-tracker.mjs [outDir]
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fixGlue } from '../../tracker-wasm/tools/glue.mjs';
import { sizeTable } from '../../tracker-wasm/tools/sizes.mjs';
import { wipeDeadTexts } from '../../tracker-wasm/tools/wipe.mjs';

const TARGET = 'wasm32-unknown-unknown';

/**
 * The stack, bytes: the core's calls are few and shallow. What is not reserved need not be addressed,
 * and shorter addresses are a shorter download.
 */
const STACK_BYTES = 32 * 1024;

/** What JavaScript uses of the module; the rest of what wasm-bindgen exports, nobody asks for. */
const EXPORTS = ['ask', 'memory', '__wbindgen_malloc'];

/**
 * Smallest first. `low-memory-unused` holds because the end of the stack is there. Traps are kept:
 * the module ends where memory does, instead of writing over itself.
 */
const SMALLEST = ['-Oz', '--low-memory-unused', '--zero-filled-memory', '--strip-debug', '--strip-producers'];

/**
 * @param {{ root: string, wasmBindgen: string, wasmOpt: string, esbuild: string, outDir: string, log?: (line: string) => void }} options
 *   the checkout, the programs, where the result goes, and where lines about it go
 */
export async function buildTracker({ root, wasmBindgen, wasmOpt, esbuild, outDir, log = console.log }) {
  const targetDir = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
  mkdirSync(targetDir, { recursive: true });
  // A folder of its own for every build: two may run at a time.
  const work = mkdtempSync(join(targetDir, 'tracker-'));
  try {
    await build({ root, targetDir, work, wasmBindgen, wasmOpt, esbuild, outDir });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  for (const line of sizeTable([join(outDir, 'shoreline.js'), join(outDir, 'shoreline.wasm')])) log(line);
}

/** @param {Record<'root' | 'targetDir' | 'work' | 'wasmBindgen' | 'wasmOpt' | 'esbuild' | 'outDir', string>} where */
async function build({ root, targetDir, work, wasmBindgen, wasmOpt, esbuild, outDir }) {
  const run = runner(root);
  const inWork = (/** @type {string} */ name) => join(work, name);

  cpSync(join(root, 'tracker-wasm', 'js'), work, { recursive: true });
  writeFileSync(inWork('package.json'), '{ "type": "module" }');

  const cargo = ['rustc', '-p', 'shoreline-tracker', '--lib', '--crate-type', 'cdylib', '--profile', 'tracker', '--target', TARGET];
  await run('cargo', [...cargo, '--', '-C', `link-arg=-zstack-size=${STACK_BYTES}`]);
  const built = join(targetDir, TARGET, 'tracker', 'shoreline_tracker.wasm');
  await run(wasmBindgen, [built, '--target', 'bundler', '--no-typescript', '--out-name', 'glue', '--out-dir', work]);

  writeFileSync(inWork('graph.json'), JSON.stringify(EXPORTS.map((name) => ({ name, export: name, root: true }))));
  await run(join(dirname(wasmOpt), 'wasm-metadce'), [inWork('glue_bg.wasm'), '--graph-file', inWork('graph.json'), '-o', inWork('used.wasm')]);
  await run(wasmOpt, [...SMALLEST, inWork('used.wasm'), '-o', inWork('small.wasm')]);
  writeFileSync(inWork('wiped.wasm'), wipeDeadTexts(readFileSync(inWork('small.wasm'))));

  mkdirSync(outDir, { recursive: true });
  const [js, wasm] = [join(outDir, 'shoreline.js'), join(outDir, 'shoreline.wasm')];
  const names = await run(wasmOpt, ['--flatten', '--rereloop', ...SMALLEST, '--reorder-locals', '--reorder-functions', '--strip-target-features', '--minify-imports-and-exports-and-modules', inWork('wiped.wasm'), '-o', wasm]);
  writeFileSync(inWork('glue_bg.js'), fixGlue(readFileSync(inWork('glue_bg.js'), 'utf8'), JSON.parse(names)));
  const integrity = `sha256-${createHash('sha256').update(readFileSync(wasm)).digest('base64')}`;
  await run(esbuild, [inWork('shoreline.js'), '--bundle', '--format=iife', '--minify', '--target=es2020', '--charset=utf8', `--define:WASM_INTEGRITY="${integrity}"`, '--log-level=warning', `--outfile=${js}`]);
}

/**
 * Runs programs in the checkout; what they print comes back, or into the error if they fail.
 * @param {string} root
 */
function runner(root) {
  // rustup's default folder last, for a shell that was open when Rust was installed.
  const path = [process.env.PATH, join(homedir(), '.cargo', 'bin')].filter(Boolean).join(delimiter);
  /** @param {string} program @param {string[]} args */
  return async (program, args) => {
    try {
      const { stdout } = await promisify(execFile)(program, args, { cwd: root, env: { ...process.env, PATH: path }, maxBuffer: 2 ** 24 });
      return stdout;
    } catch (error) {
      const { stderr, message } = /** @type {Error & { stderr?: string }} */ (error);
      throw new Error(`${program} failed:\n${stderr || message}`);
    }
  };
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
  const bin = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name);
  await buildTracker({
    root,
    wasmBindgen: process.env.WASM_BINDGEN_BIN ?? join(root, '.tools', 'bin', 'wasm-bindgen'),
    wasmOpt: process.env.WASM_OPT_BIN ?? bin('wasm-opt'),
    esbuild: process.env.ESBUILD_BIN ?? bin('esbuild'),
    outDir: resolve(process.argv[2] ?? join(root, 'dist', 'tracker')),
  });
}
