// What a visitor downloads, in bytes.
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Bytes, brotli quality 11, of all that a page downloads: half of the lightest tracker that loses nothing. */
const BUDGET = 8000;

/** The three ways a size is given. @param {Buffer} bytes */
const sizes = (bytes) => [
  bytes.length,
  gzipSync(bytes, { level: 9 }).length,
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  }).length,
];

/** @param {Record<string, Buffer>} parts */
const total = (parts) =>
  Object.values(parts)
    .map(sizes)
    .reduce((sum, size) => sum.map((bytes, i) => bytes + size[i]), [0, 0, 0]);

/**
 * A table of the parts and their sum: raw, gzip -9, brotli -11. Each is compressed by itself, as it is
 * sent.
 * @param {Record<string, Buffer>} parts
 */
export function sizeTable(parts) {
  const line = (/** @type {string} */ name, /** @type {(string | number)[]} */ cells) =>
    name.padEnd(16) + cells.map((cell) => cell.toLocaleString('en').padStart(8)).join('');
  const rows = Object.entries(parts).map(([name, bytes]) => line(name, sizes(bytes)));
  return [
    line('tracker, bytes', ['raw', 'gzip', 'brotli']),
    ...rows,
    line('total', total(parts)),
    `budget: ${BUDGET.toLocaleString('en')} brotli`,
  ];
}

/** Fails over the budget. @param {Record<string, Buffer>} parts */
export function checkBudget(parts) {
  const brotli = total(parts)[2];
  if (brotli > BUDGET)
    throw new Error(`the tracker has ${brotli} bytes (brotli), ${brotli - BUDGET} more than the budget of ${BUDGET}`);
}
