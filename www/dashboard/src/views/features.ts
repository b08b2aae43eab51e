// Features: which are used, how often, by whom, and whether more than before.
import { type Features, type Platform, countOf } from '../answers';
import { h } from '../dom';
import { duration, number, percent, short } from '../format';
import { href } from '../place';
import { previous, rangeQuery } from '../range';
import type { Series } from '../ui/chart';
import { compared, dayChart } from '../ui/days';
import { delta, figures } from '../ui/figures';
import { chips } from '../ui/filter';
import { panel } from '../ui/panel';
import { table } from '../ui/table';
import type { Context, View } from '../view';

/** So many have a colour of their own in the chart of all. */
const TOP = 5;

type Data = [Features, Features, Platform, Platform];

export const view: View = {
  show(context) {
    const feature = context.params.get('feature');
    const [now, then] = [rangeQuery(context.range), rangeQuery(previous(context.range))];
    const load = (get: Context['get']): Promise<Data> =>
      Promise.all([
        get<Features>(`/v1/analytics/metrics/features?${now}`),
        get<Features>(`/v1/analytics/metrics/features?${then}`),
        get<Platform>(`/v1/analytics/metrics/platform?${now}`),
        get<Platform>(`/v1/analytics/metrics/platform?${then}`),
      ]);
    context.root.append(
      panel<Data>(context, {
        title: feature ?? 'Uses by day',
        class: 'wide',
        lines: 20,
        tools: chips([['feature', 'Feature', feature]]),
        load,
        render: (data) => (feature === null ? all(context, data) : single(context, feature, data)),
      }),
      panel<Data>(context, {
        title: 'Features',
        class: 'wide last',
        lines: 20,
        csv: `/v1/analytics/metrics/features?${now}`,
        load,
        render: (data) => list(feature, data),
      }),
    );
  },
};

const uses = ({ features }: Features): number => features.reduce((sum, one) => sum + one.uses, 0);

function all(context: Context, [now, then, { days }]: Data): HTMLElement[] {
  const top = now.features.slice(0, TOP).map(({ feature }) => feature);
  const series: Series[] = top.map((feature, n) => ({
    name: feature,
    kind: 'bars',
    color: n + 1,
    values: days.map(({ featureUsage }) => countOf(featureUsage, feature)),
  }));
  if (now.features.length > TOP) {
    const others = days.map(({ featureUsage }) =>
      Object.entries(featureUsage).reduce((sum, [feature, n]) => (top.includes(feature) ? sum : sum + n), 0),
    );
    series.push({ name: 'Others', kind: 'bars', color: 6, values: others });
  }
  return [
    figures([
      { label: 'Uses', value: short(uses(now)), now: uses(now), before: uses(then) },
      {
        label: 'Features used',
        value: number(now.features.length),
        now: now.features.length,
        before: then.features.length,
      },
      {
        label: 'Uses a day',
        value: number(Math.round(uses(now) / Math.max(days.length, 1))),
        now: uses(now),
        before: uses(then),
      },
    ]),
    dayChart({
      label: 'Uses by day',
      dates: days.map(({ date }) => date),
      series: series.length > 0 ? series : [{ name: 'Uses', kind: 'bars', color: 1, values: days.map(() => 0) }],
      show: number,
      signal: context.signal,
    }),
  ];
}

function single(context: Context, feature: string, [now, then, platform, before]: Data): HTMLElement[] {
  const of = (answer: Features): Features['features'][number] | undefined =>
    answer.features.find((one) => one.feature === feature);
  const [row, old] = [of(now), of(then)];
  return [
    figures([
      { label: 'Uses', value: short(row?.uses ?? 0), now: row?.uses ?? 0, before: old?.uses },
      { label: 'Users', value: short(row?.users ?? 0), now: row?.users ?? 0, before: old?.users },
      { label: 'Uses a user', value: row ? number(Math.round((row.uses / Math.max(row.users, 1)) * 10) / 10) : '–' },
      {
        label: 'Mean duration',
        value: typeof row?.averageDuration === 'number' ? duration(row.averageDuration) : '–',
        title: 'Over the uses that tell one',
      },
      {
        label: 'Share of users',
        value: platform.activeUsers > 0 && row ? percent(Math.min(1, row.users / platform.activeUsers)) : '–',
        title: 'Of the users who were active in the range',
      },
    ]),
    dayChart({
      label: `Uses of ${feature} by day`,
      dates: platform.days.map(({ date }) => date),
      series: compared(
        'Uses',
        platform.days.map(({ featureUsage }) => countOf(featureUsage, feature)),
        before.days.map(({ featureUsage }) => countOf(featureUsage, feature)),
      ),
      show: number,
      signal: context.signal,
    }),
  ];
}

function list(chosen: string | null, [now, then]: Data): HTMLElement {
  const most = Math.max(...now.features.map((one) => one.uses), 1);
  const old = new Map(then.features.map((one) => [one.feature, one.uses]));
  const sum = Math.max(uses(now), 1);
  return table<Features['features'][number]>({
    caption: 'Features',
    rows: now.features,
    columns: [
      { name: 'Feature', value: (row) => row.feature },
      { name: 'Uses', value: (row) => row.uses },
      {
        name: 'Change',
        value: (row) => row.uses / (old.get(row.feature) ?? Infinity),
        show: (row) =>
          old.has(row.feature)
            ? delta({ now: row.uses, before: old.get(row.feature) })
            : h('span', { class: 'delta' }, 'new'),
        title: 'Against as many days before',
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
    link: (row) => href({ feature: row.feature === chosen ? undefined : row.feature }),
    current: (row) => row.feature === chosen,
    none: 'No feature was used in these days.',
  });
}
