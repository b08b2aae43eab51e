// What the panel shows. All of it is set as text.

/** Rows kept of each list; a page left open for a day must not grow without end. */
const ROWS = 200;

export const $ = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * An element with a class, a text and children.
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 * @param {Node[]} children
 */
export function element(tag, className, text = '', ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  made.append(...children);
  return made;
}

export const clock = (/** @type {number} */ ms) => new Date(ms).toLocaleTimeString('en-GB');

/** What lies under a row, for who wants to see all of it. @param {string} title @param {unknown} value */
export const more = (title, value) =>
  element('details', '', '', element('summary', '', title), element('pre', '', JSON.stringify(value, null, 2)));

/**
 * @param {string} list
 * @param {HTMLElement} row
 * @param {(row: HTMLElement) => void} [gone] called with rows that give way
 */
export function putFirst(list, row, gone = () => {}) {
  $(list).prepend(row);
  while ($(list).children.length > ROWS) {
    const last = /** @type {HTMLElement} */ ($(list).lastElementChild);
    last.remove();
    gone(last);
  }
}

/** What the tracker reports as `denied`, where something was pending; without, only the button knows. */
export const WITHDRAWN =
  'Consent is withdrawn: what was pending is forgotten, what was kept is removed, and nothing is sent.';

/** Says something about the page as a whole. @param {string} text */
export const say = (text) => void ($('state').textContent = text);

const counts = { made: 0, sent: 0, accepted: 0, counted: 0, landed: 0 };

/** @param {keyof typeof counts} name @param {number} more */
export function count(name, more) {
  counts[name] += more;
  $(name).textContent = String(counts[name]);
}
