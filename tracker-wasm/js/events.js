// Events: what is told about them, in the form the core takes.
import { ask, IDENTIFY, RECORD } from './core.js';
import { dropped, kept, save } from './page.js';

const VISITOR = 'shoreline.visitor';
const SESSION = 'shoreline.session';

/** What the core and the collector take at most for one event (shared/src/limits.rs). */
const EVENT_BYTES = 32 * 1024;

/**
 * JSON in which every string is well-formed. `JSON.stringify` writes half a surrogate pair, which a
 * text cut in the middle of an emoji ends in, as an escape that strict parsers refuse, and with it
 * the whole batch. Whole pairs it does not escape. (The second branch passes over other escapes, so
 * that an escaped backslash is not taken for the beginning of one.)
 * @param {unknown} value
 */
const toJson = (value) => JSON.stringify(value)?.replace(/\\(ud...|.)/g, (escape, code) => (code[1] ? '\\ufffd' : escape));

/** The address whose view is not recorded yet, because its title may still be the last page's. */
let untitled = '';
let referrer = document.referrer;

/**
 * Records an event.
 * @param {unknown} type
 * @param {unknown} data
 */
export function record(type, data) {
  recordView();
  let json;
  try {
    json = toJson(data ?? {});
  } catch {
    // Cyclic, a BigInt, or a toJSON or getter of the page that throws.
  }
  if (!json || !type || typeof type !== 'string') return dropped(1, 'bad_data');
  // The core counts bytes; what has more characters than it takes bytes need not even be handed to
  // it, whose memory grows and never shrinks.
  if (json.length > EVENT_BYTES) return dropped(1, 'too_large');
  // Anything but an object becomes its only value, rather than being lost.
  ask(RECORD, toJson(type), json[0] === '{' ? json : `{"value":${json}}`, kept(SESSION));
}

/**
 * The page at this address is viewed. Recorded with the next thing that happens, or when what runs
 * now is done: routers set the title after they have changed the address.
 * @param {string} url
 */
export function view(url) {
  recordView();
  untitled = url;
  setTimeout(recordView);
}

/** Records the view that waits for its title, if one does. */
export function recordView() {
  const url = untitled;
  if (!url) return;
  untitled = '';
  record('page_view', { url, title: document.title, referrer });
  // As it would be with a full load.
  referrer = url;
}

/** The visitor is whom this browser knows, or somebody new. */
export function recall() {
  const id = kept(VISITOR);
  ask(IDENTIFY, id && toJson(id));
}

/**
 * The visitor is this user, by a text or number; `null`: somebody new. Nothing else does anything: a
 * page that calls this before it knows its user must not make a new one at every view.
 * @param {unknown} id
 */
export function identify(id) {
  if (id === null) return void ask(IDENTIFY, '');
  if (!/^(string|number)$/.test(typeof id) || id === '') return;
  save(VISITOR, String(id));
  ask(IDENTIFY, toJson(String(id)));
}
