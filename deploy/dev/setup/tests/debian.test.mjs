// What the machine lacks is installed by apt; where that cannot be, one sentence says what to run.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Failure } from '../../base/process.mjs';
import { TEST_NEEDS, aptGet, installNeeds, lineToRun } from '../debian.mjs';

/** @type {import('../debian.mjs').Need} */
const NEED = { what: 'A rake', packages: ['rake-package'], signs: [['shoreline-rake', '--version']] };

const ownPath = process.env.PATH ?? '';
let folder = '';
const calls = () => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8') : '');

/** Puts a program onto the PATH. @param {string} name @param {string} script */
const program = (name, script) => writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

/** An apt-get that notes how it is called. @param {string} installing what `install` does */
const apt = (installing) =>
  program(
    'apt-get',
    `[ "$1" = --version ] && exit
     echo "$*" >> ${folder}/calls
     case "$*" in *rake-package*) ${installing};; esac`,
  );

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoreline-apt-'));
  process.env.PATH = `${folder}${delimiter}${ownPath}`;
  // For a run that is not root's.
  program('sudo', 'shift; exec "$@"');
});
afterEach(() => {
  process.env.PATH = ownPath;
  rmSync(folder, { recursive: true });
});

test('what is missing is installed, and once', async () => {
  apt(`printf '#!/bin/sh\\n' > ${folder}/shoreline-rake; chmod +x ${folder}/shoreline-rake`);
  await installNeeds([NEED]);
  assert.match(calls(), /update\n.*install --yes --no-install-recommends rake-package\n$/);
  const before = calls();
  await installNeeds([NEED]);
  assert.equal(calls(), before, 'what is there is not installed again');
});

test('what apt cannot install, or installs without effect, ends in one sentence', async () => {
  apt('echo "E: Unable to locate package rake-package" >&2; exit 100');
  await assert.rejects(
    installNeeds([NEED]),
    (error) => error instanceof Failure && /Unable to locate/.test(error.message),
  );
  apt(':');
  await assert.rejects(installNeeds([NEED]), new Failure(lineToRun([NEED])));
});

test('lists that could not be fetched are the reason that is told', async () => {
  program(
    'apt-get',
    `case "$*" in
       --version) exit;;
       *update) echo "W: Failed to fetch it  Temporary failure resolving 'deb.example'" >&2; exit 100;;
       *) echo "E: Unable to locate package rake-package" >&2; exit 100;;
     esac`,
  );
  await assert.rejects(installNeeds([NEED]), new Failure("no network: could not fetch apt's lists"));
});

test('apt is used where nothing has to be asked', () => {
  assert.equal(aptGet({ apt: true, root: true, sudo: false })?.[0], 'env');
  assert.deepEqual(aptGet({ apt: true, root: false, sudo: true })?.slice(0, 2), ['sudo', '-n']);
  assert.equal(aptGet({ apt: true, root: false, sudo: false }), undefined);
  assert.equal(aptGet({ apt: false, root: true, sudo: true }), undefined);
});

test('the sentence has the line that installs all of it', () => {
  const packages = 'chromium chromium-headless-shell chromium-driver python3 python3-venv curl';
  assert.ok(lineToRun(TEST_NEEDS).endsWith(`run: apt-get install --no-install-recommends ${packages}`));
});
