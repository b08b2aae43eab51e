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

/**
 * Medians of the rounds: in each cell Shoreline, the TypeScript worker, the twin, and Shoreline over the TypeScript
 * worker.
 * @param {Cell[]} cells
 */
export function table(cells) {
  const lines = [
    `In each cell: ${NAMES.join(', ')} (**${OURS} ÷ ${NAMES[1]}**).`,
    '',
    `| path | connections | ${COLUMNS.map(({ title }) => title).join(' | ')} |`,
    `|---|--:|${'--:|'.repeat(COLUMNS.length)}`,
  ];
  for (const { path, connections } of cells.filter(({ name }) => name === OURS)) {
    const all = NAMES.map(
      (name) =>
        cells.find((cell) => cell.path === path && cell.connections === connections && cell.name === name)?.figures ??
        [],
    );
    const shown = COLUMNS.map(({ key, digits }) => {
      const medians = all.map((figures) => median(figures.map((each) => each[key])));
      const share = (medians[0] / medians[1]).toFixed(2);
      return `${medians.map((value) => value.toFixed(digits)).join(', ')} (**${share}**)`;
    });
    lines.push(`| ${path} | ${connections} | ${shown.join(' | ')} |`);
  }
  return lines.join('\n');
}
