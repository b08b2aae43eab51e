// What this browser keeps for the site, under names that begin with "shoreline.".

const PREFIX = 'shoreline.';

/** For a page that may not store, or cannot. @type {Record<string, string>} */
let memory = {};

/** The visitor did not agree to be counted (yet), or the site keeps nothing with anybody. */
export const visitor = { denied: false, isPrivate: false };

/** Whether anything may be stored. */
export const stores = () => !visitor.denied && !visitor.isPrivate;

/** The one thing that is kept for who wants nothing kept: that they do not want to be counted. */
export const IGNORE = 'ignore';

/** @param {string} key */
export function kept(key) {
  let text;
  try {
    if (stores() || key === IGNORE) text = localStorage.getItem(PREFIX + key);
  } catch {
    // Then this page remembers.
  }
  return text ?? (memory[key] || '');
}

/**
 * Keeps a text; an empty one is forgotten. Whether the browser has it; if not (blocked, full), this
 * page remembers it.
 * @param {string} key
 * @param {any} text
 */
export function save(key, text) {
  // A batch that is not stored is with who made it.
  if (key[1] !== '.') memory[key] = text;
  try {
    if (text && (stores() || key === IGNORE)) {
      localStorage.setItem(PREFIX + key, text);
      return true;
    }
  } catch {
    // What it has is older than what this page knows.
  }
  forget(key);
}

/** @param {string} key */
function forget(key) {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // Then nothing is stored, either.
  }
}

/** The names that begin like that, oldest batch first. @param {string} beginning */
export function keys(beginning) {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX + beginning))
      .map((key) => key.slice(PREFIX.length))
      .sort();
  } catch {
    return [];
  }
}

/** Forgets everything but that the visitor does not want to be counted. */
export function wipe() {
  for (const key of keys('')) if (key !== IGNORE) forget(key);
}

/** May be stored now: keeps what was only remembered. */
export function settleIn() {
  for (const key in memory) save(key, memory[key]);
}
