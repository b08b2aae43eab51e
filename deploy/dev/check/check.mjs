// `npm run check`: all that can be said of the checkout without running it: formats, types, lints, the width of lines
// and the links of documents. In under a minute when little has changed; .ci/run begins with it, and so can each commit
// (.githooks/pre-commit).
import { existsSync } from 'node:fs';
import { Failure, main, outputOf, runShown, say, seconds } from '../base/process.mjs';
import { at, readText, tools } from '../base/project.mjs';
import { checkNode, installPackages, installWasmTarget } from '../setup/setup.mjs';
import { brokenLinks, wideLines } from './text.mjs';

/** Projects of TypeScript, and of JavaScript whose types are in its comments. */
const TYPED = ['www/dashboard', 'tests/bench', 'deploy'];

const WASM = ['--target', 'wasm32-unknown-unknown'];

/** Runs a program; whether it ended well. @type {(command: string, ...args: string[]) => Promise<boolean>} */
const ran = async (command, ...args) => (await runShown(command, args)) === 0;

/** Lints packages; a warning is an error. @param {string[]} what */
const clippy = (...what) => ran('cargo', 'clippy', '--quiet', ...what, '--', '-D', 'warnings');

/** What is checked, the quickest first. @type {[string, () => Promise<boolean>][]} */
const CHECKS = [
  ['lines and links', checkText],
  ['format of JavaScript and TypeScript (npm run format)', () => ran(tools.biome, 'format', '--log-level=warn')],
  ['format of Rust (npm run format)', () => ran('cargo', 'fmt', '--all', '--check')],
  ...TYPED.map(
    (project) =>
      /** @type {[string, () => Promise<boolean>]} */ ([
        `types of ${project}`,
        () => ran(tools.tsc, '-p', at(project, 'tsconfig.json')),
      ]),
  ),
  ['lints of Rust', () => clippy('--workspace', '--all-targets')],
  ['lints of the worker', () => clippy('-p', 'shoreline-shared', '-p', 'shoreline-worker', ...WASM)],
  // The tracker by itself: beside the worker, cargo would give it the worker's features.
  ['lints of the tracker', () => clippy('-p', 'shoreline-tracker', ...WASM)],
];

/** Looks at the text of every file that git knows. */
async function checkText() {
  const listed = await outputOf('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate']);
  if (listed === undefined) throw new Failure('git, which lists the files, was not found, or this is no clone');
  // A file that was deleted and not yet committed is listed too.
  const paths = listed.split('\n').filter((path) => /\.(m?js|ts|css|md)$/.test(path) && existsSync(at(path)));
  const problems = paths.flatMap((path) => {
    const text = readText(path);
    return [...wideLines(path, text), ...(path.endsWith('.md') ? brokenLinks(path, text) : [])];
  });
  for (const problem of problems) console.error(problem);
  return problems.length === 0;
}

main(async () => {
  const start = Date.now();
  checkNode();
  await installPackages();
  await installWasmTarget();
  const failed = [];
  for (const [name, passes] of CHECKS) {
    const from = Date.now();
    // What fails first does not hide what fails later.
    if (!(await passes())) failed.push(name);
    say(`${name}: ${failed.includes(name) ? 'failed' : 'fine'} (${seconds(from)})`);
  }
  say(failed.length === 0 ? `checked (${seconds(start)})` : `failed: ${failed.join(', ')} (${seconds(start)})`);
  process.exitCode = failed.length === 0 ? 0 : 1;
});
