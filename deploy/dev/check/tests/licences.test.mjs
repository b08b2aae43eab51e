// Licences are read as they are written, and what may not be is named.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { at, readText } from '../../base/project.mjs';
import { crates, cratesOf, forbidden, isMet, npmPackages } from '../licences.mjs';
import { packagesIn } from '../supply.mjs';

const lock = (/** @type {object} */ packages) => npmPackages(packagesIn(JSON.stringify({ packages })));

test('an expression is met by one side of OR, and by both of AND', () => {
  for (const met of ['MIT', 'MIT OR GPL-3.0', 'GPL-3.0/MIT', '(MIT OR GPL-3.0) AND ISC', 'MIT OR GPL-3.0 AND X'])
    assert.ok(isMet(met, ['MIT', 'ISC']), met);
  for (const not of [
    '',
    'GPL-3.0',
    'MIT AND GPL-3.0',
    '(MIT AND GPL-3.0) OR X',
    'MIT WITH an-exception',
    '(MIT',
    'MIT)',
  ])
    assert.ok(!isMet(not, ['MIT', 'ISC']), not);
  assert.ok(isMet('GPL-3.0 OR A WITH b OR X', ['A WITH b']));
});

test('what has no licence that is allowed is named', () => {
  const tools = cratesOf(
    'a v1.0.0\tMIT\nb v2.0.0 (proc-macro)\tAGPL-3.0\na v1.0.0\tMIT (*)\nc v3.0.0\t\nd v1.0.0\tMPL-2.0\n',
    false,
  );
  assert.deepEqual(forbidden(tools), [
    'b 2.0.0 is a tool and has the licence AGPL-3.0, which is not allowed',
    'c 3.0.0 is a tool and has no licence',
  ]);
  const shipped = cratesOf('d v1.0.0\tMPL-2.0\nopenmetrics-parser v1.0.0\tLGPL-3.0\n', true);
  assert.equal(forbidden(shipped).length, 2);
  const packages = lock({
    '': { license: 'UNLICENSED' },
    'node_modules/x/node_modules/uplot': { version: '1.0.0', license: 'MPL-2.0' },
    'node_modules/@img/sharp-linux-x64': { version: '1.0.0', license: 'GPL-3.0' },
    'node_modules/new-date': { version: '1.0.0', license: 'SEE LICENSE IN LICENSE' },
  });
  assert.deepEqual(forbidden(packages), [
    'uplot 1.0.0 is shipped and has the licence MPL-2.0, which is not allowed',
    '@img/sharp-linux-x64 1.0.0 is a tool and has the licence GPL-3.0, which is not allowed',
  ]);
});

test('all crates and packages have a licence that they may have', () => {
  const all = crates();
  assert.ok(all.some(({ name, isShipped }) => isShipped && name === 'worker'));
  assert.ok(all.some(({ name, isShipped }) => isShipped && name === 'reqwest'));
  assert.ok(all.some(({ name, isShipped }) => !isShipped && name === 'tempfile'));
  assert.deepEqual(forbidden(all), []);
  assert.deepEqual(forbidden(npmPackages(packagesIn(readText('package-lock.json')))), []);
});

test('what the dashboard bundles counts as shipped', () => {
  const folder = at('www', 'dashboard', 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const names = files.flatMap((path) =>
    [...readFileSync(join(folder, path), 'utf8').matchAll(/\bfrom '([^.'][^']*)'/g)].map(([, name]) => name),
  );
  assert.ok(names.length > 0);
  for (const { name, isShipped } of lock(Object.fromEntries(names.map((name) => [`node_modules/${name}`, {}]))))
    assert.ok(isShipped, `${name} is bundled: name it in BUNDLED`);
});
