// An earlier commit, checked out and built below target/.
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, outputOf, runLogged, say } from '../base/process.mjs';
import { at, devDir, root, toolEnv, tools } from '../base/project.mjs';
import { loadSecrets } from '../setup/keys.mjs';

/** @typedef {{ name: string, folder: string }} Version what it is called, and where it is checked out */

/** Tools of this checkout, and the files that say which versions they are. */
const SHARED = [
  { path: 'node_modules', of: ['package-lock.json'] },
  { path: '.tools', of: ['deploy/dev/build/bindgen/Cargo.toml', 'deploy/dev/build/bindgen/src/main.rs'] },
];

/** The compiled worker. */
const WORKER = 'worker/build/index_bg.wasm';

/** This checkout. @type {Version} */
export const TODAY = { name: 'today', folder: root };

/**
 * Checks a commit out, once, and builds what changed since.
 * @param {string} commit
 * @returns {Promise<Version>}
 */
export async function checkedOut(commit) {
  const name = await outputOf('git', ['rev-parse', '--short=8', '--verify', `${commit}^{commit}`]);
  if (!name) throw new Failure(`there is no commit ${commit}`);
  const folder = at('target', 'versions', name);
  if (!existsSync(join(folder, 'Cargo.toml'))) {
    await runLogged(`check out ${name}`, 'git', ['worktree', 'add', '--force', '--detach', folder, name]);
  }
  for (const { path, of } of SHARED) {
    const isSame = of.every((file) => existsSync(join(folder, file)) && same(file, folder));
    if (isSame && !existsSync(join(folder, path))) symlinkSync(at(path), join(folder, path));
  }
  // Both versions are one deployment: they have its keys.
  loadSecrets();
  mkdirSync(join(folder, '.dev'), { recursive: true });
  copyFileSync(join(devDir, 'secrets.json'), join(folder, '.dev', 'secrets.json'));
  say(`building ${name}`);
  // A folder of its own: cargo names what it compiles of a workspace by its place in it, and would take the worker of
  // the one version for that of the other.
  const env = { ...toolEnv(), CARGO_TARGET_DIR: `${folder}.target` };
  await runLogged(`build ${name}`, tools.node, ['deploy/dev/build/build.mjs'], { cwd: folder, env });
  if (same(WORKER, folder)) throw new Failure(`the worker of ${name} is today's`);
  return { name, folder };
}

/** Whether a file of this checkout is the same there. @param {string} file @param {string} folder */
const same = (file, folder) => readFileSync(at(file)).equals(readFileSync(join(folder, file)));
