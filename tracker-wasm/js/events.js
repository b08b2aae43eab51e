// Events: what is told about them, and by whom they are sent.
import { add, BARRED, BATCH, pump } from './batches.js';
import { core, isLive } from './core.js';
import { freed, hold, LEASE_MS } from './hold.js';
import { own } from './named.js';
import { isOn, options } from './options.js';
import { dropped, isHeard, report, warn } from './reports.js';
import { alsoUnderWay, send } from './send.js';
import { kept, save, stores, visitor } from './storage.js';
import { newId, toJson } from './text.js';

const VISITOR = 'visitor';
const SESSION = 'session';

/** Events kept while the module loads; a page that makes more has lost count itself. */
const EARLY_EVENTS = 1000;

/** @typedef {{ type: unknown, dataJson: string, at: number, isFirst?: boolean, user?: string }} Told */

/**
 * What was told and is not an event yet: that is made of it soon, when the page has done what it is
 * doing, or once the module is there.
 * @type {Told[]}
 */
const waiting = [];
let isBegun = false;
/** What comes next is the first of a new visit. */
let isFirst = false;
let isSoon = false;

/** When what is done now was asked for, if that was before. */
export const asked = { at: 0 };

export const now = () => asked.at || Date.now();

/** Characters of an id at most; what is longer was not kept by us. */
const ID_CHARS = 200;

function user() {
  const id = kept(VISITOR);
  if (!id || id.length > ID_CHARS) save(VISITOR, 'v-' + newId());
  return kept(VISITOR);
}

/**
 * Records an event.
 * @param {unknown} type
 * @param {unknown} [data]
 * @param {number} [at]
 * @param {boolean} [isView] whose title may still change
 */
export function record(type, data, at = now(), isView) {
  recordView();
  if (visitor.denied) return;
  let json;
  try {
    json = toJson(data ?? {});
  } catch {
    // Cyclic, a BigInt, or a toJSON or getter of the page that throws.
  }
  if (!json || !type || typeof type !== 'string') return dropped(1, 'bad_data');
  if (!isBegun && waiting.length >= EARLY_EVENTS) return dropped(1, 'no_room');
  // Anything but an object becomes its only value, rather than being lost.
  /** @type {Told} */
  const told = { type, dataJson: json[0] === '{' ? json : `{"value":${json}}`, at, isFirst };
  waiting.push(told);
  if (isView) (viewed = told), retitle();
  isFirst = false;
  if (!isSoon) setTimeout(drain);
  isSoon = true;
}

/** Makes events of what was told; with the module, or if it will never be there. */
export function drain() {
  isSoon = false;
  if (!isBegun || !waiting.length) return;
  if (!isLive) return plainly();
  eventsOf(waiting.splice(0)).forEach(add);
  pump();
}

/**
 * The events' texts; without those whose visit is not in the sample.
 * @param {Told[]} all
 */
function eventsOf(all) {
  /** @type {any[]} */
  let [id, began, latest] = kept(SESSION).split(' ');
  const known = user();
  const events = [];
  for (const told of all) {
    const { type, at, isFirst, user = known } = told;
    if (isFirst || !/^[\w-]{36}$/.test(id) || !core.lives(at, began, latest)) [id, began, latest] = [newId(), at, 0];
    latest = Math.max(latest, at);
    if (!core.sampled(parseInt(id.slice(-8), 16), options.sample ?? 1)) continue;
    const head = toJson({ eventId: newId(), eventType: type, userId: user, sessionId: id, timestamp: at });
    // As late as it is asked for: the title may still change.
    told.toString = () => `${head.slice(0, -1)},"eventData":${told.dataJson},"metadata":{"platform":"web"}}`;
    if (isHeard('event')) report('event', JSON.parse(`${told}`));
    events.push(told);
  }
  save(SESSION, `${id} ${began} ${latest}`);
  return events;
}

/** The module is there, or will never be: then what comes is sent without it. */
export function begin() {
  isBegun = true;
  // Soon: this task has the module to begin with.
  setTimeout(drain);
}

/**
 * The page is left, or hidden, before the module came.
 * @param {number} theEnd nobody will hear the answers: the next page may send again what is left
 */
export function rescue(theEnd) {
  plainly(true, theEnd ? 0 : LEASE_MS);
}

/** Statuses after which the same batch is sent again, as the core has it; a batch to be split is, too. */
const AGAIN = /^(0|413|429|5..)$/;

/**
 * Sends without the core: at once, and once.
 * @param {boolean} [isLeft] the page is: what is not taken is kept for a page to come
 * @param {number} [lease] for how long it is this page's, ms
 */
function plainly(isLeft, lease = 0) {
  while (waiting.length) {
    const events = eventsOf(waiting.splice(0, 25));
    if (!events.length) continue;
    const id = newId();
    const rest = `"dropped":0,"events":[${events}]}`;
    let isStored;
    if (isLeft) {
      hold(id);
      isStored = save(BATCH + id, `{"until":${lease && Date.now() + lease},${rest}`);
    }
    const body = `{"batchId":"${id}","sentAt":${Date.now()},${rest}`;
    alsoUnderWay(
      send(body, isLeft).then((/** @type {any} */ [status, wait, answer]) => {
        const waits = isStored && AGAIN.test(status);
        if (!waits) save(BATCH + id, '');
        else if (wait > 0) save(BARRED, Date.now() + wait);
        freed(id);
        report(waits ? 'retry' : status && status < 400 ? 'sent' : 'rejected', {
          batchId: id,
          events: events.length,
          status,
          answer,
        });
      }),
    );
  }
}

/** The address whose view is not recorded yet, because its title may still be the last page's. */
let untitled = '';
let viewedAt = 0;
// (A module may be imported where there is no page.)
/** @type {string | undefined} */
let referrer;

/** The view whose title may still change: until it is sent, or the next. @type {Told | undefined} */
let viewed;
/** What is told of it. @type {Record<string, string>} */
let seen;

/** The head of the page has changed, and perhaps its title. */
export function retitle() {
  if (viewed) viewed.dataJson = toJson({ ...seen, title: own('title') });
}

/**
 * The page at this address is viewed. Recorded with the next thing that happens, or when what runs
 * now is done: routers set the title after they have changed the address.
 * @param {string} url
 */
export function view(url) {
  recordView();
  leavePage();
  viewed = undefined;
  untitled = url;
  viewedAt = now();
  setTimeout(recordView);
}

/** Records the view that waits for its title, if one does. */
export function recordView() {
  const url = untitled;
  if (!url) return;
  untitled = '';
  page = url;
  seen = { url, referrer: referrer ?? own('referrer') };
  record('page_view', seen, viewedAt, true);
  // As it would be with a full load.
  referrer = url;
}

/** The page that is being viewed, and how. */
let page = '';
let engagedMs = 0;
let depth = 0;
let seenSince = 0;

/** Counts the time until now, if the page could be seen. */
export function look() {
  const time = performance.now();
  if (seenSince) engagedMs += time - seenSince;
  seenSince = own('hidden') ? 0 : time;
}

/** How far down the page was. Asked when it was just laid out, or is left: else it would be now. */
export function measure() {
  depth = Math.max(
    depth,
    Math.min(100, Math.round(((scrollY + innerHeight) / own('documentElement').scrollHeight) * 100) || 0),
  );
}

/** The page's view ends. */
export function leavePage() {
  look();
  if (page) measure(), record('page_leave', { url: page, engagedMs: Math.round(engagedMs), scrollDepth: depth });
  page = '';
  engagedMs = depth = 0;
}

/**
 * The visitor is this user, by a text or number; `null`: somebody new, on a new visit. Nothing else
 * does anything: a page that calls this before it knows its user must not make a new one each time.
 * Who was anonymous until now says so, so that both are counted as one.
 * @param {unknown} id
 */
export function identify(id) {
  if (id !== null && !/^(st|nu)/.test(id !== '' && typeof id)) return;
  // A view that waits for its title is that of the user who is known now; of somebody new, it is not.
  if (id === null) recordView();
  drain();
  for (const told of waiting) told.user ??= user();
  const anonymousId = kept(VISITOR);
  if (/@/.test(/** @type {any} */ (id)) && !isOn('hashIds')) warn('e-mail: data-hash-ids');
  save(VISITOR, id === null ? '' : String(id).slice(0, ID_CHARS));
  if (id === null) (isFirst = waiting.length > 0) || save(SESSION, '');
  else options.stitch !== 'off' && stores() && /^v-/.test(anonymousId) && record('identify', { anonymousId });
}

/** Forgets what is not recorded yet. */
export function clearPage() {
  if (waiting.length) dropped(waiting.splice(0).length, 'denied');
  page = untitled = '';
}
