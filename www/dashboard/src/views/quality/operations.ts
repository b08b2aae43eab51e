// Shoreline's own calls with this site's keys: how many, how fast, how many failed.
import { ifOffered } from '../../api';
import { duration, moment, number, percent, tiny } from '../../format';
import { h } from '../../dom';
import { chart } from '../../ui/chart';
import { figures } from '../../ui/figures';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import { table } from '../../ui/table';
import type { Context } from '../../view';
import { HOUR_MS, hourAxis, hoursOf } from './hours';

/** `GET /v1/analytics/operations` */
interface Operations {
  from: number;
  to: number;
  total: Figures;
  actions: Record<string, Figures>;
  hours: { hour: number; actions: Record<string, Figures> }[];
}

interface Figures {
  calls: number;
  callsPerMinute: number;
  errors: number;
  serverErrors: number;
  errorRate: number;
  p50: number | null;
  p95: number | null;
}

/** The API answers at most so many minutes. */
const MAX_MINUTES = 10_080;

const time = (ms: number | null): string => (ms === null ? '–' : duration(ms));
const rate = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

/** The panel. */
export function operationsPanel(context: Context): HTMLElement {
  const asked = hoursOf(context.params) * 60;
  const minutes = Math.min(asked, MAX_MINUTES);
  const path = `/v1/analytics/operations?windowMinutes=${minutes}`;
  return panel<Operations | null>(context, {
    title: 'Operations',
    class: 'wide last operations',
    lines: 24,
    live: true,
    csv: path,
    note:
      asked > MAX_MINUTES
        ? 'The calls that were made with this site’s keys; of the last 7 days at most.'
        : 'The calls that were made with this site’s keys.',
    load: (get) => ifOffered(get<Operations>(path)),
    render: (answer) => {
      if (answer === null)
        return empty(
          'This collector does not tell of its own calls.',
          h('p', null, 'It has no such call; a newer version has.'),
        );
      if (answer.total.calls === 0) return empty('No calls in these hours.');
      const { total } = answer;
      return [
        figures([
          { label: 'Calls', value: number(total.calls) },
          { label: 'A minute', value: rate.format(total.callsPerMinute) },
          {
            label: 'Failed',
            value: percent(total.errorRate),
            title:
              `${number(total.errors)} answered with 400 or more, ${number(total.serverErrors)} of them with 500 ` +
              'or more',
          },
          { label: 'Half took at most', value: time(total.p50), title: 'The 50th percentile' },
          { label: '95% took at most', value: time(total.p95), title: 'The 95th percentile' },
        ]),
        byHour(context, answer),
        h(
          'p',
          { class: 'footnote' },
          'Durations are what calls waited for, without the network, and are told from buckets: they are off by ' +
            'a factor of 2.5 at most.',
        ),
        table<readonly [string, Figures]>({
          caption: 'Calls by action',
          rows: Object.entries(answer.actions),
          sort: { by: 1, down: true },
          columns: [
            { name: 'Action', value: ([action]) => action },
            { name: 'Calls', value: ([, { calls }]) => calls },
            {
              name: 'A minute',
              value: ([, { callsPerMinute }]) => callsPerMinute,
              show: ([, { callsPerMinute }]) => rate.format(callsPerMinute),
              minor: true,
            },
            {
              name: 'Failed',
              value: ([, { errorRate }]) => errorRate,
              show: ([, { errorRate }]) => percent(errorRate),
            },
            { name: '5xx', value: ([, { serverErrors }]) => serverErrors, minor: true },
            { name: 'p50', value: ([, { p50 }]) => p50 ?? -1, show: ([, { p50 }]) => time(p50) },
            { name: 'p95', value: ([, { p95 }]) => p95 ?? -1, show: ([, { p95 }]) => time(p95) },
          ],
        }),
      ];
    },
  });
}

/** Calls by hour, those that failed apart. */
function byHour({ signal }: Context, { from, to, hours }: Operations): HTMLElement {
  const known = new Map(hours.map(({ hour, actions }) => [hour, Object.values(actions)]));
  const first = Math.floor(from / HOUR_MS) * HOUR_MS;
  const x = Array.from({ length: Math.max(1, Math.floor((to - first) / HOUR_MS) + 1) }, (_, n) => first + n * HOUR_MS);
  const sum = (hour: number, of: (figures: Figures) => number): number =>
    (known.get(hour) ?? []).reduce((all, figures) => all + of(figures), 0);
  return chart(
    {
      label: 'Calls by hour',
      step: HOUR_MS,
      formatX: (ms) => `${moment(ms)} UTC`,
      axisX: hourAxis(x.length),
      formatY: number,
      axisY: tiny,
      height: 12,
    },
    {
      x,
      series: [
        {
          name: 'Answered',
          kind: 'bars',
          color: 1,
          values: x.map((hour) => sum(hour, ({ calls, errors }) => calls - errors)),
        },
        { name: 'Failed', kind: 'bars', color: 2, values: x.map((hour) => sum(hour, ({ errors }) => errors)) },
      ],
    },
    signal,
  ).element;
}
