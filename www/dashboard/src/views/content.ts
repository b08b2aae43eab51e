// Content & AI: what users make, and what the models cost.
import { type Platform, type PlatformFigures, countOf } from '../answers';
import { h } from '../dom';
import { cost, day, fullDay, percent, short, tiny } from '../format';
import { href } from '../place';
import { previous, rangeQuery } from '../range';
import { compared, dayChart } from '../ui/days';
import { type Figure, figures } from '../ui/figures';
import { chips } from '../ui/filter';
import { panel } from '../ui/panel';
import { table } from '../ui/table';
import type { Context, View } from '../view';

interface Metric {
  name: string;
  label: string;
  title: string;
  of: (figures: PlatformFigures) => number;
  show: (value: number) => string;
}

const CONTENT: Metric = {
  name: 'content',
  label: 'Content created',
  title: 'content_create events',
  of: (f) => f.contentCreated.total,
  show: short,
};

const METRICS: readonly Metric[] = [
  CONTENT,
  {
    name: 'requests',
    label: 'AI requests',
    title: 'ai_request events',
    of: (f) => f.aiUsage.totalRequests,
    show: short,
  },
  { name: 'tokens', label: 'Tokens', title: 'Sum of their tokens', of: (f) => f.aiUsage.totalTokens, show: short },
  {
    name: 'cost',
    label: 'Cost',
    title: 'Sum of their cost, exact to a millionth, in the unit that you send',
    of: (f) => f.aiUsage.totalCost,
    show: cost,
  },
];

type Data = [Platform, Platform];

export const view: View = {
  show(context) {
    const metric = METRICS.find(({ name }) => name === context.params.get('metric')) ?? CONTENT;
    const type = metric === CONTENT ? context.params.get('content') : null;
    const path = `/v1/analytics/metrics/platform?${rangeQuery(context.range)}`;
    const before = `/v1/analytics/metrics/platform?${rangeQuery(previous(context.range))}`;
    const load = (get: Context['get']): Promise<Data> => Promise.all([get<Platform>(path), get<Platform>(before)]);
    context.root.append(
      panel<Data>(context, {
        title: metric.label,
        class: 'wide',
        lines: 21,
        tools: chips([['content', 'Type', type]]),
        csv: path,
        load,
        render: (data) => [strip(data, metric), series(context, data, metric, type)],
      }),
      panel<Data>(context, {
        title: 'Content by type',
        class: 'half',
        lines: 14,
        load,
        render: ([now]) => types(now, type),
      }),
      panel<Data>(context, { title: 'AI by day', class: 'half', lines: 14, load, render: ([now]) => days(now) }),
    );
  },
};

const strip = ([now, then]: Data, chosen: Metric): HTMLElement =>
  figures(
    METRICS.map(
      (metric, n): Figure => ({
        label: metric.label,
        title: metric.title,
        value: metric.show(metric.of(now)),
        now: metric.of(now),
        before: metric.of(then),
        href: href({ metric: n === 0 ? undefined : metric.name, content: undefined }),
        current: metric === chosen,
      }),
    ),
  );

function series(context: Context, [now, then]: Data, metric: Metric, type: string | null): HTMLElement {
  const of = type === null ? metric.of : (f: PlatformFigures): number => countOf(f.contentCreated.byType, type);
  const name = type ?? metric.label;
  return dayChart({
    label: `${name} by day`,
    dates: now.days.map(({ date }) => date),
    series: compared(name, now.days.map(of), then.days.map(of)),
    show: metric.show,
    axisY: tiny,
    signal: context.signal,
  });
}

function types({ contentCreated: { byType, total } }: Platform, chosen: string | null): HTMLElement {
  const rows = Object.entries(byType).map(([type, n]) => ({ type, n }));
  const most = Math.max(...rows.map(({ n }) => n), 1);
  return table({
    caption: 'Content by type',
    rows: rows.sort((a, b) => b.n - a.n),
    columns: [
      { name: 'Type', value: ({ type }) => type },
      { name: 'Created', value: ({ n }) => n },
      { name: 'Share', value: ({ n }) => n, show: ({ n }) => percent(n / Math.max(total, 1)), minor: true },
    ],
    bar: ({ n }) => n / most,
    link: ({ type }) => href({ metric: undefined, content: type === chosen ? undefined : type }),
    current: ({ type }) => type === chosen,
    none: 'Nothing was created in these days.',
  });
}

function days({ days: all }: Platform): HTMLElement {
  const rows = all.filter((one) => one.aiUsage.totalRequests > 0).reverse();
  const most = Math.max(...rows.map((one) => one.aiUsage.totalTokens), 1);
  return h(
    'div',
    { class: 'short-table' },
    table({
      caption: 'AI by day',
      rows,
      columns: [
        {
          name: 'Day (UTC)',
          value: ({ date }) => date,
          show: ({ date }) => h('time', { datetime: date, title: fullDay(date) }, day(date)),
        },
        { name: 'Requests', value: (one) => one.aiUsage.totalRequests },
        { name: 'Tokens', value: (one) => one.aiUsage.totalTokens },
        { name: 'Cost', value: (one) => one.aiUsage.totalCost, show: (one) => cost(one.aiUsage.totalCost) },
        {
          name: 'A request',
          value: (one) => one.aiUsage.totalCost / one.aiUsage.totalRequests,
          show: (one) => cost(Math.round((one.aiUsage.totalCost / one.aiUsage.totalRequests) * 1e6) / 1e6),
          minor: true,
        },
      ],
      bar: (one) => one.aiUsage.totalTokens / most,
      none: 'No model was asked in these days.',
    }),
  );
}
