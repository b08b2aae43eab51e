// Features: which are used, how often, by whom, and whether more than before.
import { type Features, type Platform, countOf } from '../answers';
import { h } from '../dom';
import type { Filter } from '../filters';
import { duration, number, percent, short } from '../format';
import { type Answer, ask } from '../query';
import { previous, rangeQuery } from '../range';
import { gapNote, gapText, isChosen, rowLink } from '../ui/breakdown';
import type { Series } from '../ui/chart';
import { delta, figures } from '../ui/figures';
import { intervalChoice } from '../ui/interval';
import { panel } from '../ui/panel';
import { timeChart, timesOf, xOf, xOfDays } from '../ui/series';
import { table } from '../ui/table';
import type { Context, View } from '../view';

/** So many have a colour of their own in the chart. */
const TOP = 5;
/** As many features as one question tells. */
const MOST = 500;
/** As many rows as one question tells: features by time. */
const MOST_ROWS = 10_000;

/** A feature in a range. */
interface Use {
  feature: string;
  uses: number;
  users: number;
  averageDuration: number | null;
  before: number | undefined;
}

/** All that is shown, whichever calls answered. */
interface Shown {
  uses: Use[];
  before: { uses: number; features: number } | undefined;
  x: number[];
  /** How often a feature was used at each x. */
  at: (feature: string) => number[];
  note: string;
}

type Summed = [Features, Features | undefined, Platform];
type Asked = [Answer, Answer];

const USES: Filter[] = [
  ['is', 'eventType', ['feature_use']],
  ['exists', 'feature'],
];

export const view: View = {
  show(context) {
    const { plain, interval, range, compare } = context;
    const isSummed = plain && interval === 'day';
    const now = rangeQuery(range);
    const days = previous(range, compare);
    const list = ask(context, {
      metrics: ['events', 'users', 'avg(data.duration)'],
      dimensions: ['feature'],
      only: USES,
      compare: true,
      orderBy: [['events', 'desc']],
      limit: MOST,
    });
    const times = ask(context, {
      metrics: ['events'],
      dimensions: [`time:${interval}`, 'feature'],
      only: USES,
      limit: MOST_ROWS,
    });
    const load = (get: Context['get']): Promise<Summed | Asked> =>
      isSummed
        ? Promise.all([
            get<Features>(`/v1/analytics/metrics/features?${now}`),
            days && get<Features>(`/v1/analytics/metrics/features?${rangeQuery(days)}`),
            get<Platform>(`/v1/analytics/metrics/platform?${now}`),
          ])
        : Promise.all([get<Answer>(list), get<Answer>(times)]);
    const shownOf = (data: Summed | Asked): Shown =>
      'features' in data[0] ? ofSums(data as Summed) : ofAnswers(context, data as Asked);
    context.root.append(
      panel<Summed | Asked>(context, {
        title: `Uses by ${interval}`,
        class: 'wide',
        lines: 20,
        tools: intervalChoice(context),
        load,
        render: (data) => overTime(context, shownOf(data)),
      }),
      panel<Summed | Asked>(context, {
        title: 'Features',
        class: 'wide last',
        lines: 20,
        csv: isSummed ? `/v1/analytics/metrics/features?${now}` : list,
        load,
        render: (data) => listOf(context, shownOf(data)),
      }),
    );
  },
};

function ofSums([now, then, { days }]: Summed): Shown {
  const old = then && new Map(then.features.map((one) => [one.feature, one.uses]));
  return {
    uses: now.features.map((one) => ({ ...one, before: old && (old.get(one.feature) ?? 0) })),
    before: then && { uses: sumOf(then.features), features: then.features.length },
    x: xOfDays(days),
    at: (feature) => days.map(({ featureUsage }) => countOf(featureUsage, feature)),
    note: '',
  };
}

function ofAnswers(context: Context, [list, times]: Asked): Shown {
  const uses = list.rows.map(({ dimensions, metrics, compared }) => ({
    feature: String(dimensions[0]),
    uses: metrics[0] ?? 0,
    users: metrics[1] ?? 0,
    averageDuration: metrics[2] ?? null,
    before: compared && (compared[0] ?? 0),
  }));
  const was = list.comparedTotals?.[0];
  const x = timesOf(times, context);
  return {
    uses,
    before:
      typeof was === 'number'
        ? { uses: was, features: uses.filter(({ before }) => (before ?? 0) > 0).length }
        : undefined,
    x,
    at: (feature) => {
      const of = new Map(
        times.rows
          .filter(({ dimensions }) => dimensions[1] === feature)
          .map(({ dimensions, metrics }) => [xOf(dimensions[0] ?? null), metrics[0] ?? 0]),
      );
      return x.map((at) => of.get(at) ?? 0);
    },
    note: gapText(list),
  };
}

const sumOf = (all: readonly { uses: number }[]): number => all.reduce((sum, { uses }) => sum + uses, 0);

function overTime(
  context: Context,
  { uses, before, x, at, note }: Shown,
): (HTMLElement | ReturnType<typeof gapNote>)[] {
  const top = uses.slice(0, TOP);
  const series: Series[] = top.map(({ feature }, n) => ({
    name: feature,
    kind: 'bars',
    color: n + 1,
    values: at(feature),
  }));
  if (uses.length > TOP) {
    const others = uses.slice(TOP).map(({ feature }) => at(feature));
    const values = x.map((_, n) => others.reduce((sum, of) => sum + (of[n] ?? 0), 0));
    series.push({ name: 'Others', kind: 'bars', color: 6, values });
  }
  const all = sumOf(uses);
  const days = Math.max(context.range.days, 1);
  return [
    figures([
      { label: 'Uses', value: short(all), now: all, before: before?.uses },
      { label: 'Features used', value: number(uses.length), now: uses.length, before: before?.features },
      { label: 'Uses a day', value: number(Math.round(all / days)), now: all, before: before?.uses },
    ]),
    timeChart(context, {
      label: `Uses by ${context.interval}`,
      interval: context.interval,
      x,
      series: series.length > 0 ? series : [{ name: 'Uses', kind: 'bars', color: 1, values: x.map(() => 0) }],
      show: number,
    }),
    gapNote(note),
  ];
}

function listOf(context: Context, { uses }: Shown): HTMLElement {
  const most = Math.max(...uses.map((one) => one.uses), 1);
  const sum = Math.max(sumOf(uses), 1);
  const [link, current] = [rowLink(context, 'feature'), isChosen(context, 'feature')];
  return table<Use>({
    caption: 'Features',
    rows: uses,
    columns: [
      { name: 'Feature', value: (row) => row.feature },
      { name: 'Uses', value: (row) => row.uses },
      {
        name: 'Change',
        value: (row) => (row.before ? row.uses / row.before : Infinity),
        show: (row) =>
          row.before === undefined
            ? '–'
            : row.before > 0
              ? delta({ now: row.uses, before: row.before })
              : h('span', { class: 'delta' }, 'new'),
        title: 'Against the days that it is compared with',
        minor: true,
      },
      { name: 'Users', value: (row) => row.users, title: 'Distinct users over the range' },
      {
        name: 'Mean duration',
        value: (row) => row.averageDuration ?? -1,
        show: (row) => (row.averageDuration === null ? '–' : duration(row.averageDuration)),
        title: 'Over the uses that tell one',
        minor: true,
      },
      { name: 'Share', value: (row) => row.uses, show: (row) => percent(row.uses / sum), minor: true },
    ],
    bar: (row) => row.uses / most,
    link: (row) => link({ key: row.feature }),
    current: (row) => current({ key: row.feature }),
    none: 'No feature was used in these days.',
  });
}
