// When they come: hours by weekdays, as a table whose cells are shaded; its heads narrow everything to one.
import { weekday } from '../dimensions';
import { h } from '../dom';
import { filterChange, isSame, ofKey, toggled } from '../filters';
import { number } from '../format';
import { go, href } from '../place';
import { type Answer, ask } from '../query';
import type { Context } from '../view';
import { gapNote, gapText } from './breakdown';
import { panel } from './panel';
import { empty } from './states';

/** What can be counted; the first is the default. */
const METRICS = [
  ['users', 'Users'],
  ['views', 'Page views'],
  ['sessions', 'Sessions'],
  ['events', 'Events'],
] as const;

const DAYS = [1, 2, 3, 4, 5, 6, 7];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** The strongest shade, percent: text on it can still be read. */
const STRONGEST = 42;

/** The panel; `count` of the URL is what is counted. */
export function heatPanel(context: Context): HTMLElement {
  const [metric, name] = METRICS.find(([one]) => one === context.params.get('count')) ?? METRICS[0];
  const asked = ask(context, {
    metrics: [metric],
    dimensions: ['day_of_week', 'hour_of_day'],
    orderBy: [
      ['day_of_week', 'asc'],
      ['hour_of_day', 'asc'],
    ],
    limit: DAYS.length * HOURS.length,
  });
  return panel<Answer>(context, {
    title: 'When',
    class: 'wide last',
    lines: 16,
    note: `By the clocks of ${context.zone}. The head of a row or column narrows everything to it.`,
    tools: metricChoice(metric),
    csv: asked,
    load: (get) => get<Answer>(asked),
    render: (answer) =>
      answer.rows.length > 0 ? [map(context, name, answer), gapNote(gapText(answer))] : empty('Nothing in these days.'),
  });
}

function metricChoice(chosen: string): HTMLElement {
  const list = h(
    'select',
    { id: 'count', class: 'small', 'aria-label': 'What is counted' },
    METRICS.map(([name, text]) => h('option', { value: name, selected: name === chosen }, text)),
  );
  list.addEventListener('change', () => go({ count: list.value === METRICS[0][0] ? undefined : list.value }));
  return list;
}

function map(context: Context, name: string, { rows }: Answer): HTMLElement {
  const counts = new Map(rows.map(({ dimensions, metrics }) => [dimensions.join(' '), metrics[0] ?? 0]));
  const most = Math.max(...counts.values(), 1);
  const link = (by: string, key: number, text: string): HTMLElement => {
    const filter = ofKey(by, key);
    const chosen = context.filters.some((one) => isSame(one, filter));
    const to = href(filterChange(toggled(context.filters, filter)));
    return h('a', { href: to, class: 'row-link', 'aria-current': chosen ? 'true' : undefined }, text);
  };
  const cell = (day: number, hour: number): HTMLElement => {
    const count = counts.get(`${day} ${hour}`) ?? 0;
    const shade = Math.round((count / most) * STRONGEST * 10) / 10;
    return h(
      'td',
      { class: 'num cell', title: `${weekday(day)}, ${hour}:00: ${number(count)}`, vars: { '--a': `${shade}%` } },
      count > 0 ? number(count) : '',
    );
  };
  return h(
    'div',
    { class: 'table-scroll', tabindex: 0, role: 'group', 'aria-label': 'Hours by weekdays' },
    h(
      'table',
      { class: 'cohorts heat' },
      h('caption', { class: 'unseen' }, `${name} by weekday and hour`),
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          h('th', { scope: 'col' }, h('span', { class: 'unseen' }, 'Weekday')),
          HOURS.map((hour) => h('th', { scope: 'col', class: 'num' }, link('hour_of_day', hour, `${hour}`))),
        ),
      ),
      h(
        'tbody',
        null,
        DAYS.map((day) =>
          h(
            'tr',
            null,
            h('th', { scope: 'row' }, link('day_of_week', day, weekday(day))),
            HOURS.map((hour) => cell(day, hour)),
          ),
        ),
      ),
    ),
  );
}
