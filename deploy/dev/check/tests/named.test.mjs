// The tests and files that pages name as proof are there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { at, readText } from '../../base/project.mjs';

const PAGES = ['docs/SECURITY.md', 'docs/RELIABILITY.md', 'docs/RUNBOOK.md', 'docs/ARCHITECTURE.md'];

/** Where modules begin. */
const ROOTS = ['tests/e2e', 'worker/src', 'shared/src', 'shared/tests', 'tests/rooms/src', 'tracker-wasm/src'];

/** All Rust below a file's name or a folder. @param {string} place without its ending */
function sourcesOf(place) {
  const files = existsSync(`${place}.rs`) ? [`${place}.rs`] : [];
  if (existsSync(place) && statSync(place).isDirectory())
    for (const file of readdirSync(place, { recursive: true, encoding: 'utf8' }))
      if (file.endsWith('.rs')) files.push(join(place, file));
  return files.map((file) => readFileSync(file, 'utf8')).join('\n');
}

/**
 * Whether a name is that of a test, or of a module that has some. `…` at its end stands for the rest of it.
 * @param {string} name
 */
export function isTest(name) {
  const parts = name.split('::').filter((part) => part !== '');
  const whole = ROOTS.map((root) => sourcesOf(at(root, ...parts)));
  if (whole.some((text) => /#\[(tokio::)?test\b|\bproptest!/.test(text))) return true;
  const own = parts.pop() ?? '';
  const pattern = own.endsWith('…') ? `\\bfn ${own.slice(0, -1)}\\w*\\(` : `\\bfn ${own}\\(`;
  return parts.length > 0 && ROOTS.some((root) => new RegExp(pattern).test(sourcesOf(at(root, ...parts))));
}

/** What stands in a page as code. @param {string} page */
const codesOf = (page) => [...readText(page).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code);

/** A name of a test or of a module: words with `::` between them or behind them. */
const NAME = /^[a-z_0-9]+(::[a-z_0-9]+)*(::|…|::[a-z_0-9]+…)?$/;

test('each test that a page names is there', () => {
  for (const page of PAGES)
    for (const code of codesOf(page).filter((code) => code.includes('::') && NAME.test(code)))
      if (code !== 'module::test') assert.ok(isTest(code), `${page}: ${code}`);
});

test('each file of tests that a page names is there', () => {
  for (const page of PAGES)
    for (const code of codesOf(page).filter((code) => /^[\w./-]*tests?[\w./-]*\/[\w./-]*$/.test(code)))
      assert.ok(existsSync(at(code)) || existsSync(at('worker', 'src', code)), `${page}: ${code}`);
});

test('a name that is none is told', () => {
  assert.ok(isTest('kills::') && isTest('strict::idle') && isTest('hostile::slow::who_sends_…'));
  assert.ok(!isTest('kills::nothing_of_the_kind') && !isTest('killed::') && !isTest('hostile::slow::who_sings_…'));
});
