// An answer: its figures, a chart of the one that is chosen, and the table.
import { dimensionOf } from '../../dimensions';
import { type Child, h } from '../../dom';
import { filterChange, ofKey, toggled } from '../../filters';
import { moment, number } from '../../format';
import { href } from '../../place';
import type { Answer, Key, Row } from '../../query';
import type { Interval } from '../../range';
import { gapNote, gapText, keyText } from '../../ui/breakdown';
import type { Series } from '../../ui/chart';
import { figures } from '../../ui/figures';
import { compared, timeChart, timesOf, xOf } from '../../ui/series';
import { empty } from '../../ui/states';
import { table } from '../../ui/table';
import type { Context } from '../../view';
import { dimensionText, figureText, metricText } from './metrics';

/** So many of a second dimension have a line of their own. */
const TOP = 5;

/** What was asked. */
interface Question {
  metrics: string[];
  dimensions: string[];
  isCompared: boolean;
}

/** All of it. */
export function answerOf(context: Context, question: Question, answer: Answer): Child {
  const { metrics, dimensions, isCompared } = question;
  const chosen = Math.max(0, metrics.indexOf(context.params.get('figure') ?? ''));
  const numbers = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  return [
    figures(
      metrics.map((metric, n) => {
        const now = numbers(answer.totals[n]);
        return {
          label: metricText(metric),
          value: figureText(metric, answer.totals[n]),
          ...(now !== undefined && { now }),
          before: numbers(answer.comparedTotals?.[n]),
          ...(metrics.length > 1 && { href: href({ figure: n === 0 ? undefined : metric }), current: n === chosen }),
        };
      }),
    ),
    answer.rows.length > 0 && chartOf(context, question, answer, chosen),
    dimensions.length > 0 &&
      (answer.rows.length > 0
        ? tableOf(context, question, answer)
        : empty('No event of these days passes the filters.')),
    h('p', { class: 'footnote' }, metaText(answer, isCompared)),
    gapNote(gapText(answer)),
    notNumbers(answer),
  ];
}

function metaText({ rows, meta, nextCursor }: Answer, isCompared: boolean): string {
  const compared = meta.compared;
  return [
    nextCursor === null ? `${number(rows.length)} rows.` : `The first ${number(rows.length)} rows: there are more.`,
    `${moment(meta.from)} to ${moment(meta.to)} (UTC)`,
    isCompared && compared ? `, against ${moment(compared.from)} to ${moment(compared.to)}` : '',
    `, from ${meta.source === 'scan' ? `a scan of ${number(meta.scannedEvents)} events` : 'sums of days'}.`,
  ]
    .join(' ')
    .replaceAll(' ,', ',');
}

function notNumbers({ meta }: Answer): Child {
  const some = Object.entries(meta.notNumbers ?? {}).filter(([, n]) => n > 0);
  if (some.length === 0) return null;
  const text = some.map(([metric, n]) => `${metricText(metric)}: ${number(n)}`).join(', ');
  return h('p', { class: 'footnote warn' }, `Values that are no numbers, and are left out: ${text}.`);
}

const INTERVALS: Readonly<Record<string, Interval>> = {
  'time:hour': 'hour',
  'time:day': 'day',
  'time:week': 'week',
  'time:month': 'month',
};

function chartOf(context: Context, { metrics, dimensions, isCompared }: Question, answer: Answer, n: number): Child {
  const [time = '', second] = dimensions;
  const interval = INTERVALS[time];
  const metric = metrics[n] ?? '';
  if (interval === undefined || dimensions.length > 2) return null;
  const place = { ...context, interval };
  const x = timesOf(answer, place);
  const valueOf = (row: Row | undefined): number | null => {
    const value = row?.metrics[n];
    return typeof value === 'number' ? value : null;
  };
  const series: Series[] =
    second === undefined
      ? compared(
          metricText(metric),
          along(answer.rows, x, valueOf),
          along(answer.rows, x, (row) => row.compared?.[n] ?? null),
          isCompared ? context.compare : 'none',
        )
      : topOf(answer.rows, n).map((key, at) => ({
          name: keyText(second, key),
          kind: 'line',
          color: at + 1,
          values: along(
            answer.rows.filter(({ dimensions: keys }) => keys[1] === key),
            x,
            valueOf,
          ),
        }));
  return timeChart(context, {
    label: `${metricText(metric)} by ${interval}`,
    interval,
    x,
    series,
    show: (value) => figureText(metric, value),
  });
}

function along(rows: readonly Row[], x: readonly number[], of: (row: Row) => number | null): (number | null)[] {
  const found = new Map(rows.map((row) => [xOf(row.dimensions[0] ?? null), of(row)]));
  return x.map((at) => (found.has(at) ? (found.get(at) ?? null) : 0));
}

/** The keys of the second dimension with the most. */
function topOf(rows: readonly Row[], n: number): Key[] {
  const sums = new Map<Key, number>();
  for (const { dimensions, metrics } of rows) {
    const key = dimensions[1] ?? null;
    sums.set(key, (sums.get(key) ?? 0) + (Number(metrics[n]) || 0));
  }
  return [...sums]
    .sort((a, b) => b[1] - a[1])
    .slice(0, TOP)
    .map(([key]) => key);
}

function tableOf(context: Context, { metrics, dimensions, isCompared }: Question, { rows }: Answer): HTMLElement {
  const [first = '', ...others] = dimensions;
  const cell = (by: string, n: number) => ({
    name: dimensionText(by),
    value: (row: Row) => row.dimensions[n] ?? '',
    show: (row: Row) => keyText(by, row.dimensions[n] ?? null),
  });
  const most = Math.max(...rows.map(({ metrics: [value] }) => (typeof value === 'number' ? value : 0)), 0);
  const filtersOf = (row: Row) =>
    dimensions.flatMap((by, n) => (by.startsWith('time:') ? [] : [ofKey(by, row.dimensions[n] ?? null)]));
  return table<Row>({
    caption: 'Answer',
    rows,
    columns: [
      cell(first, 0),
      ...others.map((by, n) => cell(by, n + 1)),
      ...metrics.flatMap((metric, n) => [
        figureColumn(metric, metricText(metric), ({ metrics: values }) => values[n]),
        ...(isCompared ? [figureColumn(metric, `${metricText(metric)} before`, (row) => row.compared?.[n])] : []),
      ]),
    ],
    ...(most > 0 && { bar: ({ metrics: [value] }: Row) => (typeof value === 'number' ? value / most : 0) }),
    link: (row) => {
      const narrowed = filtersOf(row).reduce((all, one) => toggled(all, one), [...context.filters]);
      return filtersOf(row).length > 0 ? href(filterChange(narrowed)) : undefined;
    },
  });
}

const figureColumn = (metric: string, name: string, of: (row: Row) => unknown) => ({
  name,
  value: (row: Row): number => {
    const value = of(row);
    return typeof value === 'number' ? value : -1;
  },
  show: (row: Row) => figureText(metric, of(row)),
  title: dimensionOf(metric).one,
});
