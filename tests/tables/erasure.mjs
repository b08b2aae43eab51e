// Erasure on a bucket in memory that fails as it is told. `node erasure.mjs DIR USER`: the lake in DIR.
// Every way of being cut off must end, after the next run, in what one run alone makes.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { erase } from '../../deploy/dev/lake/erase.mjs';

const [folder, user] = process.argv.slice(2);
console.log = () => {};

const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const sealed = new Map(
  files.map((entry) => [
    relative(folder, join(entry.parentPath, entry.name)),
    readFileSync(join(entry.parentPath, entry.name)),
  ]),
);

/**
 * @param {{ failAt?: number, landed?: boolean, beforePut?: (key: string) => void, afterGet?: (key: string, objects:
 *   Map<string, any>) => void }} [faults] the put that fails, from 1 on, whether it landed for all that, and what
 *   others do meanwhile
 */
function bucketOf(faults = {}) {
  let count = 0;
  const objects = new Map(
    [...sealed].map(([key, bytes]) => [key, { bytes, etag: 'sealed', metadata: { sha256: key } }]),
  );
  const bucket = {
    objects,
    faults,
    puts: () => count,
    async *keys(prefix) {
      for (const key of [...objects.keys()].sort()) if (key.startsWith(prefix)) yield key;
    },
    async get(key) {
      const found = objects.get(key);
      bucket.faults.afterGet?.(key, objects);
      return found;
    },
    async put(key, bytes, previous) {
      count += 1;
      bucket.faults.beforePut?.(key);
      if (objects.get(key)?.etag !== previous?.etag) return false;
      const fails = count === bucket.faults.failAt;
      if (!fails || bucket.faults.landed)
        objects.set(key, { bytes, etag: `put ${count}`, metadata: previous?.metadata });
      if (fails) throw new Error('cut off');
      return true;
    },
    async remove(key) {
      objects.delete(key);
    },
  };
  return bucket;
}

const linesOf = (objects) =>
  [...objects]
    .filter(([key]) => key.startsWith('events/'))
    .sort()
    .flatMap(([, { bytes }]) => gunzipSync(bytes).toString().trimEnd().split('\n'));
const before = linesOf(bucketOf().objects);

/** What erasure promises. @param {Map<string, any>} objects */
function check(objects) {
  const after = linesOf(objects);
  assert.equal(after.length, before.length);
  const names = { userId: new Map(), sessionId: new Map() };
  for (const [n, line] of after.entries()) {
    const [was, is] = [JSON.parse(before[n]), JSON.parse(line)];
    // One name for each user and session of a site, another for each other.
    for (const field of ['userId', 'sessionId']) {
      if (was[field] === undefined) continue;
      const [from, to] = [`${was.siteId} ${was[field]}`, `${is.siteId} ${is[field]}`];
      assert.equal(names[field].get(from) ?? to, to);
      names[field].set(from, to);
    }
    if (was.userId !== user) {
      assert.deepEqual({ ...is, sessionId: was.sessionId }, { sessionId: undefined, ...was });
      continue;
    }
    assert.match(is.userId, /^erased-[0-9a-f]{32}$/);
    assert.match(is.sessionId, /^erased-[0-9a-f]{32}$/);
    assert.deepEqual(is, { ...was, userId: is.userId, sessionId: is.sessionId, eventData: {}, metadata: {} });
  }
  for (const field of ['userId', 'sessionId']) assert.equal(new Set(names[field].values()).size, names[field].size);
  assert.deepEqual(
    [...objects.keys()].filter((key) => !key.startsWith('events/')),
    [],
    'no plan is left',
  );
  for (const [key, { metadata }] of objects) assert.equal(metadata.sha256, key);
}

const whole = bucketOf();
await erase(whole, { users: [user] });
check(whole.objects);
const puts = whole.puts();
assert(puts > 20);

// Two ids of one person, in whatever order, become one user; a run that was cut off goes on.
for (const order of [(ids) => ids, (ids) => ids.toReversed()]) {
  const ids = [user, 'user-4'];
  const joined = bucketOf({ failAt: 7 });
  await assert.rejects(erase(joined, { users: ids }), /cut off/);
  await erase(joined, { users: order(ids) });
  const names = new Map();
  for (const [n, line] of linesOf(joined.objects).entries()) {
    const [was, is] = [JSON.parse(before[n]), JSON.parse(line)];
    if (!ids.includes(was.userId)) {
      assert.equal(is.userId, was.userId);
      continue;
    }
    assert.equal(names.get(was.siteId) ?? is.userId, is.userId);
    names.set(was.siteId, is.userId);
  }
  assert.equal(new Set(names.values()).size, 2, 'one name a site');
  assert(
    [...joined.objects.keys()].every((key) => key.startsWith('events/')),
    'no plan is left',
  );
}

// Again: nothing.
await erase(whole, { users: [user] });
assert.equal(whole.puts(), puts);

for (const landed of [false, true]) {
  for (const failAt of [1, 2, 3, 11, puts - 1, puts]) {
    const bucket = bucketOf({ failAt, landed });
    await assert.rejects(erase(bucket, { users: [user] }), /cut off/);
    await erase(bucket, { users: [user] });
    check(bucket.objects);
  }
}

// Somebody else replaces each object after its second reading, which is that for its put: it is read anew, and theirs
// kept.
const gets = new Map();
const meddled = bucketOf({
  afterGet(key, objects) {
    gets.set(key, (gets.get(key) ?? 0) + 1);
    const object = objects.get(key);
    if (!key.startsWith('events/') || gets.get(key) !== 2) return;
    objects.set(key, { ...object, etag: 'of another', metadata: { ...object.metadata, other: 'kept' } });
  },
});
await erase(meddled, { users: [user] });
check(meddled.objects);
for (const [key, { metadata }] of meddled.objects) assert.equal(metadata.other, 'kept', key);

// An object lands while it runs.
const late = bucketOf();
const [lateKey, lateObject] = [...late.objects].find(([, { bytes }]) =>
  gunzipSync(bytes).toString().includes(`"${user}"`),
);
late.objects.delete(lateKey);
late.faults.beforePut = (key) =>
  key.startsWith('events/') && !late.objects.has(lateKey) && late.objects.set(lateKey, lateObject);
await erase(late, { users: [user] });
check(late.objects);

// The same session before a sign-in: it stays one session, and its line the same to the last digit.
const other =
  '{"eventId":"0198c1d2-0000-7000-8000-00000000ffff","siteId":"demo","tenantId":"sessionId","userId":"visitor",' +
  '"sessionId":"s","eventData":{"2":1.0,"1":12345678901234567890,"sessionId":"s"}}';
const own = other.replace('visitor', user);
const shared = bucketOf();
shared.objects.clear();
shared.objects.set('events/a', { bytes: gzipSync(`${other}\n`), etag: 'a', metadata: {} });
shared.objects.set('events/b', { bytes: gzipSync(`${own}\n`), etag: 'b', metadata: {} });
await erase(shared, { users: [user] });
const [visitor, erased] = linesOf(shared.objects);
const { sessionId } = JSON.parse(erased);
assert.match(sessionId, /^erased-/);
assert.equal(visitor, other.replace('"sessionId":"s"', `"sessionId":"${sessionId}"`));

// Cut off when the user is gone from all objects, and the rest of a session is not reached: it still gets the session's
// name.
const rest = bucketOf({ failAt: 2, landed: true });
rest.objects.clear();
rest.objects.set('events/a', { bytes: gzipSync(`${own}\n`), etag: 'a', metadata: {} });
for (let n = 0; n < 300; n += 1)
  rest.objects.set(`events/b${n}`, { bytes: gzipSync('{"siteId":"demo"}\n'), etag: 'b', metadata: {} });
rest.objects.set('events/c', { bytes: gzipSync(`${other}\n`), etag: 'c', metadata: {} });
await assert.rejects(erase(rest, { users: [user] }), /cut off/);
assert.equal(rest.objects.get('events/c').etag, 'c');
await erase(rest, { users: [user] });
const ends = linesOf(rest.objects);
assert.equal(JSON.parse(ends[0]).sessionId, JSON.parse(ends[ends.length - 1]).sessionId);
assert.match(JSON.parse(ends[0]).sessionId, /^erased-/);

// What is not the lake's is left alone, and said.
const foreign = bucketOf();
foreign.objects.set('events/foreign', { bytes: Buffer.from('no gzip'), etag: 'x', metadata: {} });
await assert.rejects(erase(foreign, { users: [user] }), /events\/foreign is no gzip/);
assert.deepEqual(linesOf(new Map([...foreign.objects].filter(([key]) => key !== 'events/foreign'))), before);
