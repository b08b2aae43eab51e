// docs/COST.md is what the kept counts and prices make.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { costPage } from '../../../../tests/bench/cost.mjs';
import { at } from '../../base/project.mjs';

const kept = JSON.parse(readFileSync(at('tests', 'bench', 'counted.json'), 'utf8'));
const written = readFileSync(at('docs', 'COST.md'), 'utf8');

test('the page is what was counted', () => {
  assert.equal(written, costPage(kept), 'write it anew: npm run bench -- cost');
});

test('what an event uses more, it costs more', () => {
  const dearer = structuredClone(kept);
  dearer.find((/** @type {any} */ { name, events }) => name === 'Shoreline' && events === 25).use.d1RowsWritten += 1;
  const sums = (/** @type {string} */ page) =>
    [...page.matchAll(/^\| (\d+) \| (\w+) \| \*\*\$([\d.]+)\*\*/gm)].map(([, events, pace, sum]) => [
      events,
      pace,
      Number(sum),
    ]);
  const [before, after] = [sums(costPage(kept)), sums(costPage(dearer))];
  assert.equal(before.length, 4);
  for (const [n, [events, , sum]] of before.entries()) {
    assert.equal(Number(after[n][2]) - Number(sum) > 0.99, events === '25');
  }
});
