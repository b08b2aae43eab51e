// Builds what a page downloads: shoreline.js and shoreline.wasm, from tracker-wasm/.
//
//   node deploy/dev/build/tracker.mjs [outDir]
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkBudget, sizeTable } from '../../../tracker-wasm/tools/sizes.mjs';

const TARGET = 'wasm32-unknown-unknown';

/**
 * The stack, bytes: the core's calls are few and shallow. What is not reserved need not be addressed,
 * and shorter addresses are a shorter download.
 */
const STACK_BYTES = 16 * 1024;

/**
 * Asks the browser to compile all functions at once, which it does in the background while it loads the
 * script, instead of each in the page's way when it is first called. Browsers that do not know this
 * (before Chromium 136) take it for a comment.
 */
const COMPILE_HINT = '//# allFunctionsCalledOnLoad\n';

/** Properties that only the tracker's own script knows: they need no names. */
const OURS = '^(denied|isPrivate|isSealed|isFirst|stored|mine|dataJson|user)$';

/**
 * Smallest first. `low-memory-unused` holds because the end of the stack is there. Traps are kept:
 * the module ends where memory does, instead of writing over itself.
 */
const SMALLEST = ['-Oz', '--low-memory-unused', '--zero-filled-memory', '--strip-debug', '--strip-producers'];

/**
 * @param {{ root: string, wasmOpt: string, esbuild: string, outDir: string, log?: (line: string) => void }} options
 *   the checkout, the programs, where the result goes, and where lines about it go
 */
export async function buildTracker({ root, wasmOpt, esbuild, outDir, log = console.log }) {
  const targetDir = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
  mkdirSync(targetDir, { recursive: true });
  // A folder of its own for every build: two may run at a time.
  const work = mkdtempSync(join(targetDir, 'tracker-'));
  try {
    const parts = await build({ root, targetDir, work, wasmOpt, esbuild, outDir });
    for (const line of [...sizeTable(parts), ...snippet(parts)]) log(line);
    checkBudget(parts);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * What a page pastes that wants one version of the script, and no other.
 * @param {Record<string, Buffer>} parts
 */
const snippet = ({ 'shoreline.js': js }) => [
  'the script by a name that never changes its content:',
  `<script defer crossorigin="anonymous" src="https://COLLECTOR/t/shoreline.${shortHash(js)}.js" ` +
    `integrity="${integrity(js)}" data-key="KEY"></script>`,
];

/** @param {Record<'root' | 'targetDir' | 'work' | 'wasmOpt' | 'esbuild' | 'outDir', string>} where */
async function build({ root, targetDir, work, wasmOpt, esbuild, outDir }) {
  const run = runner(root);
  const cargo = [
    'rustc',
    '-p',
    'shoreline-tracker',
    '--lib',
    '--crate-type',
    'cdylib',
    '--profile',
    'tracker',
    '--target',
    TARGET,
  ];
  await run('cargo', [...cargo, '--', '-C', `link-arg=-zstack-size=${STACK_BYTES}`]);
  const built = join(targetDir, TARGET, 'tracker', 'shoreline_tracker.wasm');
  const [used, small] = [join(work, 'used.wasm'), join(work, 'small.wasm')];
  // What the linker exports beside the core's functions, nobody asks for.
  const graph = [
    ...readFileSync(join(root, 'tracker-wasm', 'src', 'shell.rs'), 'utf8').matchAll(/^    fn (\w+)\(/gm),
  ].map(([, name]) => ({ name, export: name, root: true }));
  writeFileSync(join(work, 'graph.json'), JSON.stringify(graph));
  await run(join(dirname(wasmOpt), 'wasm-metadce'), [built, '--graph-file', join(work, 'graph.json'), '-o', used]);
  await run(wasmOpt, [
    '--flatten',
    '--rereloop',
    ...SMALLEST,
    ...SMALLEST,
    '--reorder-locals',
    '--reorder-functions',
    '--strip-target-features',
    used,
    '-o',
    small,
  ]);

  const wasm = readFileSync(small);
  const wasmPath = `/t/shoreline.${shortHash(wasm)}.wasm`;
  const define = [`--define:WASM_INTEGRITY="${integrity(wasm, 'sha256')}"`, `--define:WASM_PATH="${wasmPath}"`];
  const bundle = async (/** @type {string} */ name, /** @type {string} */ format) => {
    const [from, to] = [join(root, 'tracker-wasm', 'js', name), join(work, name)];
    await run(esbuild, [
      from,
      '--bundle',
      `--format=${format}`,
      '--minify',
      '--target=es2021',
      '--charset=utf8',
      `--mangle-props=${OURS}`,
      ...define,
      '--log-level=warning',
      `--outfile=${to}`,
    ]);
    return Buffer.from(COMPILE_HINT + (await shortened(readFileSync(to, 'utf8'), format === 'esm')));
  };
  const js = await bundle('shoreline.js', 'iife');

  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(join(outDir, 't'), { recursive: true });
  writeFileSync(join(outDir, 'shoreline.js'), js);
  writeFileSync(join(outDir, wasmPath), wasm);
  const script = `/t/shoreline.${shortHash(js)}.js`;
  writeFileSync(join(outDir, script), js);
  // The dashboard's snippet is made of it.
  writeFileSync(join(outDir, 'tracker.json'), `${JSON.stringify({ script, integrity: integrity(js) })}\n`);

  const npm = join(outDir, '..', 'npm');
  mkdirSync(npm, { recursive: true });
  cpSync(join(root, 'tracker-wasm', 'npm'), npm, { recursive: true });
  cpSync(join(root, 'tracker-wasm', 'js', 'shoreline.d.ts'), join(npm, 'shoreline.d.ts'));
  writeFileSync(join(npm, 'shoreline.wasm'), wasm);
  writeFileSync(join(npm, 'index.js'), await bundle('module.js', 'esm'));
  return { 'shoreline.js': js, 'shoreline.wasm': wasm };
}

/**
 * What the bundler's own minifier leaves: some 3 % of the script.
 * @param {string} script
 * @param {boolean} module
 */
async function shortened(script, module) {
  // Not before set-up has installed it.
  const { minify } = await import('terser');
  const { code } = await minify(script, {
    ecma: 2020,
    module,
    compress: { passes: 3, inline: 1, unsafe_arrows: true },
  });
  return `${code}\n`;
}

/** What a name that never changes its content is told by. @param {Buffer} bytes */
const shortHash = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** Of the module in the script the shorter one: a page downloads it. @param {Buffer} bytes */
const integrity = (bytes, by = 'sha384') => `${by}-${createHash(by).update(bytes).digest('base64')}`;

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
      const { stdout } = await promisify(execFile)(program, args, {
        cwd: root,
        env: { ...process.env, PATH: path },
        maxBuffer: 2 ** 24,
      });
      return stdout;
    } catch (error) {
      const { stderr, message } = /** @type {Error & { stderr?: string }} */ (error);
      throw new Error(`${program} failed:\n${stderr || message}`);
    }
  };
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
  const bin = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name);
  await buildTracker({
    root,
    wasmOpt: process.env.WASM_OPT_BIN ?? bin('wasm-opt'),
    esbuild: process.env.ESBUILD_BIN ?? bin('esbuild'),
    outDir: resolve(process.argv[2] ?? join(root, 'dist', 'tracker')),
  });
}
