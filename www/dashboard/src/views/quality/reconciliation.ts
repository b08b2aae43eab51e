// Where everything that was taken is now, and whether it adds up.
import { h } from '../../dom';
import { moment, number } from '../../format';
import { saveCsvButton } from '../../ui/csv';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import { type Column, table } from '../../ui/table';
import type { Context } from '../../view';
import { hoursOf } from './hours';

/** `GET /v1/analytics/reconciliation` */
interface Reconciliation {
  hours: Hour[];
  closed: boolean;
}

interface Hour {
  hour: number;
  received: number;
  stored: number;
  landed: number;
  deadLettered: number;
  pending: number;
  difference: number;
  stage?: string;
}

const COUNTS: readonly (readonly [name: keyof Hour & string, label: string, title: string, minor?: true])[] = [
  ['received', 'Received', 'Events that got a 202, each once'],
  ['stored', 'Stored', 'Counted in the database'],
  ['landed', 'Landed', 'In the lake, in every sink'],
  ['deadLettered', 'Dead letters', 'Could not be stored, and wait to be replayed', true],
  ['pending', 'Pending', 'On their way', true],
  ['difference', 'Difference', 'More than 0: events that are nowhere. Less: somewhere twice'],
];

/** The panel. */
export function reconciliationPanel(context: Context): HTMLElement {
  const hours = hoursOf(context.params);
  let shown: Hour[] = [];
  const rows = (): (string | number)[][] =>
    shown.map((hour) => [
      new Date(hour.hour).toISOString(),
      ...COUNTS.map(([name]) => hour[name] ?? 0),
      hour.stage ?? '',
    ]);
  return panel<Reconciliation>(context, {
    title: 'Reconciliation',
    class: 'wide reconciliation',
    lines: 12,
    live: true,
    note: 'By the hour in which events were received (UTC).',
    tools: saveCsvButton(
      'Reconciliation',
      `${context.site}-reconciliation`,
      ['hour', ...COUNTS.map(([name]) => name), 'stage'],
      rows,
    ),
    load: (get) => get<Reconciliation>(`/v1/analytics/reconciliation?hours=${hours}`),
    render: (answer) => {
      shown = answer.hours;
      if (answer.hours.length === 0) return empty('Nothing was taken in these hours.');
      const wrong = answer.hours.filter(({ difference }) => difference !== 0);
      const stages = [...new Set(wrong.map(({ stage }) => stage ?? 'unknown'))];
      return [
        answer.closed
          ? h(
              'p',
              { class: 'verdict good' },
              h('span', { 'aria-hidden': 'true' }, '✓ '),
              'It adds up: no event is lost, and none is anywhere twice.',
            )
          : h(
              'p',
              { class: 'verdict bad' },
              h('span', { 'aria-hidden': 'true' }, '! '),
              `It does not add up in ${number(wrong.length)} of ${number(answer.hours.length)} hours: ` +
                `${stages.map((stage) => `between receipt and “${stage}”`).join(', ')}.`,
            ),
        table<Hour>({
          caption: 'Reconciliation by hour',
          rows: answer.hours,
          sort: { by: 0, down: true },
          columns: [
            { name: 'Hour', value: ({ hour }) => hour, show: ({ hour }) => moment(hour) },
            ...COUNTS.map(column),
          ],
        }),
      ];
    },
  });
}

const column = ([name, label, title, minor]: (typeof COUNTS)[number]): Column<Hour> => ({
  name: label,
  title,
  ...(minor && { minor }),
  value: (hour) => Number(hour[name] ?? 0),
  ...(name === 'difference' && {
    show: ({ difference }: Hour) => h('span', { class: difference === 0 ? 'good' : 'bad' }, number(difference)),
  }),
});
