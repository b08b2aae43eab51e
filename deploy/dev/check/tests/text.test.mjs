// Wide lines and links that lead nowhere are found, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anchorsOf, brokenLinks, wideLines } from '../text.mjs';

const wide = 'word '.repeat(25).trimEnd();

test('a line of more than 120 columns is told with its place', () => {
  assert.deepEqual(wideLines('a.mjs', `x\n${wide}\n`), ['a.mjs:2: 124 columns, of 120']);
  assert.deepEqual(wideLines('a.mjs', wide.slice(5)), []);
  assert.deepEqual(wideLines('a.md', wide).length, 1);
});

test('tables, code and words that cannot be broken may be wide, and so may other files', () => {
  assert.deepEqual(wideLines('a.md', `| ${wide} |\n\`\`\`sh\n${wide}\n\`\`\`\n`), []);
  assert.deepEqual(wideLines('a.md', `\`\`\`\n\`\`\`\n${wide}`), ['a.md:3: 124 columns, of 120']);
  assert.deepEqual(wideLines('a.ts', `${wide} https://example.com/${'x'.repeat(60)}`), []);
  assert.deepEqual(wideLines('a.md', `${wide} \`${wide}\``), []);
  assert.deepEqual(wideLines('a.rs', wide), []);
  assert.deepEqual(wideLines('www/t/shoreline.0.js', wide), []);
});

test('anchors are those of GitHub', () => {
  const text = '# What `npm test` does\n## Twice\n## Twice\n```sh\n# No heading\n```\n<a id="own"></a>**Own.**\n';
  assert.deepEqual([...anchorsOf(text)], ['what-npm-test-does', 'twice', 'twice-1', 'own']);
});

test('links lead to a file and a heading of the checkout', () => {
  /** @param {string} text */
  const broken = (text) =>
    brokenLinks('docs/A.md', text, (path) =>
      path === 'docs/B.md' ? '# There\n' : path === 'deploy' ? '' : path === 'docs/A.md' ? text : undefined,
    );
  const good = '# Here\n[a](#here) [b](B.md) [c](B.md#there "title") [d](../deploy) [e](https://example.com/x#y)\n';
  assert.deepEqual(broken(good), []);
  assert.deepEqual(broken('`[no](link.md)`\n```\n[no](link.md)\n```\n'), []);
  assert.deepEqual(broken('\n[gone](C.md)'), ['docs/A.md:2: C.md: there is no such file']);
  assert.deepEqual(broken('[gone](B.md#else)'), ['docs/A.md:1: B.md#else: docs/B.md has no such heading']);
  assert.deepEqual(broken('[gone](#else)'), ['docs/A.md:1: #else: docs/A.md has no such heading']);
  assert.deepEqual(broken('[x]: C.md'), ['docs/A.md:1: C.md: there is no such file']);
});
