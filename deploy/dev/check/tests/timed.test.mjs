// Names of end-to-end tests that have their own run are those of tests.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { at } from '../../base/project.mjs';
import { TIMED } from '../timed.mjs';

const folder = at('tests', 'e2e');

/** The file of a test, and its name there; empty where all of the file is meant. @param {string} name */
function placeOf(name) {
  const parts = name.split('::');
  const own = parts.pop() ?? '';
  return { file: `${join(folder, ...parts)}.rs`, own };
}

test('each is there', () => {
  for (const name of TIMED) {
    const { file, own } = placeOf(name);
    assert.ok(existsSync(file), name);
    if (own !== '') assert.ok(readFileSync(file, 'utf8').includes(`async fn ${own}()`), name);
  }
});

test('whatever holds a clock against the system is among them', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.rs'));
  const timed = files.filter((path) =>
    /_WITHIN: Duration|BOUND: Duration/.test(readFileSync(join(folder, path), 'utf8')),
  );
  assert.ok(timed.length >= 3, `${timed}`);
  const known = TIMED.map((name) => placeOf(name).file);
  for (const path of timed) assert.ok(known.includes(join(folder, path)), path);
});
