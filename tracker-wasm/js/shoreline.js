// What a page loads: the global `shoreline`, and the listeners that feed it.
import { ask, FLUSH, HIDDEN, load, PENDING, REPLACED, SHOWN, UNLOADED, WENT } from './core.js';
import { identify, recall, record, recordView, view } from './events.js';
import { dropped, kept, underWay } from './page.js';
import { on, totals } from './reports.js';
import { excluded, wasmUrl } from './script.js';

/** Calls kept while the module loads; a page that makes more has lost count itself. */
const EARLY_CALLS = 1000;

/** What is to be done once the core is there. @type {(() => void)[]} */
const early = [];
let isLive = false;

const calls = {
  page: () => view(location.href),
  feature: (name, data) => record(name && 'feature_use', { ...data, feature: String(name) }),
  track: record,
  identify,
  async flush() {
    const before = { ...totals };
    recordView();
    ask(FLUSH);
    // An answer may send the next batch off.
    for (let seen; seen !== underWay; ) await (seen = underWay);
    const outcome = { pending: ask(PENDING) };
    for (const kind in before) outcome[kind] = totals[kind] - before[kind];
    return outcome;
  },
  on,
};

/**
 * `shoreline('feature', 'export')` does what `shoreline.feature('export')` does, before and after
 * this script has loaded. Whatever is wrong with a call, it does not throw.
 * @param {string} name
 * @param {...any} args
 */
function shoreline(name, ...args) {
  try {
    if (isLive || name === 'on') return calls[name](...args);
    return new Promise((done) => whenLive(() => done(shoreline(name, ...args))));
  } catch {
    dropped(0, 'bad_call');
  }
}

/** @param {() => void} act */
function whenLive(act) {
  if (isLive) act();
  else if (early.length < EARLY_CALLS) early.push(act);
}

/** The address may have changed. @param {number} how */
function moved(how) {
  const { href, pathname } = location;
  whenLive(() => ask(how, pathname) && view(href));
}

/** @param {number} how */
function leave(how) {
  recordView();
  ask(how);
}

function listen() {
  for (const [name, how] of [['pushState', WENT], ['replaceState', REPLACED]]) {
    const original = history[name];
    history[name] = function (...args) {
      const result = original.apply(this, args);
      moved(how);
      return result;
    };
  }
  addEventListener('popstate', () => moved(WENT));
  // Shown again from the back/forward cache: to its visitor, a view like any other.
  addEventListener('pageshow', (event) => event.persisted && moved(SHOWN));
  addEventListener('pagehide', () => leave(UNLOADED));
  addEventListener('online', () => ask(FLUSH));
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && leave(HIDDEN));
  // While the event goes down, so that no handler of the page can keep it from us.
  document.addEventListener('click', ({ target }) => {
    const button = target.closest?.('[data-shoreline-feature]');
    if (button) shoreline('feature', button.getAttribute('data-shoreline-feature'));
  }, true);
}

/**
 * Nothing is counted on this page. A report, and a property for who comes too late to hear it.
 * @param {string} reason
 */
function beSilent(reason) {
  shoreline.silent = reason;
  dropped(0, reason);
  console.info('shoreline is silent: ' + reason);
}

async function start() {
  // First, so that a visitor who is identified before anything else is so from the first view on:
  // it is recorded with what happens next.
  moved(SHOWN);
  for (const call of queued) shoreline(...call);
  const reason = excluded(kept('shoreline.ignore'));
  if (reason) return beSilent(reason);
  // Fetched ahead of being looked at; it may never be.
  if (document.prerendering) await new Promise((shown) => document.addEventListener('prerenderingchange', shown, { once: true }));
  listen();
  await load(wasmUrl);
  recall();
}

const stub = window.shoreline;
const queued = Array.from(stub?.q || []);

// Loaded twice, it would count twice.
if (!stub?.on) {
  for (const name in calls) shoreline[name] = (...args) => shoreline(name, ...args);
  // For a page that has kept the stub's own queue.
  shoreline.q = { push: (call) => void shoreline(...call) };
  window.shoreline = shoreline;
  start()
    .catch(() => beSilent('unavailable'))
    .then(() => {
      isLive = true;
      for (const act of early) act();
    });
}
