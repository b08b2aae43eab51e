// The goals beside what was measured.
import { median } from './table.mjs';
import { OURS } from './systems.mjs';

/** @typedef {import('./versus.mjs').Cell} Cell */
/** @typedef {import('./counted.mjs').Counted} Counted */
/** @typedef {import('./run.mjs').Figures} Figures */

/**
 * As Markdown; what was not measured is left out.
 * @param {Cell[]} cells @param {Counted[]} operations
 */
export function goals(cells, operations) {
  /**
   * Shoreline's median over the TypeScript worker's.
   * @type {(path: Cell['path'], connections: number, key: keyof Figures) => number}
   */
  const ratio = (path, connections, key) => {
    const of = (/** @type {string} */ name) => {
      const cell = cells.find((each) => each.path === path && each.connections === connections && each.name === name);
      return median((cell?.figures ?? []).map((figures) => figures[key]));
    };
    return of(OURS) / of('TypeScript');
  };
  const count = (/** @type {number} */ events) =>
    operations.find((each) => each.name === OURS && each.events === events && each.pace === 'busy');
  const large = count(25);
  const rows = (/** @type {Counted} */ { use }) => use.objectRowsWritten + use.d1RowsWritten;
  /** @type {[string, string, number | undefined, string][]} */
  const all = [
    [
      "validate + sanitize, batches/s over the TypeScript worker's (16 connections)",
      '≥ 1.2×',
      ratio('validate', 16, 'rate'),
      '×',
    ],
    ['full path, likewise, 16 connections', '≥ 3.5×', ratio('full', 16, 'rate'), '×'],
    ['full path, likewise, 64 connections', '≥ 3.5×', ratio('full', 64, 'rate'), '×'],
    ['p99 of the 202, likewise, 16 connections', '≤ 0.5×', ratio('full', 16, 'p99'), '×'],
    ['CPU a batch until all has landed, likewise, 16 connections', '≤ 0.3×', ratio('full', 16, 'cpu'), '×'],
    [
      'rows written in `site_do` a batch of 25, deletions included',
      '≤ 5',
      large && (large.counts.objects.SiteDo?.rowsWritten ?? NaN) / large.batches,
      '',
    ],
    ['rows written an event, batches of 25', '', large && rows(large), ''],
  ];
  const known = all.filter(([, , figure]) => figure !== undefined && !Number.isNaN(figure));
  return [
    '| | goal | figure |',
    '|---|--:|--:|',
    ...known.map(([what, goal, figure, unit]) => `| ${what} | ${goal} | ${Number(figure).toFixed(2)}${unit} |`),
  ].join('\n');
}
