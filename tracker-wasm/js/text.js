// Ids and texts, by what the platform has for them.

const encoder = new TextEncoder();

/** How many bytes a text is sent as. @param {string} text */
export const bytesOf = (text) => encoder.encode(text).length;

let latest = 0;

/** A UUIDv7. Ids of one page sort in the order in which they were made. */
export function newId() {
  latest = Math.max(Date.now(), latest + 1);
  const time = latest.toString(16).padStart(12, '0');
  let digits = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(9))) digits += byte.toString(16).padStart(2, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-a${digits.slice(3, 6)}-${digits.slice(6)}`;
}

/** A number of 32 bits at random: it spreads the next attempts of many pages. */
export const randomWord = () => Math.random() * 2 ** 32;

/** Characters of a text at most. The edge keeps 1,000 code points, each of which is one or two of these. */
const TEXT_CHARS = 2000;

/**
 * Parameters of a URL before others, of which the edge keeps nothing. (It may of those whose names end like
 * the ids of clicks.)
 */
const IN_VAIN = /([?&])((?!utm_|ref=|\w+id=)[^&#]*&)+/g;

/**
 * A long text without what the edge would never keep, which could make an event too large: of a URL that
 * are parameters first, and then the end.
 * @param {string} _
 * @param {any} value
 */
function short(_, value) {
  if (typeof value !== 'string' || !value[TEXT_CHARS]) return value;
  return (/^(http|\/)/.test(value) ? value.replace(IN_VAIN, '$1') : value).slice(0, TEXT_CHARS);
}

/**
 * JSON in which every string is well-formed. `JSON.stringify` writes half a surrogate pair, which a
 * text cut in the middle of an emoji ends in, as an escape that strict parsers refuse, and with it
 * the whole batch. Whole pairs it does not escape. (The second branch passes over other escapes, so
 * that an escaped backslash is not taken for the beginning of one.) Texts are short.
 * @param {unknown} value
 */
export const toJson = (value) => {
  const json = JSON.stringify(value, short);
  return json?.replace(/\\(ud...|.)/g, (escape, code) => (code[1] ? '\\ufffd' : escape));
};
