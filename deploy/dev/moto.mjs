// Installs moto's server, which the tests of sinks talk to, into the checkout. Done again, it does nothing.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from './lock.mjs';
import { Failure, isProgram, main, outputOf, runLogged, say, seconds } from './process.mjs';
import { at, readText } from './project.mjs';
import { unlessDone } from './stamp.mjs';

const REQUIREMENTS = 'deploy/dev/moto.txt';
const folder = at('.tools', 'moto');

/** Makes sure that the server is there, in the versions of its list. */
export async function installMoto() {
  // The stamp lies in the environment, so that it goes with it.
  const done = { stamp: join(folder, 'stamp'), inputs: readText(REQUIREMENTS), made: join(folder, 'bin', 'moto_server') };
  await alone('moto', () => unlessDone(done, install));
}

async function install() {
  if ((await outputOf('python3', ['-c', 'import ensurepip, venv'])) === undefined) {
    throw new Failure('python3 with venv was not found, which the tests of sinks need; on Debian: apt install python3-venv');
  }
  const start = Date.now();
  say('installing moto');
  rmSync(folder, { recursive: true, force: true });
  await runLogged('make the Python environment of moto', 'python3', ['-m', 'venv', folder]);
  const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--only-binary', ':all:'];
  await runLogged('install moto', join(folder, 'bin', 'python'), ['-m', 'pip', 'install', ...options, '--requirement', at(REQUIREMENTS)]);
  say(`installed moto (${seconds(start)})`);
}

if (isProgram(import.meta.url)) main(installMoto);
