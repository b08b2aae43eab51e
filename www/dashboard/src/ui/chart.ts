// Charts. The library comes when the first is shown; until then, and for who cannot see it, there is a
// table with the same numbers.
import { fill, h } from '../dom';
import { table } from './table';

/** One series: a value for each x; null where there is none. */
export interface Series {
  name: string;
  values: readonly (number | null)[];
  /** `line` (with a tint below), `dashed` (a line to compare with), `bars`, which are stacked. */
  kind: 'line' | 'dashed' | 'bars';
  /** Which of the theme's colours, 1 to 6. */
  color: number;
}

/** What a chart shows. */
export interface ChartData {
  /** Unix milliseconds, ascending. */
  x: readonly number[];
  series: readonly Series[];
}

/** How it shows it. */
export interface ChartOptions {
  /** What it shows, for screen readers and for the table. */
  label: string;
  /** An x as a text, in the tip and the table. */
  formatX: (ms: number) => string;
  /** An x on the axis; like `formatX` where nothing is said. */
  axisX?: (ms: number) => string;
  formatY: (value: number) => string;
  axisY?: (value: number) => string;
  /** Rem; 16 where nothing is said. */
  height?: number;
  /** The distance of two x, milliseconds. */
  step: number;
}

/** A chart on the page. */
export interface Chart {
  element: HTMLElement;
  /** Shows other data of the same kind. */
  update(data: ChartData): void;
}

/** What the library's module gives. */
export interface Plot {
  update(data: ChartData): void;
  destroy(): void;
}

/** Whether tables are wanted: who opens one wants to see the next one too. */
let tables = false;

/** Makes a chart; it is destroyed when `signal` ends. */
export function chart(options: ChartOptions, data: ChartData, signal: AbortSignal): Chart {
  let now = data;
  let plot: Plot | undefined;
  const place = h('div', { class: 'chart', vars: { '--h': `${options.height ?? 16}rem` }, role: 'img' });
  const figures = h('details', { class: 'chart-table', open: tables }, h('summary', null, 'As a table'));
  const key = h('ul', { class: 'legend', 'aria-hidden': 'true' });
  let named = '';
  const describe = (): void => {
    const names = JSON.stringify(now.series.map(({ name, color, kind }) => [name, color, kind]));
    if (names !== named) fill(key, legend(now));
    named = names;
    place.setAttribute('aria-label', `${options.label}. ${summary(now, options)}`);
    if (figures.open) figures.replaceChildren(figures.firstElementChild as Element, asTable(options, now));
  };
  figures.addEventListener('toggle', () => {
    tables = figures.open;
    describe();
  });
  describe();
  import('./plot').then(
    ({ draw }) => {
      if (!signal.aborted && place.isConnected) plot = draw(place, options, now);
    },
    () => {
      // It could not be loaded: the table is there.
      if (!signal.aborted) figures.open = true;
    },
  );
  signal.addEventListener('abort', () => plot?.destroy(), { once: true });
  return {
    element: h('figure', { class: 'chart-box' }, key, place, figures),
    update(next) {
      now = next;
      plot?.update(next);
      describe();
    },
  };
}

const legend = ({ series }: ChartData): HTMLElement[] =>
  series.map(({ name, kind, color }) => h('li', { class: `key-${kind} color-${color}` }, name));

/** The sum and the peak of each series. */
function summary(data: ChartData, options: ChartOptions): string {
  return data.series
    .map(({ name, values }) => {
      let peak = -1;
      values.forEach((value, n) => {
        if (value !== null && value > (values[peak] ?? -Infinity)) peak = n;
      });
      const [at, value] = [data.x[peak], values[peak]];
      return at === undefined || value === undefined || value === null
        ? `${name}: no data`
        : `${name}: at most ${options.formatY(value)}, ${options.formatX(at)}`;
    })
    .join('. ');
}

function asTable(options: ChartOptions, data: ChartData): HTMLElement {
  const rows = data.x.map((at, n) => ({ at, n }));
  const show = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : options.formatY(value);
  return table({
    caption: options.label,
    rows,
    columns: [
      { name: 'Time', value: (row) => row.at, show: (row) => options.formatX(row.at) },
      ...data.series.map(({ name, values }) => ({
        name,
        value: (row: { n: number }) => values[row.n] ?? -1,
        show: (row: { n: number }) => show(values[row.n]),
      })),
    ],
  });
}
