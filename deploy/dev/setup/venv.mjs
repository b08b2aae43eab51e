// Python programs that tests use, each in an environment of its own in the checkout. Done again, it does nothing.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from '../base/lock.mjs';
import { Failure, outputOf, runLogged, say, seconds } from '../base/process.mjs';
import { at, readText } from '../base/project.mjs';
import { unlessDone } from '../base/stamp.mjs';

/**
 * Makes sure that a program is there, in the versions of its list `deploy/dev/setup/NAME.txt`.
 * @param {string} name what it is called, and its folder in .tools
 * @param {string} program the file that it is run by
 */
export async function installVenv(name, program) {
  const folder = at('.tools', name);
  const requirements = `deploy/dev/setup/${name}.txt`;
  // The stamp lies in the environment, so that it goes with it.
  const done = { stamp: join(folder, 'stamp'), inputs: readText(requirements), made: join(folder, 'bin', program) };
  await alone(name, () => unlessDone(done, () => install(name, folder, requirements)));
}

/**
 * @param {string} name
 * @param {string} folder
 * @param {string} requirements
 */
async function install(name, folder, requirements) {
  if ((await outputOf('python3', ['-c', 'import ensurepip, venv'])) === undefined) {
    throw new Failure(
      `python3 with venv was not found, which tests need for ${name}; on Debian: apt install python3-venv`,
    );
  }
  const start = Date.now();
  say(`installing ${name}`);
  rmSync(folder, { recursive: true, force: true });
  await runLogged(`make the Python environment of ${name}`, 'python3', ['-m', 'venv', folder]);
  const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--only-binary', ':all:'];
  await runLogged(`install ${name}`, join(folder, 'bin', 'python'), [
    '-m',
    'pip',
    'install',
    ...options,
    '--requirement',
    at(requirements),
  ]);
  say(`installed ${name} (${seconds(start)})`);
}
