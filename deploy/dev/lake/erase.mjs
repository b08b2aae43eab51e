// Erasure in the lake: a user's events stay, as those of nobody, so that no count changes.
//
// First every object is read for the user's sessions, then those that hold the user or such a session are
// replaced, each by one conditional put. The names that replace theirs hang on a random key, which lies in
// the bucket until all is done: a run that was cut off goes on with it, and one user does not become two.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isDeepStrictEqual, promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Failure } from '../base/process.mjs';

/** @typedef {import('./bucket.mjs').Bucket} Bucket */
/** Whom: all ids of one person. @typedef {{ users: string[], site?: string }} Whom */
/**
 * The key, hexadecimal, and the sessions, each as of {@link sessionOf}.
 * @typedef {{ key: string, sessions: string[] }} Plan
 */

const EVENTS = 'events/';

/** How often an object or a plan is tried that others change meanwhile. */
const TRIES = 10;

/**
 * How many objects are worked on at once: S3 answers in tens of milliseconds, and eight objects of 8 MB fit the memory.
 */
const AT_ONCE = 8;

/**
 * Where the plan lies until the erasure is done; who does not know the user learns nothing of it.
 * @param {Whom} whom
 */
const planKey = ({ users, site = '' }) =>
  `erasures/${createHash('sha256')
    .update(JSON.stringify([site, ...[...users].sort()]))
    .digest('hex')}.json`;

/** @param {any} event @returns {string | undefined} */
const sessionOf = ({ siteId, sessionId }) =>
  typeof sessionId === 'string' ? JSON.stringify([siteId, sessionId]) : undefined;

/** @param {any} event @param {Whom} whom */
const isOf = (event, { users, site }) => users.includes(event.userId) && (site === undefined || event.siteId === site);

/**
 * Each line with its event.
 * @param {string} key the object, for what is said of it
 * @param {Uint8Array} bytes
 * @returns {Promise<{ line: string, event: any }[]>}
 */
async function linesOf(key, bytes) {
  try {
    const text = (await promisify(gunzip)(bytes)).toString('utf8');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => ({ line, event: Object.freeze({ ...JSON.parse(line) }) }));
  } catch {
    throw new Failure(`${key} is no gzip of lines of JSON; nothing of it was changed`);
  }
}

/**
 * A line with another session. Written anew it could change, numbers above all: what is put in is the name alone.
 * @param {string} line
 * @param {any} event
 * @param {string} sessionId
 */
function renamed(line, event, sessionId) {
  // Inside a string the quotes would be escaped, and eventData comes later.
  const now = line.replace(/"sessionId":"(?:[^"\\]|\\.)*"/, () => `"sessionId":${JSON.stringify(sessionId)}`);
  if (!isDeepStrictEqual(JSON.parse(now), { ...event, sessionId }))
    throw new Failure('a line was not written by Shoreline; nothing of its object was changed');
  return now;
}

/**
 * The lines with the user gone; undefined if they are not of them. What is not of them stays as it is, byte for byte.
 * @param {{ line: string, event: any }[]} lines
 * @param {Whom} whom
 * @param {Plan} plan
 */
function rewritten(lines, whom, plan) {
  const name = (/** @type {string} */ what) =>
    `erased-${createHmac('sha256', Buffer.from(plan.key, 'hex')).update(what).digest('hex').slice(0, 32)}`;
  const sessions = new Set(plan.sessions);
  let erased = 0;
  let changed = 0;
  const all = lines.map(({ line, event }) => {
    const session = sessionOf(event);
    const others = session !== undefined && sessions.has(session) ? { sessionId: name(session) } : {};
    if (isOf(event, whom)) {
      erased += 1;
      return JSON.stringify({
        ...event,
        userId: name(JSON.stringify([event.siteId])),
        ...others,
        eventData: {},
        metadata: {},
      });
    }
    // The same session under another id, as before a sign-in: it stays one session.
    if (others.sessionId) {
      changed += 1;
      return renamed(line, event, others.sessionId);
    }
    return line;
  });
  return erased + changed === 0 ? undefined : { text: all.map((line) => `${line}\n`).join(''), erased, changed };
}

/**
 * Does `work` with every object, those too that land meanwhile.
 * @param {Bucket} bucket
 * @param {(key: string) => Promise<void>} work
 */
async function forEachObject(bucket, work) {
  const seen = new Set();
  for (let before = -1; before !== seen.size; ) {
    before = seen.size;
    const keys = bucket.keys(EVENTS);
    const worker = async () => {
      for await (const key of keys) {
        if (seen.has(key)) continue;
        seen.add(key);
        await work(key);
      }
    };
    // All come to rest before a failure is told: nothing is put after it.
    const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
  return seen.size;
}

/**
 * The plan: that of a run that was cut off, with the sessions that were found now, or a new one.
 * @param {Bucket} bucket
 * @param {Whom} whom
 * @param {Set<string>} sessions
 * @returns {Promise<Plan>}
 */
async function planFor(bucket, whom, sessions) {
  const key = planKey(whom);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const previous = await bucket.get(key);
    const plan = previous
      ? /** @type {Plan} */ (JSON.parse(Buffer.from(previous.bytes).toString()))
      : { key: randomBytes(32).toString('hex'), sessions: [] };
    const whole = { ...plan, sessions: [...new Set([...plan.sessions, ...sessions])] };
    if (await bucket.put(key, Buffer.from(JSON.stringify(whole)), previous)) {
      if (previous) console.log('an erasure that was cut off goes on');
      return whole;
    }
  }
  throw new Failure('other erasures of this user run; nothing was changed');
}

/**
 * Replaces an object without the user.
 * @param {Bucket} bucket
 * @param {string} key
 * @param {Whom} whom
 * @param {Plan} plan
 */
async function replace(bucket, key, whom, plan) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await bucket.get(key);
    const lines = found && (await linesOf(key, found.bytes));
    const now = lines && rewritten(lines, whom, plan);
    if (!now) return undefined;
    // `sha256` stays what was sealed: by it the worker knows an object as its own.
    const metadata = { ...found.metadata, 'sha256-rewritten': createHash('sha256').update(now.text).digest('hex') };
    if (await bucket.put(key, await promisify(gzip)(now.text), { ...found, metadata }))
      return { ...now, of: lines.length };
  }
  throw new Failure(`${key} is changed by others all the time; run it again`);
}

/**
 * Erases a user, who is one afterwards whatever ids they had, and says what it did.
 * @param {Bucket} bucket
 * @param {Whom} whom
 */
export async function erase(bucket, whom) {
  /** @type {Set<string>} */
  const sessions = new Set();
  let found = false;
  await forEachObject(bucket, async (key) => {
    const object = await bucket.get(key);
    for (const { event } of object ? await linesOf(key, object.bytes) : []) {
      if (!isOf(event, whom)) continue;
      found = true;
      const session = sessionOf(event);
      if (session) sessions.add(session);
    }
  });
  if (!found && !(await bucket.get(planKey(whom))))
    return console.log('0 events erased: the lake has none of this user');

  const plan = await planFor(bucket, whom, sessions);
  const total = { erased: 0, objects: 0 };
  const read = await forEachObject(bucket, async (key) => {
    const done = await replace(bucket, key, whom, plan);
    if (!done) return;
    total.erased += done.erased;
    total.objects += 1;
    console.log(
      `${key}  ${done.erased} of ${done.of} events ` +
        `erased${done.changed ? `, ${done.changed} of the same sessions renamed` : ''}`,
    );
  });
  await bucket.remove(planKey(whom));
  console.log(`${total.erased} events erased; ${total.objects} of ${read} objects replaced`);
}
