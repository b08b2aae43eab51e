// Where objects are made: near their first caller, or where OBJECT_LOCATION says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, commit, open } from '../../../../worker/src/shell/platform/objects.js';

test('every call of an object has the hint that is set, and none where none is', async () => {
  for (const hint of [undefined, '', 'weur']) {
    /** @type {any[]} */
    const asked = [];
    const namespace = {
      /** @param {string} name @param {any} options */
      getByName(name, options) {
        asked.push([name, options]);
        return { fetch: async () => new Response('{}'), commit: async () => undefined };
      },
    };
    const env = { SITE_DO: namespace, LIVE_DO: namespace, OBJECT_LOCATION: hint };
    await call(env, 'SITE_DO', 'a/0', '/wake', '');
    await commit(env, 'a/0', new Uint8Array());
    await open(env, 'LIVE_DO', 'a', '/open');
    const want = hint ? { locationHint: hint } : undefined;
    assert.deepEqual(asked, [
      ['a/0', want],
      ['a/0', want],
      ['a', want],
    ]);
  }
});
