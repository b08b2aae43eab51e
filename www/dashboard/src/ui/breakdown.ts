// The table of a dimension: what, how many events and users, and which share.
import type { Breakdown } from '../answers';
import type { Get } from '../reads';
import { type Dimension, dimensionOf, valueText } from '../dimensions';
import { type Child, h } from '../dom';
import { type Filter, filterChange, isSame, ofKey, toggled } from '../filters';
import { moment, percent } from '../format';
import { href } from '../place';
import { type Answer, type Key, ask } from '../query';
import { type Range, previous, rangeQuery } from '../range';
import type { Context } from '../view';
import { panel } from './panel';
import { table } from './table';

/** A row of a dimension, whichever call answered it. */
export interface KeyRow {
  key: Key;
  events: number;
  users: number;
  share: number;
  /** Its events in the range it is compared with; undefined where that is not known. */
  before?: number | undefined;
}

/** Rows of a dimension. */
export interface KeyRows {
  rows: KeyRow[];
  /** Events that have a key. */
  total: number;
  totalBefore?: number | undefined;
  nextCursor: string | null;
  /** What it does not tell. */
  note: string;
}

/** As many rows as a breakdown gives in one call: what the change is looked up in. */
const MOST = 500;

/** Whether sums by days of UTC answer it. */
const isSummed = ({ plain }: Pick<Context, 'plain'>, by: string): boolean => plain && dimensionOf(by).summed;

/** How rows of a dimension are asked for. */
export interface RowsAsked {
  limit: number;
  cursor?: string | undefined;
  /** Whether each has what it was before. */
  compare?: boolean;
}

/** The path or question that answers them, also as a table of CSV. */
export function rowsPath(context: Context, by: string, { limit, cursor, compare = false }: RowsAsked): string {
  if (isSummed(context, by)) return breakdownPath(context.range, by, limit, cursor);
  const { metric } = dimensionOf(by);
  return ask(context, {
    metrics: [metric, 'users'],
    dimensions: [by],
    only: onlyOf(by, metric),
    compare,
    orderBy: [
      [metric, 'desc'],
      [by, 'asc'],
    ],
    limit,
    ...(cursor !== undefined && { cursor }),
  });
}

/** The events that have a key; a page is of what was left, too. */
const onlyOf = (by: string, metric: Dimension['metric']): Filter[] =>
  metric === 'views'
    ? [
        ['is', 'eventType', ['page_view']],
        ['exists', by],
      ]
    : [['exists', by]];

const breakdownPath = (range: Range, by: string, limit: number, cursor?: string): string =>
  `/v1/analytics/metrics/breakdown?by=${by}&limit=${limit}&${rangeQuery(range)}` +
  (cursor ? `&cursor=${encodeURIComponent(cursor)}` : '');

/** The answer of {@link rowsPath} as rows. */
export function rowsOf(answer: Breakdown | Answer): KeyRows {
  if ('by' in answer) return { ...answer, note: '' };
  const total = answer.totals[0] ?? 0;
  return {
    total,
    totalBefore: answer.comparedTotals?.[0] ?? undefined,
    nextCursor: answer.nextCursor,
    note: gapText(answer),
    rows: answer.rows.map(({ dimensions, metrics, compared }) => ({
      key: dimensions[0] ?? null,
      events: metrics[0] ?? 0,
      users: metrics[1] ?? 0,
      share: total > 0 ? (metrics[0] ?? 0) / total : 0,
      before: compared && (compared[0] ?? 0),
    })),
  };
}

/** An answer, and the sums of the days that it is compared with, where it does not tell them itself. */
export type Loaded = [Breakdown | Answer, Breakdown | undefined];

/** Loads the first rows, and what tells what they were before. */
export function loadRows(get: Get, context: Context, by: string, limit: number): Promise<Loaded> {
  const days = previous(context.range, context.compare);
  const isTold = !isSummed(context, by) || !days;
  return Promise.all([
    get<Breakdown | Answer>(rowsPath(context, by, { limit, compare: true })),
    isTold ? undefined : get<Breakdown>(breakdownPath(days, by, MOST)),
  ]);
}

/** The rows, each with what it was before. */
export function joined([now, then]: Loaded): KeyRows {
  const all = rowsOf(now);
  if (!then) return all;
  const old = new Map(then.rows.map(({ key, events }) => [key, events]));
  // Where the earlier list is cut, a missing key may only be further down.
  const missing = then.nextCursor === null ? 0 : undefined;
  const rows = all.rows.map((row) => ({ ...row, before: old.get(String(row.key)) ?? missing }));
  return { ...all, totalBefore: then.total, rows };
}

/** What an answer does not tell; empty where it tells all. */
export function gapText({ meta, unreadableSegments: missing = 0 }: Answer): string {
  const { from, coveredFrom } = meta;
  return [
    coveredFrom > from && `Events are stored since ${moment(coveredFrom)} (UTC): nothing before it is counted here.`,
    missing > 0 && `What ${missing} segments of the archive hold could not be read, and is missing.`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** The same as a line below what is shown. */
export const gapNote = (text: string): Child => text !== '' && h('p', { class: 'footnote warn' }, text);

/** Where a click on a row leads: to the same place, narrowed to it, or no more. */
export function rowLink({ filters }: Context, by: string): (row: { key: Key }) => string | undefined {
  // A day has at most 500 keys: what is beyond them has no name to ask for.
  return ({ key }) => (key === '(other)' ? undefined : href(filterChange(toggled(filters, ofKey(by, key)))));
}

/** Whether everything is narrowed to a row. */
export const isChosen =
  ({ filters }: Context, by: string) =>
  ({ key }: { key: Key }): boolean =>
    filters.some((one) => isSame(one, ofKey(by, key)));

/** A panel with the first rows of a dimension, and the way to all of them. */
export function breakdownPanel(context: Context, { by, limit }: { by: string; limit: number }): HTMLElement {
  const { title } = dimensionOf(by);
  return panel<Breakdown | Answer>(context, {
    title,
    lines: limit * 1.6 + 3.5,
    csv: rowsPath(context, by, { limit: MOST }),
    load: (get) => get<Breakdown | Answer>(rowsPath(context, by, { limit })),
    render: (answer) => {
      const { rows, nextCursor, note } = rowsOf(answer);
      return [
        breakdownTable(context, by, rows),
        nextCursor !== null &&
          h(
            'p',
            { class: 'more' },
            h(
              'a',
              { href: href(by === 'feature' ? { view: 'features' } : { view: 'pages', by }) },
              `All ${title.toLowerCase()}`,
            ),
          ),
        gapNote(note),
      ];
    },
  });
}

/** A key as a table shows it. */
export const keyText = (by: string, key: Key): string => (key === null ? '(none)' : valueText(by, String(key)));

/** The table itself. */
export function breakdownTable(context: Context, by: string, rows: readonly KeyRow[]): HTMLElement {
  const { title, one, events } = dimensionOf(by);
  const most = Math.max(...rows.map((row) => row.events), 1);
  return table<KeyRow>({
    caption: title,
    rows,
    columns: [
      { name: one, value: (row) => keyText(by, row.key) },
      { name: events, value: (row) => row.events },
      { name: 'Users', value: (row) => row.users, title: 'Distinct users over the range' },
      {
        name: 'Share',
        value: (row) => row.share,
        show: (row) => percent(row.share),
        title: `Share of all ${events.toLowerCase()} that tell it`,
        minor: true,
      },
    ],
    bar: (row) => row.events / most,
    none: 'Nothing in these days.',
    link: rowLink(context, by),
    current: isChosen(context, by),
  });
}
