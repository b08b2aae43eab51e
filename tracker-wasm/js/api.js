// The calls, and the listeners that feed them.
import { adopt, clear, flush, holdAgain } from './batches.js';
import { clicked, rejected, submitted, tellVitals, threw, told, watchVitals } from './captures.js';
import { core, isLive, load, REPLACED, SHOWN, WENT } from './core.js';
import {
  asked,
  begin,
  clearPage,
  drain,
  identify,
  leavePage,
  look,
  measure,
  now,
  record,
  recordView,
  rescue,
  retitle,
  view,
} from './events.js';
import { letGo } from './hold.js';
import { own } from './named.js';
import { asksForPrivacy, excluded, isOn, options } from './options.js';
import { dropped, on, totals, warn } from './reports.js';
import { underWay } from './send.js';
import { IGNORE, kept, save, settleIn, stores, visitor, wipe } from './storage.js';

const CONSENT = 'consent';

/** What is done before `init`, too: it asks nothing of the options. */
const AT_ONCE = /^(in|o|fl)/;

/** Calls kept until `init`; a page that makes more has lost count itself. */
const EARLY_CALLS = 1000;

/** As the snippet keeps them. @type {any[]} */
const early = [];

/** Settled when the module is there, or will never be. @type {Promise<void> | undefined} */
let ready;

/** This visitor is counted: calls are done at once. */
let isStarted = false;

let isListening = false;

const calls = {
  init,
  page: () => view(location.href),
  feature: (name, data) => record(name && 'feature_use', { ...data, feature: String(name) }),
  track: (type, data) => record(type, data),
  content: (contentType, data) => record('content_create', { ...data, contentType }),
  ai: (data) => record('ai_request', data),
  error: (error, data) => record('error', { ...told(error), ...data }),
  identify,
  reset: () => identify(null),
  consent: (word) => (word === 'granted' || word === 'denied') && agree(word === 'granted', true),
  optOut() {
    agree(false);
    save(IGNORE, '1');
    beSilent('ignored');
  },
  optIn() {
    save(IGNORE, '');
    delete shoreline.silent;
    if (isStarted) agree(true);
    else start();
  },
  async flush() {
    const before = { ...totals };
    recordView();
    await ready;
    drain();
    if (isLive) flush(0);
    // An answer may send the next batch off.
    for (let seen; seen !== underWay; ) await (seen = underWay);
    for (const kind in before) before[kind] = totals[kind] - before[kind];
    return { ...before, pending: isLive ? core.pending() : 0 };
  },
  on,
};

/**
 * `shoreline('feature', 'export')` does what `shoreline.feature('export')` does. Whatever is wrong
 * with a call, it does not throw.
 * @param {string} name
 * @param {...any} args
 */
export function shoreline(name, ...args) {
  return safely(() => {
    if (isStarted || AT_ONCE.test(name)) return calls[name](...args);
    if (!shoreline.silent && early.length < EARLY_CALLS) early.push(Object.assign([name, ...args], { t: now() }));
  });
}
for (const name in calls) shoreline[name] = (...args) => shoreline(name, ...args);

/** Makes a call that was kept, as of the time at which it was made, where that is known. @param {any} call */
export function replay(call) {
  asked.at = call.t || 0;
  shoreline(...call);
  asked.at = 0;
}

/** @param {() => any} act */
function safely(act) {
  try {
    return act();
  } catch {
    dropped(0, 'bad_call');
  }
}

/**
 * The visitor agrees to be counted, or not.
 * @param {boolean} granted
 * @param {boolean} [isKept]
 */
function agree(granted, isKept) {
  const was = visitor.denied;
  visitor.denied = !granted;
  if (isLive) core.consent(granted);
  if (granted !== was) return;
  clearPage();
  if (!granted) {
    clear();
    wipe();
  } else {
    settleIn();
    if (isKept) save(CONSENT, '1');
    view(location.href);
  }
}

let path = '';

/** The address may have changed. @param {number} how */
function moved(how) {
  const { href, pathname, hash } = location;
  const next = pathname + (isOn('hash') ? hash : '');
  const isView = core.view(how, next !== path);
  path = next;
  if (isView) view(href);
}

/** @param {number} theEnd */
function leave(theEnd) {
  if (!isCounted()) return;
  if (theEnd) letGo();
  recordView();
  tellVitals();
  if (theEnd) leavePage();
  look();
  drain();
  if (isLive) flush(theEnd, true);
  else rescue(theEnd);
}

function listen() {
  isListening = true;
  for (const [name, how] of /** @type {const} */ ([
    ['pushState', WENT],
    ['replaceState', REPLACED],
  ])) {
    const original = history[name];
    history[name] = function (...args) {
      const result = original.apply(this, args);
      safely(() => moved(how));
      return result;
    };
  }
  /** @type {(name: string, act: (event: any) => void) => void} */
  // While the event goes down, so that no handler of the page can keep it from us.
  const hear = (name, act) =>
    addEventListener(name, (event) => safely(() => act(event)), { capture: true, passive: true });
  hear('popstate', () => moved(WENT));
  // Shown again from the back/forward cache: to its visitor, a view like any other.
  hear('pageshow', ({ persisted }) => persisted && (holdAgain(), moved(SHOWN), resume()));
  hear('pagehide', () => leave(1));
  hear('online', resume);
  hear('visibilitychange', () => (own('hidden') ? leave(0) : look()));
  hear('scroll', measure);
  hear('click', clicked);
  hear('auxclick', clicked);
  hear('submit', submitted);
  hear('error', (event) => event.message && threw(event));
  hear('unhandledrejection', rejected);
  watchVitals();
  new MutationObserver(retitle).observe(own('head'), { childList: true, subtree: true, characterData: true });
}

function resume() {
  if (!isLive) return;
  core.flush(0);
  adopt();
}

/**
 * Nothing is counted on this page. A report, and a property for who comes too late to hear it.
 * @param {string} reason
 */
function beSilent(reason) {
  visitor.denied = true;
  shoreline.silent = reason;
  dropped(0, reason);
  warn(`silent: ${reason} (data-include-local counts)`);
}

/** Begins with these options; once. @param {Record<string, any>} given */
export function init(given) {
  ready || Object.assign(options, given);
  start();
}

function start() {
  if (ready) return;
  // Fetched ahead of being looked at, which it may never be: till then calls are kept, and nothing else is.
  if (own('prerendering')) {
    options.at = 0;
    return addEventListener('prerenderingchange', () => safely(start), { capture: true, once: true });
  }
  const [, word] = /[?&]shoreline=(on|off)\b/.exec(location.search) || [];
  if (word) save(IGNORE, word === 'off' ? '1' : '');
  const reason = excluded();
  if (reason) return beSilent(reason);
  visitor.denied = false;
  visitor.isPrivate = options.storage === 'none' || asksForPrivacy();
  // (Nothing is read for a private visitor: who is asked for consent gives it on each page.)
  visitor.denied = options.consent === 'denied' && !kept(CONSENT);
  if (!stores()) wipe();
  ready = run();
  asked.at = options.at;
  moved(SHOWN);
  asked.at = 0;
  look();
  if (!isListening) listen();
}

/** Whether this visitor is counted; does the calls that waited for this to be known. */
function isCounted() {
  if (isStarted || shoreline.silent) return isStarted;
  if (kept(IGNORE)) {
    ready = undefined;
    beSilent('ignored');
    clearPage();
    wipe();
    return false;
  }
  isStarted = true;
  early.splice(0).forEach(replay);
  return true;
}

async function run() {
  // The browser's storage and the module come in a task of their own: with the page's scripts and
  // layout before them, they would make that a long one.
  await new Promise(setTimeout);
  if (!isCounted()) return;
  try {
    await load(options.wasm);
    core.consent(!visitor.denied);
  } catch {
    // Refused by the page's policy, or not to be had.
  }
  begin();
  if (isLive) await adopt();
}
