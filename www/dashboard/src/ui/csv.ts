// Tables that the API gives as JSON alone, as CSV: RFC 4180, and nothing a spreadsheet would take for a formula.
import { save } from '../api';
import { h } from '../dom';

/** A cell. */
type Cell = string | number | null;

const FORMULA = /^[=+\-@\t\r]/;

function text(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The lines. */
const csv = (head: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [head, ...rows].map((row) => `${row.map(text).join(',')}\r\n`).join('');

/** A button that saves a table as `name`.csv. */
export function saveCsvButton(
  title: string,
  name: string,
  head: readonly string[],
  rows: () => readonly (readonly Cell[])[],
): HTMLElement {
  const download = (): void => save(new Blob([csv(head, rows())], { type: 'text/csv' }), `${name}.csv`);
  return h(
    'button',
    {
      type: 'button',
      class: 'icon-button',
      title: 'Download as CSV',
      'aria-label': `Download ${title} as CSV`,
      on: { click: download },
    },
    'CSV',
  );
}
