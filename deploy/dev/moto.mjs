// Installs moto's server, which plays Firehose, EventBridge and SQS for the tests, into the checkout. Done again, it does nothing.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from './lock.mjs';
import { Failure, isProgram, main, outputOf, runLogged, say, seconds } from './process.mjs';
import { at, devDir } from './project.mjs';
import { unlessDone } from './stamp.mjs';

/** Decides like AWS what a signature is worth. */
const MOTO = 'moto[server]==5.2.5';

const folder = at('.tools', 'moto');
const server = join(folder, 'bin', 'moto_server');

export async function installMoto() {
  await alone('moto', () => unlessDone({ stamp: join(devDir, 'stamps', 'moto'), inputs: MOTO, made: server }, install));
}

async function install() {
  if ((await outputOf('python3', ['-c', 'import ensurepip, venv'])) === undefined) {
    throw new Failure('python3 with venv was not found, which the tests of sinks need; on Debian: apt install python3-venv');
  }
  const start = Date.now();
  say(`installing ${MOTO}`);
  if (existsSync(folder)) rmSync(folder, { recursive: true });
  await runLogged(`make the folder of ${MOTO}`, 'python3', ['-m', 'venv', folder]);
  await runLogged(`install ${MOTO}`, join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', MOTO]);
  say(`installed ${MOTO} (${seconds(start)})`);
}

if (isProgram(import.meta.url)) main(installMoto);
