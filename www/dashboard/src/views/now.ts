// Now: the last hour, minute by minute, and the events as they come.
import { type Counted, type Live, countOf } from '../answers';
import { fill, h, keepFocus } from '../dom';
import { filterChange, ofKey, whole } from '../filters';
import { minute, number, second, short, tiny, typeName } from '../format';
import { question } from '../api';
import { type Link, follow } from '../live';
import { href } from '../place';
import { type Chart, type ChartData, type Series, chart } from '../ui/chart';
import { eventList } from '../ui/events';
import { figures } from '../ui/figures';
import { chips } from '../ui/filter';
import type { Answer } from '../query';
import { QUERY } from '../reads';
import { failure, skeleton } from '../ui/states';
import { table } from '../ui/table';
import type { Context, View } from '../view';

const MINUTE_MS = 60_000;

/** How often the lists are asked for where filters narrow them, of which the stream knows nothing. */
const ASK_MS = 10_000;

/** Types with a colour of their own, from the bottom up; all others share the last. */
const TYPES: readonly (readonly [type: string, color: number])[] = [
  ['page_view', 1],
  ['feature_use', 4],
  ['content_create', 5],
  ['ai_request', 3],
  ['error', 2],
];

const LINKS: Record<Link, string> = { stream: 'Live', polling: 'Every 5 s', lost: 'Not reached' };

export const view: View = {
  show(context) {
    const type = context.params.get('type') ?? '';
    const link = h(
      'p',
      { class: 'link-state', role: 'status' },
      h('span', { class: 'pulse', 'aria-hidden': 'true' }),
      'Connecting…',
    );
    const top = h('div', { class: 'live-figures' }, summary(undefined, type));
    // Before the first answer stands what will stand there, without numbers: nothing moves.
    const plot = minuteChart(context, chartData(nothing(), type));
    const pages = h('div', { class: 'live-table' }, skeleton(8));
    const features = h('div', { class: 'live-table' }, skeleton(8));
    const events = eventList(context);
    context.root.append(
      box('The last hour', 'wide', h('div', null, top, plot.element), chips([['type', 'Type', type]]), link),
      box('Top pages, last hour', 'half', pages),
      box('Top features, last hour', 'half', features),
      box(
        'Latest events',
        'wide',
        events.element,
        chips([
          ['type', 'Type', type],
          ['user', 'User', context.params.get('user')],
        ]),
      ),
    );

    const showPages = (rows: readonly Counted[]): void =>
      keepFocus(pages, () =>
        fill(
          pages,
          counts('Page', 'Views', rows, (key) => toRow(context, 'pages', 'page', key)),
        ),
      );
    const showFeatures = (rows: readonly Counted[]): void =>
      keepFocus(features, () =>
        fill(
          features,
          counts('Feature', 'Uses', rows, (key) => toRow(context, 'features', 'feature', key)),
        ),
      );
    const isNarrowed = context.filters.length > 0;
    if (isNarrowed) {
      every(context.signal, ASK_MS, () => {
        void list(context, 'page', 'page_view').then(showPages, (error) => lost(context, pages, error));
        void list(context, 'feature', 'feature_use').then(showFeatures, (error) => lost(context, features, error));
      });
    }

    let shown: Live | undefined;
    let total = -1;
    const show = (live: Live): void => {
      const before = shown;
      shown = live;
      fill(top, summary(live, type));
      plot.update(chartData(live, type));
      if (!isNarrowed) {
        // Each in a task of its own, so that none is long.
        setTimeout(() => {
          if (!alike(before?.topPages, live.topPages)) showPages(live.topPages);
        }, 0);
        setTimeout(() => {
          if (!alike(before?.topFeatures, live.topFeatures)) showFeatures(live.topFeatures);
        }, 0);
      }
      const now = sum(live, '');
      // At first, if something was counted so late that it may not be stored yet.
      if (total < 0 ? sum({ ...live, minutes: live.minutes.slice(-2) }, '') > 0 : now !== total) events.wake();
      total = now;
    };
    // A frame in a hidden tab is painted when the tab is seen again, once.
    let next: Live | undefined;
    follow(
      context.signal,
      (live) => {
        if (next === undefined) {
          requestAnimationFrame(() => {
            const newest = next;
            next = undefined;
            if (newest && !context.signal.aborted) show(newest);
          });
        }
        next = live;
      },
      (state) => {
        if (link.dataset['state'] === state && state !== 'lost') return;
        link.dataset['state'] = state;
        fill(
          link,
          h('span', { class: 'pulse', 'aria-hidden': 'true' }),
          state === 'lost' && shown ? `Not reached; as of ${second(shown.asOf)} UTC` : LINKS[state],
        );
      },
    );
  },
};

/** A view of today that is narrowed to a row, too. */
const toRow = ({ filters }: Context, view: string, by: string, key: string): string =>
  href({ view, range: 'today', ...filterChange([...filters, ofKey(by, key)]) });

/** Does something now, and again and again while the page is seen. */
function every(signal: AbortSignal, ms: number, what: () => void): void {
  const timer = setInterval(() => document.visibilityState === 'visible' && what(), ms);
  signal.addEventListener('abort', () => clearInterval(timer));
  what();
}

/** What was most often in the last hour, of events of a type that pass the filters. */
async function list({ filters, get }: Context, dimension: string, type: string): Promise<Counted[]> {
  const only = whole([...filters, ['is', 'eventType', [type]], ['exists', dimension]]);
  const asked = { metrics: ['events'], dimensions: [dimension], filters: only, range: '1h', limit: 10 };
  const { rows } = await get<Answer>(question(QUERY, asked));
  return rows.map(({ dimensions: [key], metrics: [count] }) => ({ key: String(key), count: count ?? 0 }));
}

/** Says what went wrong, where the view is still there. */
function lost({ signal }: Context, root: HTMLElement, error: unknown): void {
  if (!signal.aborted) fill(root, failure(error));
}

/** A panel that is kept up to date by what happens. */
const box = (title: string, width: string, body: HTMLElement, ...tools: (HTMLElement | null)[]): HTMLElement =>
  h(
    'section',
    { class: `panel ${width}`, 'aria-label': title },
    h('header', { class: 'panel-head' }, h('h2', null, title), h('div', { class: 'panel-tools' }, tools)),
    body,
  );

const sum = (live: Live, type: string): number =>
  live.minutes.reduce(
    (all, { counts: of }) => all + (type ? countOf(of, type) : Object.values(of).reduce((a, b) => a + b, 0)),
    0,
  );

const alike = (a: readonly Counted[] | undefined, b: readonly Counted[]): boolean =>
  a !== undefined && (a === b || JSON.stringify(a) === JSON.stringify(b));

/** As long as nothing is known: an hour of nothing, by this machine's clock. */
function nothing(): Live {
  const last = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const minutes = Array.from({ length: 60 }, (_, n) => ({ minute: last - (59 - n) * MINUTE_MS, counts: {} }));
  return { asOf: last, activeUsers: 0, minutes, topPages: [], topFeatures: [] };
}

function summary(known: Live | undefined, type: string): HTMLElement {
  const live = known ?? nothing();
  const figure = (text: string): string => (known ? text : '–');
  const last = live.minutes.at(-1);
  const perMinute = live.minutes.slice(-6, -1);
  const name = type ? typeName(type) : 'Events';
  return figures([
    {
      label: 'Active users',
      value: h('span', { class: 'big' }, figure(number(live.activeUsers))),
      title: 'Distinct users of the last five minutes',
    },
    { label: `${name}, last hour`, value: figure(short(sum(live, type))) },
    { label: 'Page views, last hour', value: figure(short(sum(live, 'page_view'))) },
    {
      label: `${name} a minute`,
      value: figure(tiny(sum({ ...live, minutes: perMinute }, type) / Math.max(perMinute.length, 1))),
      title: 'Mean of the five whole minutes before this one',
    },
    { label: 'This minute', value: figure(short(sum({ ...live, minutes: last ? [last] : [] }, type))) },
  ]);
}

function chartData(live: Live, only: string): ChartData {
  const known = new Set(TYPES.map(([type]) => type));
  const named = only ? [[only, TYPES.find(([type]) => type === only)?.[1] ?? 1] as const] : TYPES;
  const series: Series[] = named.map(([type, color]) => ({
    name: typeName(type),
    kind: 'bars',
    color,
    values: live.minutes.map(({ counts: of }) => countOf(of, type)),
  }));
  if (!only) {
    const others = live.minutes.map(({ counts: of }) =>
      Object.entries(of).reduce((all, [type, n]) => (known.has(type) ? all : all + n), 0),
    );
    series.push({ name: 'Others', kind: 'bars', color: 6, values: others });
  }
  return { x: live.minutes.map((one) => one.minute), series };
}

const minuteChart = (context: Context, data: ChartData): Chart =>
  chart(
    {
      label: 'Events by minute (UTC)',
      step: MINUTE_MS,
      formatX: (ms) => `${minute(ms)} UTC`,
      axisX: minute,
      formatY: number,
      axisY: tiny,
      height: 14,
    },
    data,
    context.signal,
  );

function counts(one: string, many: string, rows: readonly Counted[], link: (key: string) => string): HTMLElement {
  const most = Math.max(...rows.map(({ count }) => count), 1);
  return table<Counted>({
    caption: `${one}, last hour`,
    rows: rows.slice(0, 10),
    columns: [
      { name: one, value: ({ key }) => key },
      { name: many, value: ({ count }) => count },
    ],
    bar: ({ count }) => count / most,
    link: ({ key }) => link(key),
    none: 'Nothing in the last hour.',
  });
}
