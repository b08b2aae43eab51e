// Builds the dashboard from www/dashboard/: types checked, bundled, minified, named by content, and weighed.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { Failure, runLogged } from '../base/process.mjs';
import { at, tools } from '../base/project.mjs';

/**
 * What the first view may weigh in all, bytes of brotli: the page, the style, the scripts before it, its own
 * and the chart's. On a slow phone's 1.5 Mbit/s that is a third of a second.
 */
const FIRST_VIEW_BYTES = 60_000;

/** Where the bundles are on the site: their names change with their content, so they are kept for good. */
const ASSETS = '/dashboard/a/';

/** Where a file of www/dashboard/ that a bundle begins with is. */
const source = (/** @type {string} */ name) => at('www', 'dashboard', name);

/** @type {import('esbuild').BuildOptions} */
const BUNDLE = {
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'silent',
};

/** The place in index.html that takes the names of the bundles. */
const PLACEHOLDER = '<!-- dashboard:files -->';

/**
 * Builds into `outDir`, which then is the site's root.
 * @param {{ outDir: string, log: (line: string) => void }} options
 */
export async function buildDashboard({ outDir, log }) {
  await runLogged('check the types of the dashboard', tools.tsc, ['-p', source('tsconfig.json')], { cwd: at() });
  // Not before set-up has installed it.
  const { build } = await import('esbuild');
  const folder = join(outDir, ASSETS);
  rmSync(outDir, { recursive: true, force: true });
  const bundle = async (/** @type {string[]} */ names, /** @type {import('esbuild').BuildOptions} */ options) => {
    const { metafile } = await build({
      ...BUNDLE,
      ...options,
      entryPoints: names.map(source),
      outdir: folder,
      absWorkingDir: at(),
      metafile: true,
    }).catch((/** @type {Error} */ error) => {
      throw new Failure(`the dashboard could not be bundled: ${error.message}`);
    });
    return Object.entries(metafile.outputs);
  };
  const outputs = [
    ...(await bundle(['src/main.ts', 'style.css'], { format: 'esm', splitting: true })),
    // Not a module: a module would come after the first paint.
    ...(await bundle(['src/first.ts'], { format: 'iife' })),
  ];
  const made = outputs.map(([path, output]) => ({ ...output, path: at(path) }));
  const of = (/** @type {string} */ name) => {
    const found = made.find(({ entryPoint }) => entryPoint === `www/dashboard/${name}`);
    if (!found) throw new Failure(`the dashboard's build made nothing of ${name}`);
    return found;
  };
  const url = (/** @type {{ path: string }} */ { path }) => `${ASSETS}${relative(folder, path)}`;
  const before = (/** @type {ReturnType<typeof of>} */ output) => [
    output,
    ...output.imports
      .filter(({ kind }) => kind === 'import-statement')
      .map(({ path }) => made.find((other) => other.path === at(path)))
      .filter((other) => other !== undefined),
  ];
  const [main, first, style] = [of('src/main.ts'), of('src/first.ts'), of('style.css')];
  const view = of(`src/views/${firstView()}.ts`);
  const early = [...new Set([...before(main), ...before(view)])];
  const tags = [
    `<script src="${url(first)}"></script>`,
    `<link rel="stylesheet" href="${url(style)}">`,
    ...early.filter((output) => output !== main).map((output) => `<link rel="modulepreload" href="${url(output)}">`),
    `<script type="module" src="${url(main)}"></script>`,
  ];
  const page = readFileSync(source('index.html'), 'utf8').replace(PLACEHOLDER, () => tags.join('\n'));
  mkdirSync(join(outDir, 'dashboard'), { recursive: true });
  writeFileSync(join(outDir, 'dashboard', 'index.html'), page);
  weigh(
    [
      join(outDir, 'dashboard', 'index.html'),
      ...new Set([first, style, ...early, ...before(of('src/ui/plot.ts'))].map(({ path }) => path)),
    ],
    log,
  );
}

/** The view that is shown where the URL names none: the first of the list. */
function firstView() {
  const name = /name: '(\w+)'/.exec(readFileSync(source('src/view.ts'), 'utf8'))?.[1];
  if (!name) throw new Failure('www/dashboard/src/view.ts names no view');
  return name;
}

/**
 * Says what the first view weighs; fails over the budget.
 * @param {string[]} files
 * @param {(line: string) => void} log
 */
function weigh(files, log) {
  const sizes = files.map(
    (file) => brotliCompressSync(readFileSync(file), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length,
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const said =
    `the dashboard's first view: ${bytes.toLocaleString('en')} bytes of brotli in ${files.length} files, of ` +
    `${FIRST_VIEW_BYTES.toLocaleString('en')}`;
  if (bytes > FIRST_VIEW_BYTES)
    throw new Failure(`${said}:\n${files.map((file, n) => `  ${sizes[n]} ${file}`).join('\n')}`);
  log(said);
}
