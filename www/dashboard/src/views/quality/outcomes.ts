// The ledger: how every event ended at the collector, and why.
import { h } from '../../dom';
import { moment, number, percent, tiny } from '../../format';
import { chart } from '../../ui/chart';
import { saveCsvButton } from '../../ui/csv';
import { figures } from '../../ui/figures';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import { table } from '../../ui/table';
import type { Context } from '../../view';
import { HOUR_MS, hourAxis, hoursOf, lastHours } from './hours';

/** `GET /v1/analytics/outcomes` */
interface Outcomes {
  hours: { hour: number; counts: Record<string, number> }[];
  totals: Record<string, number>;
  received: number;
  approximate: string[];
}

/** How an event ended: in one of these ways. */
type Kind = 'accepted' | 'duplicate' | 'rejected' | 'left out';

/** Each code in a sentence. What is not here is a reason of validation. */
const REASONS: Readonly<Record<string, string>> = {
  accepted: 'Stored, counted and landed',
  duplicate: 'Seen before, counted once',
  bot: 'Of a bot: left out',
  spam_referrer: 'A view that a spammer of referrers made up: left out',
  private_visit: 'Says who a visitor is who asked not to be followed: left out',
  unknown_shape: 'Of a shape that nothing knows: left out',
  missing_field: 'A required field is missing',
  empty_field: 'A required field is empty',
  wrong_type: 'A field is of another type',
  invalid_event_type: 'No event type that this key may send',
  invalid_event_id: 'The event’s id is no UUID',
  invalid_user_id: 'The user’s id is “.” or “..”, which no address can hold',
  invalid_timestamp: 'The time cannot be read',
  timestamp_out_of_range: 'Too far ahead, or older than what is kept',
  event_too_large: 'Over 32 KiB',
  too_deep: 'Nested too deeply',
  too_many_keys: 'Too many keys in one object',
  malformed_json: 'The body cannot be read',
  origin_not_allowed: 'From a page that is not on the site’s list of origins',
  payload_too_large: 'The body is too large',
  rate_limited: 'Over the visitor’s or the site’s limit: asked to come again',
  unknown_key: 'With a key that is unknown, expired or revoked',
  unsupported_media_type: 'Neither JSON nor text',
  wrong_scope: 'With a key that may not make this call',
  tracker_dropped: 'Dropped by trackers before they could be sent',
};

const LEFT_OUT = new Set(['bot', 'spam_referrer', 'private_visit', 'unknown_shape']);
const DROPPED = 'tracker_dropped';

const kindOf = (code: string): Kind =>
  code === 'accepted' || code === 'duplicate' ? code : LEFT_OUT.has(code) ? 'left out' : 'rejected';

const KINDS: readonly (readonly [kind: Kind, name: string, color: number])[] = [
  ['accepted', 'Accepted', 1],
  ['duplicate', 'Duplicate', 3],
  ['left out', 'Left out', 4],
  ['rejected', 'Rejected', 2],
];

/** The sum of a kind; requests refused whole are no events, and in none. */
const sumOf = (counts: Readonly<Record<string, number>>, kind: Kind, approximate: readonly string[]): number =>
  Object.entries(counts).reduce(
    (sum, [code, n]) => (code !== DROPPED && !approximate.includes(code) && kindOf(code) === kind ? sum + n : sum),
    0,
  );

/** The panel. */
export function outcomesPanel(context: Context): HTMLElement {
  const hours = hoursOf(context.params);
  let shown: Outcomes['hours'] = [];
  const rows = (): (string | number)[][] =>
    shown.flatMap(({ hour, counts }) =>
      Object.entries(counts).map(([code, n]) => [new Date(hour).toISOString(), code, n]),
    );
  return panel<Outcomes>(context, {
    title: 'Outcomes',
    class: 'wide outcomes',
    lines: 30,
    live: true,
    note: 'Every event that was received ended in exactly one way.',
    tools: saveCsvButton('Outcomes', `${context.site}-outcomes`, ['hour', 'code', 'count'], rows),
    load: (get) => get<Outcomes>(`/v1/analytics/outcomes?hours=${hours}`),
    render: (outcomes) => {
      shown = outcomes.hours;
      const { totals, received, approximate } = outcomes;
      if (Object.keys(totals).length === 0) return empty('Nothing was received in these hours.');
      const of = (kind: Kind): number => sumOf(totals, kind, approximate);
      const part = (n: number): string => (received > 0 ? `${percent(n / received)} of what was received` : '');
      return [
        figures([
          { label: 'Received', value: number(received), title: 'Events, each with one outcome' },
          ...KINDS.map(([kind, name]) => ({ label: name, value: number(of(kind)), title: part(of(kind)) })),
          { label: 'Dropped by trackers', value: number(totals[DROPPED] ?? 0), title: REASONS[DROPPED] ?? '' },
        ]),
        byHour(context, outcomes, hours),
        reasons(outcomes),
        h(
          'p',
          { class: 'footnote' },
          'Marked ≈: requests that were refused whole, counted in memory and written now and then. They are no ' +
            'events, and in no sum.',
        ),
      ];
    },
  });
}

function byHour({ signal }: Context, { hours, approximate }: Outcomes, asked: number): HTMLElement {
  const known = new Map(hours.map(({ hour, counts }) => [hour, counts]));
  const x = lastHours(asked, Date.now());
  const formatX = (ms: number): string => `${moment(ms)} UTC`;
  return chart(
    {
      label: 'Outcomes by hour',
      step: HOUR_MS,
      formatX,
      axisX: hourAxis(asked),
      formatY: number,
      axisY: tiny,
      height: 13,
    },
    {
      x,
      series: KINDS.map(([kind, name, color]) => ({
        name,
        kind: 'bars' as const,
        color,
        values: x.map((hour) => sumOf(known.get(hour) ?? {}, kind, approximate)),
      })),
    },
    signal,
  ).element;
}

interface Reason {
  code: string;
  n: number;
  isApproximate: boolean;
}

function reasons({ totals, received, approximate }: Outcomes): HTMLElement {
  const rows = Object.entries(totals).map(
    ([code, n]): Reason => ({ code, n, isApproximate: approximate.includes(code) || code === DROPPED }),
  );
  const most = Math.max(...rows.map(({ n }) => n), 1);
  return table<Reason>({
    caption: 'Outcomes by reason',
    rows,
    sort: { by: 1, down: true },
    columns: [
      {
        name: 'Outcome',
        value: ({ code }) => REASONS[code] ?? code,
        show: ({ code }) => [REASONS[code] ?? code, ' ', h('code', { class: 'soft' }, code)],
      },
      {
        name: 'Count',
        value: ({ n }) => n,
        show: ({ n, code }) => (approximate.includes(code) ? `≈ ${number(n)}` : number(n)),
      },
      {
        name: 'Share',
        value: ({ n, isApproximate }) => (isApproximate ? 0 : n / Math.max(received, 1)),
        show: ({ n, isApproximate }) => (isApproximate ? '–' : percent(n / Math.max(received, 1))),
        title: 'Of the events that were received',
        minor: true,
      },
    ],
    bar: ({ n }) => n / most,
  });
}
