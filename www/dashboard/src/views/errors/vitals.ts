// Web Vitals: how fast pages were for those who saw them.
import type { Breakdown } from '../../answers';
import { ifOffered } from '../../api';
import { h } from '../../dom';
import { duration, number, percent } from '../../format';
import type { Filter } from '../../filters';
import { go } from '../../place';
import { type Answer, ask } from '../../query';
import { rangeQuery } from '../../range';
import { gapText } from '../../ui/breakdown';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import type { Context } from '../../view';

/** `GET /v1/analytics/metrics/vitals` */
interface Vitals {
  vitals: Vital[];
  note: string;
}

interface Vital {
  name: string;
  count: number;
  p50: number;
  p75: number;
  p95: number;
  good: number;
  needsImprovement: number;
  poor: number;
}

/** What each is called, and from where on it is no longer good, and poor (https://web.dev/articles/vitals). */
const KNOWN: Readonly<Record<string, readonly [title: string, good: number, poor: number]>> = {
  LCP: ['Largest contentful paint', 2500, 4000],
  INP: ['Interaction to next paint', 200, 500],
  CLS: ['Cumulative layout shift', 0.1, 0.25],
  FCP: ['First contentful paint', 1800, 3000],
  TTFB: ['Time to first byte', 800, 1800],
};

/** So many pages can be chosen. */
const PAGES = 100;

const score = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 });

const show = (name: string, value: number): string => (name === 'CLS' ? score.format(value) : duration(value));

/** The panel; narrowed to `page` of the URL. */
export function vitalsPanel(context: Context): HTMLElement {
  const page = context.params.get('page');
  const ofPage = page === null ? '' : `&page=${encodeURIComponent(page)}`;
  const path = `/v1/analytics/metrics/vitals?${rangeQuery(context.range)}${ofPage}`;
  return panel<Vitals | null>(context, {
    title: 'Web Vitals',
    class: 'wide',
    lines: 14,
    tools: context.plain && pageChoice(context, page),
    note:
      page === null || !context.plain
        ? 'Rated by the 75th percentile, as web.dev does.'
        : ['On ', h('b', { class: 'quoted' }, page), ', rated by the 75th percentile, as web.dev does.'],
    load: async (get) =>
      context.plain
        ? ifOffered(get<Vitals>(path))
        : vitalsOf(await Promise.all(questions(context).map((one) => get<Answer>(one)))),
    render: (answer) => {
      if (answer === null)
        return empty(
          'This collector does not offer Web Vitals.',
          h('p', null, 'It has no such call; a newer version has.'),
        );
      if (answer.vitals.length === 0 && context.filters.length > 0)
        return empty('No measurement passes the filters.', h('p', null, 'The filter of a page is of its views alone.'));
      if (answer.vitals.length === 0)
        return empty(
          'No measurements in these days.',
          h('p', null, 'The tracker makes them with ', h('code', null, 'data-vitals'), '.'),
        );
      return [
        h('ul', { class: 'vitals' }, answer.vitals.map(card)),
        answer.note && h('p', { class: 'footnote' }, answer.note),
      ];
    },
  });
}

/** The measurements up to a limit of each. */
const upTo = (limit: 1 | 2): Filter => [
  'or',
  ...Object.entries(KNOWN).map(
    ([name, known]): Filter => ['and', ['is', 'data.name', [name]], ['lte', 'data.value', known[limit]]],
  ),
];

/** How all are spread, and how many are good, and not poor. */
function questions(context: Context): string[] {
  const of = (metrics: string[], ...only: Filter[]): string =>
    ask(context, {
      metrics,
      dimensions: ['data.name'],
      only: [['is', 'eventType', ['web_vital']], ['is', 'data.name', Object.keys(KNOWN)], ...only],
    });
  const spread = ['p50', 'p75', 'p95'].map((name) => `${name}(data.value)`);
  return [of(['events', ...spread]), of(['events'], upTo(1)), of(['events'], upTo(2))];
}

function vitalsOf([all, good, fair]: readonly Answer[]): Vitals {
  const counts = (answer: Answer | undefined): Map<unknown, number> =>
    new Map(answer?.rows.map(({ dimensions, metrics }) => [dimensions[0], metrics[0] ?? 0]));
  const [ofGood, ofFair] = [counts(good), counts(fair)];
  const rows = all?.rows ?? [];
  const vitals = Object.keys(KNOWN).flatMap((name) => {
    const row = rows.find(({ dimensions }) => dimensions[0] === name);
    const [count = 0, p50 = 0, p75 = 0, p95 = 0] = (row?.metrics ?? []).map((value) => value ?? 0);
    const [best, upToFair] = [ofGood.get(name) ?? 0, ofFair.get(name) ?? 0];
    return row
      ? [{ name, count, p50, p75, p95, good: best, needsImprovement: upToFair - best, poor: count - upToFair }]
      : [];
  });
  return { vitals, note: all ? gapText(all) : '' };
}

function pageChoice(context: Context, page: string | null): HTMLElement {
  const list = h('select', { id: 'vitals-page', 'aria-label': 'Page' });
  const offer = (pages: readonly string[]): void => {
    const all = page === null || pages.includes(page) ? pages : [page, ...pages];
    list.replaceChildren(
      h('option', { value: '' }, 'All pages'),
      ...all.map((one) => h('option', { value: one, selected: one === page }, one)),
    );
  };
  offer([]);
  context.get<Breakdown>(`/v1/analytics/metrics/breakdown?by=page&limit=${PAGES}&${rangeQuery(context.range)}`).then(
    ({ rows }) => offer(rows.map(({ key }) => key)),
    () => undefined,
  );
  list.addEventListener('change', () => go({ page: list.value || undefined }));
  return list;
}

/** Good, in between, poor: by the 75th percentile. */
function rating(name: string, p75: number): readonly [kind: 'good' | 'fair' | 'poor', text: string] {
  const [, good, poor] = KNOWN[name] ?? ['', Infinity, Infinity];
  if (p75 <= good) return ['good', 'Good'];
  return p75 <= poor ? ['fair', 'Needs improvement'] : ['poor', 'Poor'];
}

function card({ name, count, p50, p75, p95, good, needsImprovement, poor }: Vital): HTMLElement {
  const [kind, text] = rating(name, p75);
  const sum = Math.max(good + needsImprovement + poor, 1);
  const parts = [
    ['good', 'good', good / sum],
    ['fair', 'need improvement', needsImprovement / sum],
    ['poor', 'poor', poor / sum],
  ] as const;
  return h(
    'li',
    { class: 'vital' },
    h('h3', null, h('abbr', { title: KNOWN[name]?.[0] }, name), h('span', { class: `rating rating-${kind}` }, text)),
    h('p', { class: 'soft' }, KNOWN[name]?.[0] ?? ''),
    h('p', { class: 'figure-value' }, show(name, p75)),
    h(
      'div',
      { class: 'split', 'aria-hidden': 'true' },
      parts.map(([of, , part]) => h('span', { class: `split-${of}`, vars: { '--w': `${part * 100}%` } })),
    ),
    h(
      'p',
      { class: 'split-text' },
      parts.map(([of, label, part]) => h('span', { class: `split-key split-key-${of}` }, `${percent(part)} ${label}`)),
    ),
    h('p', { class: 'soft' }, `Half ${show(name, p50)}, 95% ${show(name, p95)}, ${number(count)} measured`),
  );
}
