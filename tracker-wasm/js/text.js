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
  for (const byte of crypto.getRandomValues(new Uint8Array(9))) digits += (byte + 256).toString(16).slice(1);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-a${digits.slice(3, 6)}-${digits.slice(6)}`;
}

/** A number of 32 bits at random: it spreads the next attempts of many pages. */
export const randomWord = () => Math.random() * 2 ** 32;

/**
 * JSON in which every string is well-formed. `JSON.stringify` writes half a surrogate pair, which a
 * text cut in the middle of an emoji ends in, as an escape that strict parsers refuse, and with it
 * the whole batch. Whole pairs it does not escape. (The second branch passes over other escapes, so
 * that an escaped backslash is not taken for the beginning of one.)
 * @param {unknown} value
 */
export const toJson = (value) => {
  const json = JSON.stringify(value);
  return json?.includes('\\ud') ? json.replace(/\\(ud...|.)/g, (escape, code) => (code[1] ? '\\ufffd' : escape)) : json;
};
