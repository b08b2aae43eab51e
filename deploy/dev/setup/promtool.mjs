// promtool, which tests the alert rules: the machine's own, or that of a Debian package, unpacked into the checkout.
// The package is not installed, because it starts a server.
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from '../base/lock.mjs';
import { isProgram, main, outputOf, runLogged, say, seconds } from '../base/process.mjs';
import { at } from '../base/project.mjs';
import { unlessDone } from '../base/stamp.mjs';

const FOLDER = at('.tools', 'promtool');
const UNPACKED = join(FOLDER, 'usr', 'bin', 'promtool');

/** Debian's package. */
const PACKAGE = 'prometheus';

/**
 * Makes sure that it is there, where the machine has apt and apt can fetch it.
 * @returns {Promise<string | undefined>} how it is called
 */
export async function installPromtool() {
  if ((await outputOf('promtool', ['--version'])) !== undefined) return 'promtool';
  if ((await outputOf('apt-get', ['--version'])) === undefined) return undefined;
  const done = { stamp: join(FOLDER, 'stamp'), inputs: PACKAGE, made: UNPACKED };
  try {
    await alone('promtool', () => unlessDone(done, unpack));
  } catch (error) {
    // A machine whose apt has no lists of packages.
    say(`${error}`);
    return undefined;
  }
  return UNPACKED;
}

async function unpack() {
  const start = Date.now();
  say('fetching promtool');
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const fetched = { cwd: FOLDER };
  await runLogged('download promtool', 'apt-get', ['-qq', 'download', PACKAGE], fetched);
  const [name] = readdirSync(FOLDER).filter((each) => each.endsWith('.deb'));
  renameSync(join(FOLDER, name), join(FOLDER, 'package.deb'));
  // Of the package this file alone.
  const unpacking = 'dpkg-deb --fsys-tarfile package.deb | tar --extract ./usr/bin/promtool';
  await runLogged('unpack promtool', 'sh', ['-c', unpacking], fetched);
  rmSync(join(FOLDER, 'package.deb'));
  say(`fetched promtool (${seconds(start)})`);
}

if (isProgram(import.meta.url)) main(installPromtool);
