// Builds the worker: worker/build/index.js and index_bg.wasm, as Wrangler uploads them.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { runLogged } from '../base/process.mjs';
import { at, toolEnv, tools } from '../base/project.mjs';

/** The module that is uploaded. */
export const workerWasm = at('worker', 'build', 'index_bg.wasm');

/** The script around it. */
export const workerScript = at('worker', 'build', 'index.js');

/**
 * Keeps the names of functions in the module, for profiles and stack traces of a local run: 180 KB gzipped,
 * so what is deployed has none.
 */
export const keepNames = process.env.WASM_NAMES === 'keep';

const TARGET = 'wasm32-unknown-unknown';

/** What workerd has and the compiler does not use by itself: 128-bit vectors. */
const TARGET_FEATURES = '+simd128';

/**
 * How large a function marked `#[inline]` may be, in LLVM's measure, to be copied into its callers: as any other's at
 * `opt-level = "s"`, not 325. What is compiled for speed keeps a bound of its own, 225.
 */
const INLINE_HINT = 50;

/** What the module may use, so that wasm-opt writes nothing that workerd cannot read. */
const FEATURES = [
  'mutable-globals',
  'sign-ext',
  'nontrapping-float-to-int',
  'bulk-memory',
  'multivalue',
  'reference-types',
  'exception-handling',
  'simd',
];

/**
 * Passes that make the module smaller also when it is compressed. Not `-O` to `-Oz`: these inline, which LLVM has done
 * where it helps, and what LLVM wrote alike many times over they write differently each time (118 KB more, gzipped).
 * In the order of their names, functions that are alike are near each other, where gzip sees it (30 KB).
 */
const PASSES = [
  'remove-unused-module-elements',
  'duplicate-function-elimination',
  'dce',
  'vacuum',
  'remove-unused-names',
  'remove-unused-brs',
  'optimize-instructions',
  'merge-blocks',
  'code-folding',
  'rse',
  'vacuum',
  'duplicate-function-elimination',
  'reorder-functions-by-name',
];

/** Compiles the worker and makes it small. */
export async function buildWorker() {
  // With the second, its macros use what js-sys has itself, as in the worker crate's own build.
  const env = { ...toolEnv(), CARGO_ENCODED_RUSTFLAGS: rustFlags().join('\x1f'), WASM_BINDGEN_USE_JS_SYS: '1' };
  const cargo = ['build', '--package', 'shoreline-worker', '--lib', '--profile', 'worker', '--target', TARGET];
  await runLogged('build the worker', 'cargo', cargo, { env });
  const compiled = join(resolve(at(), process.env.CARGO_TARGET_DIR ?? 'target'), TARGET, 'worker');
  const bindings = [join(compiled, 'shoreline_worker.wasm'), dirname(workerWasm)];
  await runLogged("write the worker's bindings", tools.bindgen, bindings);
  // The bundler leaves the module to whoever loads it, and knows no other phase of an import.
  const script = readFileSync(workerScript, 'utf8');
  writeFileSync(workerScript, script.replace('import source ', 'import '));
  const small = `${workerWasm}.small`;
  const args = [...FEATURES.map((name) => `--enable-${name}`), ...PASSES.map((name) => `--${name}`)];
  await runLogged('shrink the worker', tools.wasmOpt, [
    workerWasm,
    ...args,
    ...(keepNames ? ['--debuginfo'] : []),
    '-o',
    small,
  ]);
  renameSync(small, workerWasm);
  // The entry takes the bindings in and replaces them.
  const outside = ['./index_bg.wasm', 'cloudflare:*'].map((name) => `--external:${name}`);
  const options = [
    '--bundle',
    '--format=esm',
    '--minify',
    ...outside,
    '--outfile=build/index.js',
    '--allow-overwrite',
    '--log-level=warning',
  ];
  const entry = 'src/shell/http/entry.js';
  await runLogged("build the worker's entry", tools.esbuild, [entry, ...options], { cwd: at('worker') });
  rmSync(join(dirname(workerWasm), 'snippets'), { recursive: true, force: true });
}

/** Flags of this build alone; paths of the machine would be in every panic's place. */
function rustFlags() {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
  return [
    '-C',
    `target-feature=${TARGET_FEATURES}`,
    '-C',
    `llvm-args=-inlinehint-threshold=${INLINE_HINT}`,
    `--remap-path-prefix=${join(cargoHome, 'registry', 'src')}=crates`,
  ];
}
