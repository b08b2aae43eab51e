// What was measured, as Markdown.
import { NAMES, OURS } from './systems.mjs';

/** @typedef {import('./versus.mjs').Cell} Cell */
/** @typedef {import('./run.mjs').Figures} Figures */

/** The middle of some numbers. @param {number[]} numbers */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
}

/** @type {{ key: keyof Figures, title: string, digits: number }[]} */
const COLUMNS = [
  { key: 'rate', title: 'batches/s', digits: 0 },
  { key: 'p50', title: 'p50 ms', digits: 2 },
  { key: 'p99', title: 'p99 ms', digits: 2 },
  { key: 'cpu', title: 'CPU µs a batch', digits: 0 },
  { key: 'memory', title: 'MB', digits: 0 },
];

/** A median of the rounds, and by how much it is Shoreline's. @param {Cell[]} cells */
export function table(cells) {
  const lines = [
    `| path | connections | | ${COLUMNS.map(({ title }) => title).join(' | ')} |`,
    `|---|--:|---|${'--:|'.repeat(COLUMNS.length)}`,
  ];
  for (const { path, connections } of cells.filter(({ name }) => name === OURS)) {
    const of = (/** @type {string} */ name) => cells.find((cell) => cell.path === path && cell.connections === connections && cell.name === name)?.figures ?? [];
    const medians = (/** @type {string} */ name) => COLUMNS.map(({ key }) => median(of(name).map((figures) => figures[key])));
    const row = (/** @type {string} */ name, /** @type {string[]} */ shown) => lines.push(`| ${path} | ${connections} | ${name} | ${shown.join(' | ')} |`);
    for (const name of NAMES) row(name, medians(name).map((value, at) => value.toFixed(COLUMNS[at].digits)));
    const ours = medians(OURS);
    for (const name of NAMES.filter((name) => name !== OURS)) row(`**Shoreline ÷ ${name}**`, medians(name).map((value, at) => `**${(ours[at] / value).toFixed(2)}**`));
  }
  return lines.join('\n');
}
