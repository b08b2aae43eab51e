// Which licences what Shoreline is built of may have: what is shipped, and what only builds and tests it.
import { spawnSync } from 'node:child_process';
import { Failure } from '../base/process.mjs';
import { root, toolEnv } from '../base/project.mjs';

/** Licences that ask for no more than a notice: Shoreline may be shipped under its own with them. */
const SHIPPED = [
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSL-1.0',
  'CC0-1.0',
  // Of data: the list of root certificates that the publisher's TLS knows.
  'CDLA-Permissive-2.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unicode-3.0',
  'Unlicense',
  'Zlib',
];

/** Those of tools and tests, too: what is changed of such a file must be given on, and nothing is changed here. */
const TOOLS = [...SHIPPED, 'MPL-2.0'];

/** Packages of tools and tests whose licence is none of these, with the licence as they name it, and why they may. */
const EXCEPTIONS = [
  // A library that the images of Miniflare need, as programs load it; nothing of it is shipped.
  { name: /^@img\/sharp-/, licence: /^(Apache-2\.0 AND )?LGPL-3\.0-or-later( AND MIT)?$/ },
  // Reads `/metrics` in a test.
  { name: /^openmetrics-parser$/, licence: /^LGPL-3\.0$/ },
  // Their files have the text of MIT.
  { name: /^(@segment\/(facade|isodate|isodate-traverse)|new-date)$/, licence: /^SEE LICENSE IN LICENSE$/ },
];

/** @typedef {{ name: string, version: string, licence: string, isShipped: boolean }} Licensed */

/**
 * Whether an expression of SPDX is met by some licences. `/` is how crates wrote OR before.
 * @param {string} expression
 * @param {string[]} allowed
 */
export function isMet(expression, allowed) {
  const tokens = expression.replaceAll('/', ' OR ').match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const next = (/** @type {string} */ token) => tokens[at] === token && ++at > 0;
  /** @type {() => boolean} */
  const any = () => {
    let met = all();
    while (next('OR')) met = all() || met;
    return met;
  };
  const all = () => {
    let met = one();
    while (next('AND')) met = one() && met;
    return met;
  };
  const one = () => {
    if (next('(')) {
      const met = any();
      return next(')') && met;
    }
    const name = tokens[at++] ?? '';
    return allowed.includes(next('WITH') ? `${name} WITH ${tokens[at++]}` : name);
  };
  const met = any();
  return met && at === tokens.length;
}

/** Packages of npm that are bundled into what is served; all others are tools. */
const BUNDLED = ['uplot'];

/**
 * The packages of a lock file of npm, by their place.
 * @param {[string, { version?: string, license?: string }][]} packages
 * @returns {Licensed[]}
 */
export const npmPackages = (packages) =>
  packages.map(([place, { version = '', license: licence = '' }]) => {
    const name = place.split('node_modules/').at(-1) ?? place;
    return { name, version, licence, isShipped: BUNDLED.includes(name) };
  });

/** What has a licence that it may not have: a line for each. @param {Licensed[]} packages */
export function forbidden(packages) {
  const isException = (/** @type {Licensed} */ { name, licence, isShipped }) =>
    !isShipped && EXCEPTIONS.some((known) => known.name.test(name) && known.licence.test(licence));
  return packages
    .filter((one) => !isException(one) && !isMet(one.licence, one.isShipped ? SHIPPED : TOOLS))
    .map(
      ({ name, version, licence, isShipped }) =>
        `${name} ${version} ${isShipped ? 'is shipped' : 'is a tool'} and has ` +
        (licence ? `the licence ${licence}, which is not allowed` : 'no licence'),
    );
}

/** What `cargo tree` prints of a crate. */
const FORMAT = '{p}\t{l}';

/**
 * The crates of a tree, each once.
 * @param {string} tree lines of {@link FORMAT}
 * @param {boolean} isShipped
 * @returns {Licensed[]}
 */
export function cratesOf(tree, isShipped) {
  // What cargo has named before has a star behind it.
  const all = tree.split('\n').map((line) => line.replace(/ \(\*\)$/, ''));
  const lines = new Set(all.filter((line) => line !== ''));
  return [...lines].map((line) => {
    const [crate, licence = ''] = line.split('\t');
    const [name, version = ''] = crate.split(' ');
    return { name, version: version.replace(/^v/, ''), licence, isShipped };
  });
}

/** More than cargo prints of all crates, some 100 KB. */
const TREE_BYTES = 1 << 24;

/** Asks cargo for a tree. @param {string[]} args */
function tree(args) {
  const all = ['tree', '--locked', '--quiet', '--prefix', 'none', '--format', FORMAT, ...args];
  const { status, stdout, stderr } = spawnSync('cargo', all, {
    cwd: root,
    env: toolEnv(),
    encoding: 'utf8',
    maxBuffer: TREE_BYTES,
  });
  if (status !== 0) throw new Failure(`cargo could not tell licences: ${stderr}`);
  return stdout;
}

/**
 * The crates of what is shipped, for every platform; and those of tools and tests, for this one.
 * @returns {Licensed[]}
 */
export function crates() {
  const shipped = ['worker', 'tracker', 'publisher'].flatMap((name) => ['--package', `shoreline-${name}`]);
  return [
    ...cratesOf(tree([...shipped, '--edges', 'normal', '--target', 'all']), true),
    ...cratesOf(tree(['--workspace']), false),
  ];
}
