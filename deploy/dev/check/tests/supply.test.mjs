// What is locked is looked at as it should be, and is as it should be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText } from '../../base/project.mjs';
import { bill, cratesIn, packagesIn, problems, weaknesses } from '../supply.mjs';

const { allowScripts } = JSON.parse(readText('package.json'));

test('all that is locked is from a registry, by its hash, and runs no script that is not allowed', () => {
  const crates = cratesIn(readText('Cargo.lock'));
  const packages = packagesIn(readText('package-lock.json'));
  assert.ok(crates.length > 100 && packages.length > 100);
  assert.deepEqual(problems(crates, packages, allowScripts), []);
  const { components } = bill(crates, packages, '0.1.0');
  assert.ok(components.some(({ purl }) => purl.startsWith('pkg:cargo/worker@')));
  assert.ok(components.some(({ purl }) => purl === `pkg:npm/uplot@${uplot()}`));
  assert.ok(components.every(({ hashes }) => /^[0-9a-f]{64,128}$/.test(hashes[0]?.content ?? '')));
});

const uplot = () => JSON.parse(readText('package.json')).devDependencies.uplot;

test('what is from elsewhere, has no hash or wants to run a script is told', () => {
  const git = cratesIn('[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "git+https://example.com/a"\n');
  const bare = cratesIn(
    '[[package]]\nname = "b"\nversion = "1.0.0"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n',
  );
  assert.match(problems(git, [], {})[0] ?? '', /comes from git/);
  assert.match(problems(bare, [], {})[0] ?? '', /no hash/);
  const lock = JSON.stringify({
    packages: {
      '': {},
      'node_modules/x': { version: '1.0.0', resolved: 'https://elsewhere.example/x.tgz', hasInstallScript: true },
    },
  });
  assert.equal(problems([], packagesIn(lock), {}).length, 3);
  assert.equal(problems([], packagesIn(lock), { x: true }).length, 2);
});

test("RustSec's answer is read, and none is no clean bill", () => {
  const list = [
    { advisory: { id: 'RUSTSEC-2026-0001', title: 'It breaks' }, package: { name: 'a', version: '1.0.0' } },
  ];
  const told = (/** @type {object[]} */ found) => JSON.stringify({ vulnerabilities: { found: true, list: found } });
  assert.deepEqual(weaknesses(told(list)), ['crate a 1.0.0: RUSTSEC-2026-0001 It breaks']);
  assert.deepEqual(weaknesses(told([])), []);
  for (const nothing of ['', '{}', 'error: no network']) assert.equal(weaknesses(nothing), undefined);
});
