// Overview: who came, and how that changed.
import type { Platform, PlatformFigures } from '../answers';
import { h } from '../dom';
import { duration, number, percent, short, tiny } from '../format';
import { href } from '../place';
import { previous, rangeQuery } from '../range';
import { breakdownPanel } from '../ui/breakdown';
import { compared, dayChart } from '../ui/days';
import { type Figure, figures } from '../ui/figures';
import { nowBadge } from '../ui/now-badge';
import { panel } from '../ui/panel';
import type { Context, View } from '../view';

/** A figure of the overview, of a range and of a day. */
interface Metric {
  name: string;
  label: string;
  title: string;
  /** Of the whole range. */
  whole: (platform: Platform) => number;
  ofDay: (figures: PlatformFigures) => number;
  show: (value: number) => string;
}

const METRICS: readonly [Metric, ...Metric[]] = [
  {
    name: 'users',
    label: 'Active users',
    title: 'Distinct users with an event in the range; the chart shows those of each day',
    whole: (p) => p.activeUsers,
    ofDay: (f) => f.dailyActiveUsers,
    show: short,
  },
  {
    name: 'signups',
    label: 'New users',
    title: 'Users seen for the first time in the range; one who registered, on the day of that',
    whole: (p) => p.days.reduce((sum, { newSignups24h }) => sum + newSignups24h, 0),
    ofDay: (f) => f.newSignups24h,
    show: short,
  },
  {
    name: 'sessions',
    label: 'Sessions',
    title: 'Sessions that began in the range',
    whole: (p) => p.sessions,
    ofDay: (f) => f.sessions,
    show: short,
  },
  {
    name: 'duration',
    label: 'Session duration',
    title: 'Mean of last − first event of these sessions',
    whole: (p) => p.averageSessionDuration,
    ofDay: (f) => f.averageSessionDuration,
    show: duration,
  },
  {
    name: 'dau',
    label: 'Daily active',
    title: 'DAU: distinct users of the last day, day-scoped ids included',
    whole: (p) => p.dailyActiveUsers,
    ofDay: (f) => f.dailyActiveUsers,
    show: short,
  },
  {
    name: 'wau',
    label: 'Weekly active',
    title: 'WAU: distinct users of the 7 days that end with the last day',
    whole: (p) => p.weeklyActiveUsers,
    ofDay: (f) => f.weeklyActiveUsers,
    show: short,
  },
  {
    name: 'mau',
    label: 'Monthly active',
    title: 'MAU: distinct users of the 30 days that end with the last day',
    whole: (p) => p.monthlyActiveUsers,
    ofDay: (f) => f.monthlyActiveUsers,
    show: short,
  },
];

export const view: View = {
  show(context) {
    const { range } = context;
    const chosen = METRICS.find(({ name }) => name === context.params.get('metric')) ?? METRICS[0];
    const path = `/v1/analytics/metrics/platform?${rangeQuery(range)}`;
    const before = `/v1/analytics/metrics/platform?${rangeQuery(previous(range))}`;
    context.root.append(
      panel<[Platform, Platform]>(context, {
        title: chosen.label,
        class: 'wide headline',
        lines: 21,
        tools: nowBadge(context),
        csv: path,
        load: (get) => Promise.all([get<Platform>(path), get<Platform>(before)]),
        render: ([now, then]) => [strip(now, then, chosen), series(context, now, then, chosen), footnote(now)],
      }),
      breakdownPanel(context, { by: 'page', limit: 8 }),
      breakdownPanel(context, { by: 'referrer', limit: 8 }),
      breakdownPanel(context, { by: 'feature', limit: 8 }),
      breakdownPanel(context, { by: 'country', limit: 8 }),
    );
  },
};

const strip = (now: Platform, then: Platform, chosen: Metric): HTMLElement =>
  figures(
    METRICS.map((metric, n): Figure => {
      const [value, old] = [metric.whole(now), metric.whole(then)];
      return {
        label: metric.label,
        title: metric.title,
        value: metric.show(value),
        now: value,
        before: old,
        href: href({ metric: n === 0 ? undefined : metric.name }),
        current: metric === chosen,
      };
    }),
  );

const series = ({ signal }: Context, now: Platform, then: Platform, metric: Metric): HTMLElement =>
  dayChart({
    label: `${metric.label} by day`,
    dates: now.days.map(({ date }) => date),
    series: compared(metric.label, now.days.map(metric.ofDay), then.days.map(metric.ofDay)),
    show: metric.show,
    axisY: metric.show === duration ? duration : tiny,
    signal,
  });

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
