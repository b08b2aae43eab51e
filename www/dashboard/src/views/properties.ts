// Properties: the events of a site, what they hold, and any of it broken down.
import { type Child, h } from '../dom';
import type { Filter } from '../filters';
import { number, percent, typeName } from '../format';
import { href } from '../place';
import { type Answer, ask } from '../query';
import { breakdownTable, gapNote, gapText, rowsOf } from '../ui/breakdown';
import { figures } from '../ui/figures';
import { panel } from '../ui/panel';
import { empty } from '../ui/states';
import { table } from '../ui/table';
import type { Context, View } from '../view';
import { type Discovered, type Property, discovery, propertiesOf } from './properties/names';

/** So many names of events, and so many values, are shown. */
const NAMES = 200;
const VALUES = 100;

/** Events of a type, or custom ones of a name. */
interface Kind {
  by: 'eventType' | 'custom';
  key: string;
}

const kindOf = (params: URLSearchParams): Kind | undefined => {
  for (const by of ['custom', 'eventType'] as const) {
    const key = params.get(by);
    if (key !== null) return { by, key };
  }
  return undefined;
};

export const view: View = {
  show(context) {
    const kind = kindOf(context.params);
    const property = context.params.get('property');
    context.root.append(eventsPanel(context, kind));
    if (kind) context.root.append(namesPanel(context, kind, property));
    if (kind && property !== null) context.root.append(valuesPanel(context, kind, property));
  },
};

const kindText = ({ by, key }: Kind): string => (by === 'custom' ? key : typeName(key));

function eventsPanel(context: Context, chosen: Kind | undefined): HTMLElement {
  const of = (by: Kind['by']): string =>
    ask(context, {
      metrics: ['events', 'users'],
      dimensions: [by],
      only: [['exists', by]],
      orderBy: [['events', 'desc']],
      limit: NAMES,
    });
  const rowsFrom = (by: Kind['by'], { rows }: Answer): (Kind & { events: number; users: number })[] =>
    rows.map(({ dimensions, metrics }) => ({
      by,
      key: String(dimensions[0]),
      events: metrics[0] ?? 0,
      users: metrics[1] ?? 0,
    }));
  return panel<[Answer, Answer]>(context, {
    title: 'Events',
    class: 'half',
    lines: 16,
    load: (get) => Promise.all([get<Answer>(of('custom')), get<Answer>(of('eventType'))]),
    render: ([custom, types]) => {
      // Custom events have names of their own.
      const all = [
        ...rowsFrom('custom', custom),
        ...rowsFrom('eventType', types).filter(({ key }) => key !== 'custom'),
      ].sort((a, b) => b.events - a.events);
      const most = Math.max(...all.map(({ events }) => events), 1);
      return [
        table<(typeof all)[number]>({
          caption: 'Events',
          rows: all,
          columns: [
            { name: 'Event', value: kindText },
            { name: 'Events', value: ({ events }) => events },
            { name: 'Users', value: ({ users }) => users, title: 'Distinct users over the range' },
          ],
          bar: ({ events }) => events / most,
          link: ({ by, key }) => {
            const isChosen = chosen?.by === by && chosen.key === key;
            return href({
              custom: undefined,
              eventType: undefined,
              property: undefined,
              [by]: isChosen ? undefined : key,
            });
          },
          current: ({ by, key }) => chosen?.by === by && chosen.key === key,
          none: 'No event of these days passes the filters.',
        }),
        gapNote(gapText(types)),
      ];
    },
  });
}

function namesPanel(context: Context, kind: Kind, chosen: string | null): HTMLElement {
  const type = kind.by === 'custom' ? 'custom' : kind.key;
  return panel<Discovered>(context, {
    title: `Properties of ${kindText(kind)}`,
    class: 'half',
    lines: 16,
    note: 'What those of these days hold, whatever the filters.',
    load: (get) => get<Discovered>(discovery(context, type)),
    render: (answer) => {
      const { rows, events } = propertiesOf(answer, kind.by === 'custom' ? kind.key : undefined);
      return table<Property>({
        caption: 'Properties',
        rows,
        columns: [
          { name: 'Property', value: ({ name }) => name },
          { name: 'Is', value: ({ types }) => types.join(', ') },
          {
            name: 'In',
            value: ({ count }) => count,
            show: ({ count }) => percent(count / Math.max(events, 1)),
            title: 'Share of these events that have it',
          },
        ],
        link: ({ name }) => href({ property: name === chosen ? undefined : name }),
        current: ({ name }) => name === chosen,
        none: 'They hold no property.',
      });
    },
  });
}

function valuesPanel(context: Context, kind: Kind, property: string): HTMLElement {
  const by = `data.${property}`;
  const only: Filter[] = [
    ['is', kind.by, [kind.key]],
    ['exists', by],
  ];
  const values = ask(context, {
    metrics: ['events', 'users'],
    dimensions: [by],
    only,
    compare: true,
    orderBy: [['events', 'desc']],
    limit: VALUES,
  });
  const spread = ask(context, {
    metrics: ['sum', 'avg', 'p50', 'p95'].map((one) => `${one}(${by})`),
    only,
    compare: true,
  });
  return panel<[Answer, Answer]>(context, {
    title: property,
    class: 'wide last',
    lines: 18,
    csv: values,
    load: (get) => Promise.all([get<Answer>(values), get<Answer>(spread)]),
    render: ([answer, numbers]) => {
      if (answer.rows.length === 0) return empty('No event of these days has it and passes the filters.');
      const { rows, total, totalBefore, nextCursor } = rowsOf(answer);
      return [
        figures([
          { label: 'Events', value: number(total), now: total, before: totalBefore },
          { label: nextCursor === null ? 'Values' : 'Values, at least', value: number(rows.length) },
          ...spreadOf(numbers),
        ]),
        h('div', { class: 'short-table' }, breakdownTable(context, by, rows)),
        gapNote(gapText(answer)),
        notNumbers(numbers, total),
      ];
    },
  });
}

const SPREAD = ['Sum', 'Mean', 'Median', '95th percentile'];

/** Of numbers alone; nothing where there is none. */
const spreadOf = ({ totals, comparedTotals }: Answer) =>
  typeof totals[1] !== 'number'
    ? []
    : SPREAD.map((label, n) => {
        const now = totals[n] ?? 0;
        return { label, value: number(now), now, before: comparedTotals?.[n] ?? undefined };
      });

/** Where some are numbers and some are not. */
function notNumbers({ totals, meta }: Answer, total: number): Child {
  const others = Math.max(0, ...Object.values(meta.notNumbers ?? {}));
  if (typeof totals[1] !== 'number' || others === 0) return null;
  return h(
    'p',
    { class: 'footnote warn' },
    `${number(others)} of ${number(total)} values are no numbers: sums leave them out.`,
  );
}
