// A change is tested by what stands beside it, and by one event's way where it could break that.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { at } from '../../base/project.mjs';
import { cargoRuns, needsOf } from '../quick.mjs';

test('what a crate ships is tested where it is used', () => {
  assert.deepEqual(needsOf(['worker/src/lib.rs']).crates, ['shoreline-rooms', 'shoreline-worker']);
  assert.deepEqual(needsOf(['worker/src/lib.rs']).e2e, ['pipeline::', 'tenancy::', 'refusals::keys']);
  assert.equal(needsOf(['shared/src/lib.rs']).crates.length, 5);
  assert.deepEqual(needsOf(['deploy/demo/live.mjs']), { deploy: true, crates: [], targets: [], e2e: ['demo::'] });
});

test('a test is run by its module, and by nothing twice', () => {
  assert.deepEqual(needsOf(['tests/e2e/tracker/calls.rs', 'tracker-wasm/src/lib.rs']).e2e, ['tracker::']);
  assert.deepEqual(needsOf(['tests/e2e/keys.rs']).e2e, ['keys::']);
});

test('a document whose examples are run is tested, another needs nothing', () => {
  assert.deepEqual(needsOf(['README.md']).e2e, ['clients::docs']);
  assert.deepEqual(cargoRuns(needsOf(['docs/PRIVACY.md'])), []);
});

test('end-to-end tests run apart from the crates that ship', () => {
  assert.deepEqual(cargoRuns(needsOf(['worker/src/lib.rs', 'tests/exact/main.rs'])), [
    ['test', '--no-fail-fast', '--package', 'shoreline-rooms', '--package', 'shoreline-worker'],
    ['test', '--package', 'shoreline-tests', '--no-fail-fast', '--test', 'exact'],
    ['test', '--package', 'shoreline-tests', '--test', 'e2e', '--', 'pipeline::', 'tenancy::', 'refusals::keys'],
  ]);
});

test('every folder of the project has a rule', () => {
  const without = ['docs', '.github', '.githooks', 'dist', 'node_modules', 'target', 'lake'];
  const folders = readdirSync(at(), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of folders) {
    if (name.startsWith('.') || without.includes(name)) continue;
    const { deploy, crates, targets, e2e } = needsOf([`${name}/src/x`, `${name}/e2e/x.rs`, `${name}/x`]);
    assert.ok(deploy || crates.length + targets.length + e2e.length > 0, name);
  }
});
