// A request of these scripts ends in time, whatever becomes of its answer.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fetchText } from '../fetch.mjs';

const BODY = 'a text that is worth being compressed '.repeat(30);

/**
 * A server that gives its answer's body after as many milliseconds as the path says, compressed and in two parts.
 * @param {import('node:test').TestContext} t
 */
async function slowServer(t) {
  const body = gzipSync(BODY);
  const server = createServer((request, answer) => {
    answer.writeHead(200, { 'content-encoding': 'gzip' });
    answer.write(body.subarray(0, 10));
    setTimeout(() => answer.end(body.subarray(10)), Number(request.url?.slice(1)));
  });
  await new Promise((done) => server.listen(0, () => done(undefined)));
  t.after(() => server.close().closeAllConnections());
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `http://localhost:${address.port}`;
}

test('an answer is read whole', async (t) => {
  const { status, headers, text } = await fetchText(`${await slowServer(t)}/0`, 10_000);
  assert.deepEqual([status, headers.get('content-encoding'), text], [200, 'gzip', BODY]);
});

test('a body that comes when the time is up is waited for no longer', async (t) => {
  const url = await slowServer(t);
  // One in a hundred of these would never end if the signal alone ended them.
  for (let round = 0; round < 50; round += 1) {
    const asked = Array.from({ length: 8 }, (_, n) => fetchText(`${url}/${8 + 3 * n}`, 20));
    for (const ended of await Promise.allSettled(asked)) {
      if (ended.status === 'fulfilled') assert.equal(ended.value.text, BODY);
      else assert.match(ended.reason.message, /no answer within 20 ms/);
    }
  }
});

test('a body that never ends is waited for as long as is said', async (t) => {
  t.mock.method(globalThis, 'fetch', async () => ({
    status: 200,
    headers: new Headers(),
    text: () => new Promise(() => {}),
  }));
  await assert.rejects(fetchText('http://localhost', 20), /no answer within 20 ms/);
});
