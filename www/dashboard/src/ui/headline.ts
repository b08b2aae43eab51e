// The figures that one looks at first, and one of them over time, beside what they are compared with.
import type { Platform, PlatformFigures } from '../answers';
import type { Get } from '../reads';
import { type Child, h } from '../dom';
import { duration, number, percent, short, tiny } from '../format';
import { href } from '../place';
import { type Answer, ask } from '../query';
import { previous, rangeQuery } from '../range';
import type { Context } from '../view';
import { gapNote, gapText } from './breakdown';
import { type Figure, figures } from './figures';
import { intervalChoice } from './interval';
import { type PanelOptions, panel } from './panel';
import { byTime, compared, timeChart, xOfDays } from './series';

/** A figure, as the collector's sums tell it, as a question does, or both. */
interface Metric {
  name: string;
  label: string;
  title: string;
  show: (value: number) => string;
  axisY?: (value: number) => string;
  lessIsBetter?: true;
  /** Of the sums: of the whole range and of a day. */
  summed?: { whole: (platform: Platform) => number; ofDay: (figures: PlatformFigures) => number };
  /** The metric of a question. */
  asked?: string;
  /** Whether it is a mean: then there is none where there is no event. */
  mean?: true;
}

const rate = (value: number): string => percent(value);

const METRICS: readonly [Metric, ...Metric[]] = [
  {
    name: 'users',
    label: 'Active users',
    title: 'Distinct users with an event in the range; the chart shows those of each part of it',
    summed: { whole: (p) => p.activeUsers, ofDay: (f) => f.dailyActiveUsers },
    asked: 'users',
    show: short,
  },
  { name: 'views', label: 'Page views', title: 'page_view events', asked: 'views', show: short },
  {
    name: 'signups',
    label: 'New users',
    title: 'Users seen for the first time in the range; one who registered, on the day of that',
    summed: {
      whole: (p) => p.days.reduce((sum, { newSignups24h }) => sum + newSignups24h, 0),
      ofDay: (f) => f.newSignups24h,
    },
    show: short,
  },
  {
    name: 'sessions',
    label: 'Sessions',
    title: 'Sessions that began in the range; where filters are set, that have such an event in it',
    summed: { whole: (p) => p.sessions, ofDay: (f) => f.sessions },
    asked: 'sessions',
    show: short,
  },
  {
    name: 'pagesper',
    label: 'Views a session',
    title: 'Page views by sessions',
    asked: 'viewsPerSession',
    mean: true,
    show: tiny,
  },
  {
    name: 'bounces',
    label: 'Bounce rate',
    title: 'Sessions with one view, no custom event or feature, and less than 10 s engaged',
    asked: 'bounceRate',
    mean: true,
    lessIsBetter: true,
    show: rate,
    axisY: rate,
  },
  {
    name: 'duration',
    label: 'Session duration',
    title: 'Mean of last − first event of these sessions',
    summed: { whole: (p) => p.averageSessionDuration, ofDay: (f) => f.averageSessionDuration },
    asked: 'sessionDuration',
    mean: true,
    show: duration,
    axisY: duration,
  },
  {
    name: 'dau',
    label: 'Daily active',
    title: 'DAU: distinct users of the last day, day-scoped ids included',
    summed: { whole: (p) => p.dailyActiveUsers, ofDay: (f) => f.dailyActiveUsers },
    show: short,
  },
  {
    name: 'wau',
    label: 'Weekly active',
    title: 'WAU: distinct users of the 7 days that end with the last day',
    summed: { whole: (p) => p.weeklyActiveUsers, ofDay: (f) => f.weeklyActiveUsers },
    show: short,
  },
  {
    name: 'mau',
    label: 'Monthly active',
    title: 'MAU: distinct users of the 30 days that end with the last day',
    summed: { whole: (p) => p.monthlyActiveUsers, ofDay: (f) => f.monthlyActiveUsers },
    show: short,
  },
  { name: 'events', label: 'Events', title: 'Events of all types', asked: 'events', show: short },
];

/** Sums of the range, of the one that it is compared with, and the answer of a question. */
type Data = [Platform | undefined, Platform | undefined, Answer | undefined];

/** The panel; `metric` of the URL is the one in the chart. */
export function headline(context: Context, more: Pick<PanelOptions<Data>, 'tools'> = {}): HTMLElement {
  const { range, plain, compare } = context;
  const known = METRICS.filter((metric) => (plain ? metric.summed : metric.asked));
  const chosen = known.find(({ name }) => name === context.params.get('metric')) ?? METRICS[0];
  // What only sums know is told by day.
  const interval = plain && chosen.asked === undefined ? 'day' : context.interval;
  const isAsked = !plain || interval !== 'day';
  const asked = plain ? [chosen] : known;
  const question = ask(context, {
    metrics: asked.map((metric) => metric.asked ?? ''),
    dimensions: [`time:${interval}`],
    compare: true,
  });
  const path = `/v1/analytics/metrics/platform?${rangeQuery(range)}`;
  const days = previous(range, compare);
  const before = days && `/v1/analytics/metrics/platform?${rangeQuery(days)}`;
  const load = (get: Get): Promise<Data> =>
    Promise.all([
      plain ? get<Platform>(path) : undefined,
      plain && before !== undefined ? get<Platform>(before) : undefined,
      isAsked ? get<Answer>(question) : undefined,
    ]);
  return panel<Data>(context, {
    title: chosen.label,
    class: 'wide headline',
    lines: 21,
    tools: [chosen.asked !== undefined && intervalChoice(context), more.tools],
    csv: plain ? path : question,
    load,
    render: ([now, then, answer]) => [
      strip(known, chosen, (metric, n) =>
        now && metric.summed
          ? [metric.summed.whole(now), then && metric.summed.whole(then)]
          : [answer?.totals[n] ?? undefined, answer?.comparedTotals?.[n] ?? undefined],
      ),
      answer
        ? askedChart({ ...context, interval }, answer, chosen, asked.indexOf(chosen))
        : now && summedChart(context, now, then, chosen),
      now && footnote(now),
      answer && gapNote(gapText(answer)),
    ],
  });
}

const strip = (
  known: readonly Metric[],
  chosen: Metric,
  of: (metric: Metric, n: number) => [number | undefined, number | undefined],
): HTMLElement =>
  figures(
    known.map((metric, n): Figure => {
      const [value, old] = of(metric, n);
      return {
        label: metric.label,
        title: metric.title,
        value: value === undefined ? '–' : metric.show(value),
        ...(value !== undefined && { now: value }),
        before: old,
        ...(metric.lessIsBetter && { lessIsBetter: true }),
        href: href({ metric: n === 0 ? undefined : metric.name }),
        current: metric === chosen,
      };
    }),
  );

function summedChart(context: Context, now: Platform, then: Platform | undefined, metric: Metric): Child {
  const { summed } = metric;
  if (!summed) return null;
  const before = then ? then.days.map(summed.ofDay) : [];
  return timeChart(context, {
    label: `${metric.label} by day`,
    interval: 'day',
    x: xOfDays(now.days),
    series: compared(metric.label, now.days.map(summed.ofDay), before, context.compare),
    show: metric.show,
    axisY: metric.axisY ?? tiny,
  });
}

function askedChart(context: Context, answer: Answer, metric: Metric, n: number): HTMLElement {
  const { x, rows } = byTime(answer, context);
  // Without events there is no row: nobody came, and a mean of nothing is none.
  const none = metric.mean ? null : 0;
  const now = rows.map((row) => row?.metrics[n] ?? none);
  const before = rows.map((row) => row?.compared?.[n] ?? (answer.comparedTotals ? none : null));
  return timeChart(context, {
    label: `${metric.label} by ${context.interval}`,
    interval: context.interval,
    x,
    series: compared(metric.label, now, before, context.compare),
    show: metric.show,
    axisY: metric.axisY ?? tiny,
  });
}

/** What cannot be seen in the strip. */
function footnote({ totalUsers, anonymousUsers, dailyActiveUsers, monthlyActiveUsers, days }: Platform): HTMLElement {
  const anonymous = days.at(-1)?.anonymousUsers ?? anonymousUsers;
  const stickiness =
    monthlyActiveUsers > 0 ? percent(Math.max(0, dailyActiveUsers - anonymous) / monthlyActiveUsers) : '–';
  return h(
    'p',
    { class: 'footnote' },
    `${number(totalUsers)} users in all. Stickiness (daily by monthly users): ${stickiness}. ` +
      `${number(anonymous)} visitors of the last day asked not to be followed: they count in daily active users ` +
      'alone.',
  );
}
