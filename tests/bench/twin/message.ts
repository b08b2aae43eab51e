// A message of the queue: which rows of the log it has, and their lines. 16 bytes of range, then the lines.

const HEAD_BYTES = 16;

/** Rows of the log, from the first to the last. */
export interface Range {
  from: number;
  to: number;
}

/** Writes a message. */
export function write({ from, to }: Range, bodies: Uint8Array[]): Uint8Array {
  const size = bodies.reduce((sum, { length }) => sum + length, HEAD_BYTES);
  const message = new Uint8Array(size);
  const head = new DataView(message.buffer);
  head.setFloat64(0, from);
  head.setFloat64(8, to);
  let at = HEAD_BYTES;
  for (const body of bodies) {
    message.set(body, at);
    at += body.length;
  }
  return message;
}

/** Reads one. */
export function read(message: ArrayBuffer): Range & { lines: Uint8Array } {
  const head = new DataView(message);
  return { from: head.getFloat64(0), to: head.getFloat64(8), lines: new Uint8Array(message, HEAD_BYTES) };
}
