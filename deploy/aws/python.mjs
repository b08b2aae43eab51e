// The Python packages of requirements.txt, in an environment of the checkout's own. Run by itself it prints the
// interpreter.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from '../dev/base/lock.mjs';
import { Failure, isProgram, main, outputOf, runLogged } from '../dev/base/process.mjs';
import { at, readText } from '../dev/base/project.mjs';

const REQUIREMENTS = 'deploy/aws/requirements.txt';
const folder = at('.tools', 'python');
const interpreter = join(folder, 'bin', 'python');

/** Says what was installed. It lies in the environment, so that it goes with it. */
const stamp = join(folder, 'requirements.txt');

const installed = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === readText(REQUIREMENTS);

/**
 * Makes sure that the packages are there.
 * @returns {Promise<string>} the interpreter that has them
 */
export async function python() {
  await alone('python tools', async () => {
    if (installed()) return;
    if ((await outputOf('python3', ['--version'])) === undefined) {
      throw new Failure('Python, which the checks of the lake use, was not found; on Debian: apt install python3-venv');
    }
    rmSync(folder, { recursive: true, force: true });
    await runLogged('make a Python environment (on Debian it needs python3-venv)', 'python3', ['-m', 'venv', folder]);
    const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--only-binary', ':all:'];
    await runLogged('install Python packages', interpreter, [
      '-m',
      'pip',
      'install',
      ...options,
      '--requirement',
      at(REQUIREMENTS),
    ]);
    writeFileSync(stamp, readText(REQUIREMENTS));
  });
  return interpreter;
}

if (isProgram(import.meta.url)) main(async () => console.log(await python()));
