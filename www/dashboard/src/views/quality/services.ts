// What services tell of their own operations with this site's source keys: how many, how fast, how many failed, why.
import { ifOffered, question } from '../../api';
import { duration, percent } from '../../format';
import { h } from '../../dom';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import { table } from '../../ui/table';
import type { Context } from '../../view';
import { hoursOf } from './hours';

/** `POST /v1/analytics/query` */
interface Answer {
  rows: { dimensions: (string | null)[]; metrics: (number | null)[] }[];
  meta: { from: number; to: number };
}

/** Services, actions and kinds of failure that are shown. */
const SHOWN = 200;

/** Events that tell of an operation. */
const OPERATIONS = ['or', ['exists', 'category'], ['and', ['exists', 'action'], ['exists', 'duration']]];

/** The range of so many hours. */
const RANGES: Record<number, string> = { 24: '24h', 168: '7d' };

const ask = (context: Context, metrics: string[], dimensions: string[], filters: unknown): string =>
  question('/v1/analytics/query', {
    metrics,
    dimensions,
    filters,
    range: RANGES[hoursOf(context.params)] ?? '30d',
    orderBy: [['events', 'desc']],
    limit: SHOWN,
  });

const time = (ms: number | null | undefined): string => (ms == null ? '–' : duration(ms));
const text = (value: string | null | undefined): string => value ?? '–';
const rate = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

/** The panel. */
export function servicesPanel(context: Context): HTMLElement {
  const operations = ask(
    context,
    ['events', 'errorRate', 'p50(duration)', 'p95(duration)'],
    ['source', 'action', 'category'],
    OPERATIONS,
  );
  const failures = ask(context, ['events'], ['source', 'errorType'], ['and', OPERATIONS, ['exists', 'errorType']]);
  return panel<[Answer, Answer] | null>(context, {
    title: 'Operations of services',
    class: 'wide services',
    lines: 12,
    live: true,
    note: 'Operations that services tell of: their analytics events, and other events with an action and a duration.',
    load: (get) => ifOffered(Promise.all([get<Answer>(operations), get<Answer>(failures)])),
    render: (answers) => {
      if (answers === null || answers[0].rows.length === 0)
        return empty(
          'No service tells of its operations in these hours.',
          h('p', null, 'They come by ', h('code', null, '/v1/ingest'), ' with a source key.'),
        );
      const [{ rows, meta }, { rows: classes }] = answers;
      const minutes = Math.max(1, (Math.min(meta.to, Date.now()) - meta.from) / 60_000);
      return [
        table({
          caption: 'Operations by service and action',
          rows,
          columns: [
            { name: 'Service', value: ({ dimensions: [source] }) => text(source) },
            { name: 'Action', value: ({ dimensions: [, action] }) => text(action) },
            { name: 'Category', value: ({ dimensions: [, , category] }) => text(category), minor: true },
            { name: 'Operations', value: ({ metrics: [events] }) => events ?? 0 },
            {
              name: 'A minute',
              value: ({ metrics: [events] }) => (events ?? 0) / minutes,
              show: ({ metrics: [events] }) => rate.format((events ?? 0) / minutes),
              minor: true,
            },
            {
              name: 'Failed',
              value: ({ metrics: [, failed] }) => failed ?? -1,
              show: ({ metrics: [, failed] }) => (failed == null ? '–' : percent(failed)),
              title: 'Of those that tell a status',
            },
            { name: 'p50', value: ({ metrics: [, , p50] }) => p50 ?? -1, show: ({ metrics }) => time(metrics[2]) },
            { name: 'p95', value: ({ metrics: [, , , p95] }) => p95 ?? -1, show: ({ metrics }) => time(metrics[3]) },
          ],
        }),
        classes.length > 0 &&
          table({
            caption: 'Failures by service and class',
            rows: classes,
            columns: [
              { name: 'Class', value: ({ dimensions: [, errorType] }) => text(errorType) },
              { name: 'Service', value: ({ dimensions: [source] }) => text(source) },
              { name: 'Failures', value: ({ metrics: [events] }) => events ?? 0 },
            ],
          }),
      ];
    },
  });
}
