// Ids as bytes, and where they are in lines.

/** Where an event's id begins and ends in its line: after `{"eventId":"`. */
const ID_AT = 12;
const ID_END = 48;
const NEWLINE = 10;

const nibble = (code: number) => (code < 58 ? code - 48 : code - 87);

/** The 16 bytes of a UUID in lowercase. */
export function uuidBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const hex = text.replaceAll('-', '');
  for (let at = 0; at < 16; at++)
    bytes[at] = (nibble(hex.charCodeAt(2 * at)) << 4) | nibble(hex.charCodeAt(2 * at + 1));
  return bytes;
}

/** A line's place, and its event's id in hex. */
export interface Place {
  start: number;
  end: number;
  id: string;
}

const decoder = new TextDecoder();

/** Where each line is. */
export function linesOf(bytes: Uint8Array): Place[] {
  const places: Place[] = [];
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    const id = decoder.decode(bytes.subarray(start + ID_AT, start + ID_END)).replaceAll('-', '');
    places.push({ start, end, id });
    start = end;
  }
  return places;
}
