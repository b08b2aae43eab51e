// Tables: sortable, with a bar behind the name where that helps, and rows that are links.
import { type Child, fill, h } from '../dom';
import { number } from '../format';

/** A column. */
export interface Column<R> {
  name: string;
  /** What it sorts by. */
  value: (row: R) => number | string;
  /** What it shows; by default the value, numbers with separators. */
  show?: (row: R) => Child;
  /** Said on hovering over its head. */
  title?: string;
  /** Left out where there is little room. */
  minor?: boolean;
}

/** A table. */
export interface TableOptions<R> {
  /** For screen readers. */
  caption: string;
  /** The first column names the row. */
  columns: readonly [Column<R>, ...Column<R>[]];
  rows: readonly R[];
  /** Which column it is sorted by at first, and which way; as given where nothing is said. */
  sort?: { by: number; down: boolean };
  /** Where a row leads: a link from `href`; undefined where nowhere. */
  link?: (row: R) => string | undefined;
  /** Whether a row is the one chosen. */
  current?: (row: R) => boolean;
  /** The length of the bar behind a row's name, 0 to 1. */
  bar?: (row: R) => number;
  /** Said where there is no row. */
  none?: string;
}

/** How tables were sorted by hand, by caption: newer data is sorted so too. At most so many are remembered. */
const sorts = new Map<string, { by: number; down: boolean }>();
const MAX_SORTS = 50;

const order = new Intl.Collator(undefined, { numeric: true });

const compare = (a: number | string, b: number | string): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : order.compare(String(a), String(b));

/** Makes a table. */
export function table<R>(options: TableOptions<R>): HTMLElement {
  const { columns, rows } = options;
  let sort = sorts.get(options.caption) ?? options.sort;
  const body = h('tbody', null);
  const numeric = columns.map((column) => rows.some((row) => typeof column.value(row) === 'number'));
  const classes = (n: number): string => `${numeric[n] ? 'num' : ''} ${columns[n]?.minor ? 'minor' : ''}`;
  const heads = columns.map((column, n) => {
    const button = h('button', { type: 'button', title: column.title }, column.name);
    button.addEventListener('click', () => {
      sort = { by: n, down: sort?.by === n ? !sort.down : Boolean(numeric[n]) };
      if (sorts.size >= MAX_SORTS) sorts.clear();
      sorts.set(options.caption, sort);
      paint();
    });
    return h('th', { scope: 'col', class: classes(n) }, button);
  });
  const paint = (): void => {
    heads.forEach((head, n) =>
      head.setAttribute('aria-sort', sort?.by !== n ? 'none' : sort.down ? 'descending' : 'ascending'),
    );
    const by = sort && columns[sort.by];
    const sorted = by ? [...rows].sort((a, b) => compare(by.value(a), by.value(b)) * (sort?.down ? -1 : 1)) : rows;
    fill(
      body,
      sorted.map((row) => line(options, row, classes)),
    );
    if (rows.length === 0)
      fill(
        body,
        h('tr', null, h('td', { class: 'none', colspan: columns.length }, options.none ?? 'Nothing in this range.')),
      );
  };
  paint();
  // It can be scrolled, so it can be reached by the keyboard.
  return h(
    'div',
    { class: 'table-scroll', tabindex: 0, role: 'group', 'aria-label': options.caption },
    h('table', null, h('caption', { class: 'unseen' }, options.caption), h('thead', null, h('tr', null, heads)), body),
  );
}

function line<R>(options: TableOptions<R>, row: R, classes: (n: number) => string): HTMLElement {
  const current = options.current?.(row) ?? false;
  const cells = options.columns.map((column, n) => {
    const value = column.value(row);
    const shown = column.show ? column.show(row) : typeof value === 'number' ? number(value) : value;
    if (n > 0) return h('td', { class: classes(n) }, shown);
    const bar =
      options.bar &&
      h('span', {
        class: 'bar',
        'aria-hidden': 'true',
        vars: { '--w': `${Math.round(options.bar(row) * 1000) / 10}%` },
      });
    const to = options.link?.(row);
    const name = to
      ? h('a', { href: to, class: 'row-link', 'aria-current': current ? 'true' : undefined }, shown)
      : h('span', null, shown);
    return h(
      'th',
      { scope: 'row', class: `key ${classes(n)}`, title: typeof value === 'string' ? value : undefined },
      bar,
      name,
    );
  });
  return h('tr', { class: current ? 'current' : '' }, cells);
}
