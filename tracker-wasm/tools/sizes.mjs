// What a visitor downloads, in bytes.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** The three ways a size is given. @param {Buffer} bytes */
const sizes = (bytes) => [
  bytes.length,
  gzipSync(bytes, { level: 9 }).length,
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length,
];

/**
 * A table of the files and their sum: raw, gzip -9, brotli -11. Each file is compressed by itself,
 * as it is sent.
 * @param {string[]} files
 */
export function sizeTable(files) {
  const rows = files.map((file) => ({ name: basename(file), bytes: sizes(readFileSync(file)) }));
  const total = rows.reduce((sum, { bytes }) => sum.map((size, i) => size + bytes[i]), [0, 0, 0]);
  const line = (/** @type {string} */ name, /** @type {(string | number)[]} */ cells) =>
    name.padEnd(16) + cells.map((cell) => cell.toLocaleString('en').padStart(8)).join('');
  return [line('tracker, bytes', ['raw', 'gzip', 'brotli']), ...rows.map(({ name, bytes }) => line(name, bytes)), line('total', total)];
}
