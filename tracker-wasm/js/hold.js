// Who sends a batch: the page that holds the lock named by its id. The browser lets go of it when
// the page ends, however it ends. Where there are no Web Locks, a stored batch names its owner and
// how long nobody else is to touch it.
import { stores } from './storage.js';

/** This page. */
export const OWNER = `${Math.random()}`;

/** How long a stored batch is its owner's, ms: several times as long as an event waits for others. */
export const LEASE_MS = 60_000;

/** By id: lets go of the lock. @type {Map<string, () => void>} */
const held = new Map();

/** While this page is there: what it asked for at last must not be granted to a page that is kept for going back to. */
let here = new AbortController();

/** The page is there again. */
export const holdOn = () => void (here = new AbortController());

/**
 * Holds a batch, if nobody else does; true if so.
 * @param {string} id
 * @param {() => number} [lease] a batch that another page has stored: until when it is theirs
 * @returns {Promise<boolean>}
 */
export const hold = (id, lease) =>
  new Promise((done) => {
    if (!stores() || here.signal.aborted) return done(true);
    if (!navigator.locks) return done(!lease || !(lease() > Date.now()));
    navigator.locks
      .request('shoreline.' + id, lease ? { ifAvailable: true } : { signal: here.signal }, (lock) => {
        done(!!lock);
        return lock && new Promise((free) => held.set(id, /** @type {any} */ (free)));
      })
      .catch(() => done(true));
  });

/** Lets go of a batch, a little later: when other pages have heard what became of it. @param {string} id */
export function freed(id) {
  const free = held.get(id);
  if (free) setTimeout(free, 1000);
  held.delete(id);
}

/** Lets go of all: a page that holds locks is not kept for going back to. */
export function letGo() {
  here.abort();
  for (const free of held.values()) free();
  held.clear();
}
