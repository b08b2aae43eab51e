// The generator's decisions: the same seed makes the same, and what it makes looks like traffic.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { DAY_MS, EVENTS_PER_VISIT, linesOf } from '../history.mjs';
import { batches } from '../live.mjs';
import { readOptions } from '../options.mjs';
import { barOf } from '../progress.mjs';
import { ask, waitBefore } from '../send.mjs';

/** A Monday. */
const DAY = 20_605;

/** @param {string} seed @param {number} day */
const made = (seed, day, perDay = 2_000, until = Infinity) =>
  linesOf(seed, day, { perDay, today: DAY, until }).map((line) => JSON.parse(line));

test('a seed decides all of a day, and another seed makes another day', () => {
  assert.deepEqual(made('a', DAY), made('a', DAY));
  assert.notDeepEqual(made('a', DAY).slice(0, 5), made('b', DAY).slice(0, 5));
});

test('a day holds about as many events as asked, all of them on it, each with an id of its own', () => {
  const week = Array.from({ length: 7 }, (_, back) => made('a', DAY - back));
  const count = week.flat().length / 7;
  assert.ok(Math.abs(count - 2_000) < 400, `${count} a day (EVENTS_PER_VISIT is ${EVENTS_PER_VISIT})`);
  week.forEach((events, back) =>
    assert.ok(
      events.every(
        ({ timestamp, receivedAt }) => Math.floor(timestamp / DAY_MS) === DAY - back && receivedAt === timestamp,
      ),
    ),
  );
  const ids = week.flat().map(({ eventId }) => eventId);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)));
});

test('it has every kind of event, nights that are quiet, and visitors who come again', () => {
  const month = Array.from({ length: 30 }, (_, back) => made('a', DAY - back)).flat();
  const types = new Set(month.map(({ eventType }) => eventType));
  for (const type of [
    'page_view',
    'page_leave',
    'feature_use',
    'content_create',
    'ai_request',
    'error',
    'web_vital',
    'outbound',
    'iam.user-registered',
    'billing.subscription',
    'exports.job',
  ])
    assert.ok(types.has(type), type);
  for (const key of ['utm_source', 'referrer'])
    assert.ok(
      month.some(({ eventData }) => JSON.stringify(eventData).includes(key)),
      key,
    );
  const vitals = month.filter(({ eventType }) => eventType === 'web_vital');
  const viewed = new Set(
    month.filter(({ eventType }) => eventType === 'page_view').map(({ eventData }) => new URL(eventData.url).pathname),
  );
  assert.ok(
    vitals.every(({ eventData }) => viewed.has(new URL(eventData.url).pathname)),
    'vitals have a page',
  );
  assert.ok(new Set(month.map(({ country }) => country)).size > 8);
  const german = month
    .filter(({ country }) => country === 'DE')
    .map(({ timestamp }) => (new Date(timestamp).getUTCHours() + 1) % 24);
  assert.ok(
    german.filter((hour) => hour < 5).length * 4 < german.filter((hour) => hour >= 9 && hour < 14).length,
    'night and day',
  );
  const days = new Map();
  for (const { userId, timestamp } of month)
    days.set(userId, (days.get(userId) ?? new Set()).add(Math.floor(timestamp / DAY_MS)));
  const again = [...days.values()].filter(({ size }) => size > 1).length / days.size;
  assert.ok(again > 0.2 && again < 0.9, `${again} come again`);
});

test('nothing is made of what has not happened yet', () => {
  const noon = DAY * DAY_MS + DAY_MS / 2;
  const half = made('a', DAY, 2_000, noon);
  assert.ok(half.length > 0 && half.every(({ timestamp }) => timestamp < noon));
  const whole = new Set(made('a', DAY).map(({ eventId }) => eventId));
  assert.ok(
    half.every(({ eventId }) => whole.has(eventId)),
    'tomorrow the rest is added, and this is known',
  );
});

test('live batches are the same for a seed, small, and of one sender each', () => {
  const take = (/** @type {string} */ seed) => {
    const taken = [];
    for (const batch of batches(seed, DAY)) if (taken.push(batch) === 2_000) return taken;
    return taken;
  };
  const all = take('a');
  assert.deepEqual(all, take('a'));
  assert.ok(
    all.every(({ acts, source }) => acts.length >= 1 && acts.length <= 4 && acts.every((act) => act.source === source)),
  );
  assert.ok(all.some(({ source }) => source) && new Set(all.map(({ visitor }) => visitor.userId)).size > 100);
  assert.equal(new Set(all.map(({ batchId }) => batchId)).size, all.length);
});

test('patience is shown where it is asked for, and not without end', () => {
  assert.equal(waitBefore(1, { status: 429, retryAfter: '7' }), 7_000);
  assert.equal(waitBefore(1, { status: 503, retryAfter: null }), 500);
  assert.equal(waitBefore(1, undefined), 500);
  assert.equal(waitBefore(1, { status: 429, retryAfter: '3600' }), undefined, 'an hour is not waited for');
  assert.equal(waitBefore(1, { status: 422 }), undefined);
  assert.equal(waitBefore(8, { status: 503, retryAfter: '1' }), undefined);
});

test('a request that was not taken is sent again as it was, and not before it may be', async () => {
  /** @type {{ body: string, at: number }[]} */
  const came = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    came.push({ body: Buffer.concat(chunks).toString(), at: performance.now() });
    if (came.length === 1) response.writeHead(429, { 'retry-after': '1' }).end('{}');
    else if (came.length === 2) request.socket.destroy();
    else response.writeHead(202).end('{"accepted":1}');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  /** @type {number[]} */
  const waits = [];
  try {
    assert.deepEqual(
      await ask(`http://127.0.0.1:${port}/v1/events`, { method: 'POST', body: 'the batch' }, (wait) =>
        waits.push(wait),
      ),
      { accepted: 1 },
    );
    assert.deepEqual(
      came.map(({ body }) => body),
      ['the batch', 'the batch', 'the batch'],
    );
    assert.ok(came[1].at - came[0].at >= 990, 'Retry-After is waited for');
    assert.deepEqual(waits, [1, 1]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('options that are wrong are named', () => {
  assert.deepEqual(
    { ...readOptions(['--seed', 'x']), keys: 0 },
    { days: 30, perDay: 1_000, seconds: 120, events: Infinity, rate: 20, seed: 'x', keys: 0 },
  );
  assert.equal(readOptions(['--events', '5']).seconds, Infinity);
  for (const [name, value] of [
    ['days', '367'],
    ['per-day', '1'],
    ['minutes', '-1'],
    ['events', '0'],
    ['rate', '1e9'],
    ['rate', 'fast'],
  ]) {
    assert.throws(() => readOptions([`--${name}=${value}`]), new RegExp(`--${name}`), `${name} ${value}`);
  }
  assert.throws(() => readOptions(['--fast']), /usage/);
});

test('the bar is as long at every share', () => {
  const lengths = [0, 0.5, 1, 2].map((done) => barOf('live', done, '').length);
  assert.equal(new Set(lengths).size, 1);
  assert.match(barOf('live', 0.5, 'x'), / 50 % {2}x$/);
});
