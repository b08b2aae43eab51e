// Content & AI: what users make, and what the models cost.
import { type Platform, type PlatformFigures } from '../answers';
import { h } from '../dom';
import type { Filter } from '../filters';
import { cost, day, fullDay, percent, short, tiny } from '../format';
import { href } from '../place';
import { type Answer, ask } from '../query';
import { previous, rangeQuery } from '../range';
import { gapNote, gapText, isChosen, keyText, rowLink } from '../ui/breakdown';
import { type Figure, figures } from '../ui/figures';
import { intervalChoice } from '../ui/interval';
import { panel } from '../ui/panel';
import { byTime, compared, timeChart, xOf, xOfDays } from '../ui/series';
import { table } from '../ui/table';
import type { Context, View } from '../view';

/** A figure; of a question the metric and the events. */
interface Metric {
  name: string;
  label: string;
  title: string;
  of: (figures: PlatformFigures) => number;
  show: (value: number) => string;
  asked: string;
  only: Filter[];
}

const MADE: Filter[] = [['is', 'eventType', ['content_create']]];
const REQUESTS: Filter[] = [['is', 'eventType', ['ai_request']]];

const CONTENT: Metric = {
  name: 'content',
  label: 'Content created',
  title: 'content_create events',
  of: (f) => f.contentCreated.total,
  show: short,
  asked: 'events',
  only: MADE,
};

const METRICS: readonly Metric[] = [
  CONTENT,
  {
    name: 'requests',
    label: 'AI requests',
    title: 'ai_request events',
    of: (f) => f.aiUsage.totalRequests,
    show: short,
    asked: 'events',
    only: REQUESTS,
  },
  {
    name: 'tokens',
    label: 'Tokens',
    title: 'Sum of their tokens',
    of: (f) => f.aiUsage.totalTokens,
    show: short,
    asked: 'sum(data.tokens)',
    only: REQUESTS,
  },
  {
    name: 'cost',
    label: 'Cost',
    title: 'Sum of their cost, exact to a millionth, in the unit that you send',
    of: (f) => f.aiUsage.totalCost,
    show: cost,
    asked: 'sum(data.cost)',
    only: REQUESTS,
  },
];

/** Of the AI's three, in the order of their metrics. */
const AI = METRICS.slice(1);

/** Types that one question tells. */
const MOST_TYPES = 500;

type Summed = [Platform, Platform | undefined];
/** Content by time, AI by time, content by type. */
type Asked = [Answer, Answer, Answer];
type Data = Summed | Asked;

const isAsked = (data: Data): data is Asked => 'meta' in data[0];

export const view: View = {
  show(context) {
    const { plain, interval, range, compare } = context;
    const metric = METRICS.find(({ name }) => name === context.params.get('metric')) ?? CONTENT;
    const path = `/v1/analytics/metrics/platform?${rangeQuery(range)}`;
    const days = previous(range, compare);
    const asked = (only: Filter[], metrics: string[], by: string): string =>
      ask(context, { metrics, dimensions: [by], only, compare: true, ...(by === TYPE && { limit: MOST_TYPES }) });
    const time = `time:${interval}`;
    const load = (get: Context['get']): Promise<Data> =>
      plain && interval === 'day'
        ? Promise.all([
            get<Platform>(path),
            days && get<Platform>(`/v1/analytics/metrics/platform?${rangeQuery(days)}`),
          ])
        : Promise.all([
            get<Answer>(asked(MADE, ['events'], time)),
            get<Answer>(
              asked(
                REQUESTS,
                AI.map((one) => one.asked),
                time,
              ),
            ),
            get<Answer>(asked(MADE, ['events'], TYPE)),
          ]);
    context.root.append(
      panel<Data>(context, {
        title: metric.label,
        class: 'wide',
        lines: 21,
        tools: intervalChoice(context),
        ...(plain && { csv: path }),
        load,
        render: (data) => [
          strip(data, metric),
          isAsked(data) ? askedSeries(context, data, metric) : series(context, data, metric),
          isAsked(data) && gapNote(gapText(data[0])),
        ],
      }),
      panel<Data>(context, {
        title: 'Content by type',
        class: 'half',
        lines: 14,
        load,
        render: (data) => types(context, typesOf(data)),
      }),
      panel<Data>(context, {
        title: `AI by ${interval}`,
        class: 'half',
        lines: 14,
        load,
        render: (data) => times(context, timesOf(data)),
      }),
    );
  },
};

/** The property that tells the type. */
const TYPE = 'data.contentType';

/** Which answer has a figure, and where. */
const placeOf = ([made, ai]: Asked, metric: Metric): [Answer, number] =>
  metric === CONTENT ? [made, 0] : [ai, AI.indexOf(metric)];

function strip(data: Data, chosen: Metric): HTMLElement {
  const of = (metric: Metric): [number, number | undefined] => {
    if (!isAsked(data)) return [metric.of(data[0]), data[1] && metric.of(data[1])];
    const [answer, n] = placeOf(data, metric);
    return [answer.totals[n] ?? 0, answer.comparedTotals && (answer.comparedTotals[n] ?? 0)];
  };
  return figures(
    METRICS.map((metric, n): Figure => {
      const [now, before] = of(metric);
      return {
        label: metric.label,
        title: metric.title,
        value: metric.show(now),
        now,
        before,
        href: href({ metric: n === 0 ? undefined : metric.name }),
        current: metric === chosen,
      };
    }),
  );
}

const series = (context: Context, [now, then]: Summed, metric: Metric): HTMLElement =>
  timeChart(context, {
    label: `${metric.label} by day`,
    interval: 'day',
    x: xOfDays(now.days),
    series: compared(metric.label, now.days.map(metric.of), then?.days.map(metric.of) ?? [], context.compare),
    show: metric.show,
    axisY: tiny,
  });

function askedSeries(context: Context, data: Asked, metric: Metric): HTMLElement {
  const [answer, n] = placeOf(data, metric);
  const { x, rows } = byTime(answer, context);
  const now = rows.map((row) => row?.metrics[n] ?? 0);
  const before = rows.map((row) => row?.compared?.[n] ?? 0);
  return timeChart(context, {
    label: `${metric.label} by ${context.interval}`,
    interval: context.interval,
    x,
    series: compared(metric.label, now, before, context.compare),
    show: metric.show,
    axisY: tiny,
  });
}

interface TypeRow {
  key: string | null;
  n: number;
}

const typesOf = (data: Data): TypeRow[] =>
  (isAsked(data)
    ? data[2].rows.map(({ dimensions, metrics }) => ({
        key: dimensions[0] === null ? null : String(dimensions[0]),
        n: metrics[0] ?? 0,
      }))
    : Object.entries(data[0].contentCreated.byType).map(([key, n]) => ({ key, n }))
  ).sort((a, b) => b.n - a.n);

function types(context: Context, rows: TypeRow[]): HTMLElement {
  const most = Math.max(...rows.map(({ n }) => n), 1);
  const total = Math.max(
    rows.reduce((sum, { n }) => sum + n, 0),
    1,
  );
  return table<TypeRow>({
    caption: 'Content by type',
    rows,
    columns: [
      { name: 'Type', value: ({ key }) => keyText(TYPE, key) },
      { name: 'Created', value: ({ n }) => n },
      { name: 'Share', value: ({ n }) => n, show: ({ n }) => percent(n / total), minor: true },
    ],
    bar: ({ n }) => n / most,
    link: rowLink(context, TYPE),
    current: isChosen(context, TYPE),
    none: 'Nothing was created in these days.',
  });
}

/** The AI's figures of a day, week or month, or from an hour on. */
interface TimeRow {
  at: string;
  ms: number;
  requests: number;
  tokens: number;
  cost: number;
}

const timesOf = (data: Data): TimeRow[] =>
  (isAsked(data)
    ? data[1].rows.map(({ dimensions: [at = null], metrics: [requests, tokens, spent] }) => ({
        at: String(at),
        ms: xOf(at),
        requests: requests ?? 0,
        tokens: tokens ?? 0,
        cost: spent ?? 0,
      }))
    : data[0].days.map(({ date, aiUsage }) => ({
        at: date,
        ms: Date.parse(date),
        requests: aiUsage.totalRequests,
        tokens: aiUsage.totalTokens,
        cost: aiUsage.totalCost,
      }))
  )
    .filter(({ requests }) => requests > 0)
    .reverse();

function times({ interval, zone }: Context, rows: TimeRow[]): HTMLElement {
  const most = Math.max(...rows.map(({ tokens }) => tokens), 1);
  return h(
    'div',
    { class: 'short-table' },
    table<TimeRow>({
      caption: `AI by ${interval}`,
      rows,
      columns: [
        {
          name: `${interval.charAt(0).toUpperCase()}${interval.slice(1)} (${zone})`,
          value: ({ at }) => at,
          show: ({ at }) => (interval === 'hour' ? at.slice(0, 16).replace('T', ' ') : dayText(at)),
        },
        { name: 'Requests', value: ({ requests }) => requests },
        { name: 'Tokens', value: ({ tokens }) => tokens },
        { name: 'Cost', value: (one) => one.cost, show: (one) => cost(one.cost) },
        {
          name: 'A request',
          value: (one) => one.cost / one.requests,
          show: (one) => cost(Math.round((one.cost / one.requests) * 1e6) / 1e6),
          minor: true,
        },
      ],
      bar: ({ tokens }) => tokens / most,
      none: 'No model was asked in these days.',
    }),
  );
}

const dayText = (date: string): HTMLElement | string =>
  date.length === 10 ? h('time', { datetime: date, title: fullDay(date) }, day(date)) : date;
