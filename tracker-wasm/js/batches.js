// The texts of the batches that the core decides about, here and in the browser's storage.
import { core, SPLIT, WAITS } from './core.js';
import { freed, hold, holdOn, LEASE_MS, OWNER } from './hold.js';
import { dropped, report } from './reports.js';
import { alsoUnderWay, send, TAKEN_OVER } from './send.js';
import { kept, keys, save, stores } from './storage.js';
import { bytesOf, newId, randomWord, toJson } from './text.js';

/** Under this, and its id, a batch is kept until it is answered for. */
export const BATCH = 'b.';

/** What all pages of the site keep of batches at most, characters; as much as the core's own bound. */
const STORED_MAX = 256 * 1024;

/** Where all pages of the site learn until when the collector has barred them. */
export const BARRED = 'barred';

/** Fates as the core numbers them; a batch that was split is not reported, its halves will be. */
const FATES = ['', 'sent', 'rejected', 'retry'];

/**
 * The events are texts; what still changes with the page becomes one when the batch is sealed.
 * @typedef {{ id: string, events: (string | { toString(): string })[], mine: Promise<boolean>, stored?: boolean,
 *   isSealed?: boolean }} Batch
 * @type {Map<number, Batch>}
 */
const batches = new Map();

/**
 * @param {number} handle
 * @param {string} id
 * @param {Batch['events']} events
 * @param {Promise<boolean>} [mine]
 */
function put(handle, id, events, mine = hold(id)) {
  batches.set(handle, { id, events, mine });
  changed.add(handle);
}

/** The rest of a body, and of what is stored, after the opening. @param {number} handle */
const rest = (handle) => `"dropped":${core.dropped(handle)},"events":[${batches.get(handle)?.events}]}`;

/** Batches that are not stored as they are now. @type {Set<number>} */
const changed = new Set();

/** How long what is stored is this page's, ms: while it is there. */
let lease = LEASE_MS;

function store() {
  if (!stores() || !changed.size) return;
  let all = keys(BATCH).reduce((sum, key) => sum + kept(key).length, 0);
  for (const handle of changed) {
    const batch = batches.get(handle);
    if (!batch) continue;
    const text = `{"owner":"${OWNER}","until":${Date.now() + lease},${rest(handle)}`;
    all += text.length - kept(BATCH + batch.id).length;
    batch.stored = all <= STORED_MAX && save(BATCH + batch.id, text);
  }
  changed.clear();
}

/** @param {number} handle @param {boolean} [isTheirs] */
function forget(handle, isTheirs) {
  const batch = batches.get(handle);
  batches.delete(handle);
  if (!batch) return 0;
  if (!isTheirs) save(BATCH + batch.id, '');
  freed(batch.id);
  return batch.events.length;
}

let timer = 0;

/** Stores what is new, sends what is due, and comes again when more will be. */
export function pump() {
  store();
  for (let handle; (handle = core.due(Date.now())); ) post(handle);
  const wait = core.wake(Date.now());
  clearTimeout(timer);
  if (wait >= 0) timer = setTimeout(pump, wait);
}

/** An event is to be sent. @param {{ toString(): string }} event */
export function add(event) {
  const bytes = bytesOf(/** @type {any} */ (event));
  for (let oldest; (oldest = core.room(bytes)); ) dropped(forget(oldest), 'no_room');
  const handle = core.record(bytes, Date.now());
  if (!handle) return dropped(1, 'too_large');
  const batch = batches.get(handle);
  if (batch) batch.events.push(event);
  else put(handle, newId(), [event]);
  changed.add(handle);
}

/** @param {number} handle @param {Batch} batch */
function sealed(handle, batch) {
  batch.isSealed = true;
  batch.events = batch.events.map(String);
  changed.add(handle);
}

/** Sends all there is; when the page is left, all at once. @param {number} theEnd @param {boolean} [leaving] */
export function flush(theEnd, leaving) {
  core.flush(theEnd);
  // Nobody will hear the answers: the next page may send again what is left.
  if (theEnd) lease = 0;
  for (const [handle, batch] of batches) if (!batch.isSealed || !lease) sealed(handle, batch);
  store();
  if (leaving) for (let handle; (handle = core.leaving(Date.now())); ) post(handle, leaving);
  pump();
}

/** @param {number} handle @param {boolean} [leaving] */
function post(handle, leaving) {
  const batch = /** @type {Batch} */ (batches.get(handle));
  // As it was sealed; before it is sent, so that nothing else will ever have its id.
  if (!batch.isSealed) sealed(handle, batch), store();
  const body = () => `{"batchId":"${batch.id}","sentAt":${Date.now()},${rest(handle)}`;
  const answer = leaving ? send(body(), leaving) : isMine(batch).then((mine) => (mine ? send(body()) : [TAKEN_OVER]));
  alsoUnderWay(answer.then((/** @type {any} */ told) => settle(handle, ...told)));
}

/** Whether no other page has taken the batch over. @param {Batch} batch */
async function isMine(batch) {
  const mine = await batch.mine;
  return mine && (!batch.stored || !stores() || navigator.locks ? true : kept(BATCH + batch.id).includes(OWNER));
}

/**
 * @param {number} handle
 * @param {number} status
 * @param {number} [waitMs]
 * @param {any} [answer]
 */
function settle(handle, status, waitMs = -1, answer) {
  const batch = batches.get(handle);
  const fate = core.settle(handle, status, waitMs, randomWord(), Date.now());
  if (!batch) return;
  const { id: batchId, events } = batch;
  if (fate === SPLIT) {
    const half = events.length >> 1;
    const first = core.split(handle, bytesOf(`${events.slice(0, half)}`));
    put(first, newId(), events.slice(0, half));
    put(first + 1, newId(), events.slice(half));
  }
  if (fate === WAITS) save(BARRED, core.barred() || '');
  else forget(handle, status === TAKEN_OVER);
  if (FATES[fate]) report(FATES[fate], { batchId, events: events.length, status, answer });
  pump();
}

/** Takes on batches of pages that are no more. */
export async function adopt() {
  const until = kept(BARRED);
  if (until) core.bar(until, Date.now());
  for (const key of stores() ? keys(BATCH) : []) {
    const id = key.slice(BATCH.length);
    const lease = () => +/"until":(\d+)/.exec(kept(key))?.[1];
    if ([...batches.values()].some((batch) => batch.id === id) || !(await hold(id, lease))) continue;
    let handle = 0;
    try {
      const { events, dropped: before } = JSON.parse(kept(key));
      const texts = events.map(toJson);
      handle = core.adopt(parseInt(id.replace('-', ''), 16), texts.length, bytesOf(`${texts}`), before);
      if (handle) put(handle, id, texts, Promise.resolve(true));
      else dropped(texts.length, 'no_room');
    } catch {
      // Another page has sent it meanwhile, or it is nothing that a page of ours has stored.
    }
    if (!handle) save(key, ''), freed(id);
  }
  pump();
}

/** Shown again from the back/forward cache: others may have taken batches over. */
export function holdAgain() {
  lease = LEASE_MS;
  holdOn();
  for (const batch of batches.values()) {
    batch.mine = hold(batch.id, () => 0).then((mine) => mine && (!batch.stored || !!kept(BATCH + batch.id)));
  }
}

/** Forgets all batches. */
export function clear() {
  let events = 0;
  for (const handle of batches.keys()) events += forget(handle);
  if (events) dropped(events, 'denied');
}
