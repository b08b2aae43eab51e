// Who comes back: cohorts by the day or week of their first event.
import { question } from '../../api';
import { type Child, h } from '../../dom';
import { day, number, percent } from '../../format';
import { whenOf } from '../../query';
import { saveCsvButton } from '../../ui/csv';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import { tabs } from '../../ui/tabs';
import type { Context } from '../../view';

/** `POST /v1/analytics/query/retention` */
interface Retention {
  period: 'day' | 'week';
  note: string;
  cohorts: Cohort[];
}

interface Cohort {
  date: string;
  users: number;
  retained: number[];
}

/** So many periods are shown, the first included. */
const PERIODS = { day: 15, week: 13 } as const;

/** Days from which on weeks tell more. */
const WEEKS_FROM_DAYS = 62;

/** How strong the strongest shade is: text on it keeps 4.5:1 in both themes. */
const STRONGEST = 42;

/** The table of cohorts. */
export function showRetention(context: Context): void {
  const { range, params } = context;
  const usual = range.days >= WEEKS_FROM_DAYS ? 'week' : 'day';
  const other = usual === 'week' ? 'day' : 'week';
  const period = params.get('period') === other ? other : usual;
  const unit = params.get('unit') === 'users' ? 'users' : 'percent';
  const asked = question('/v1/analytics/query/retention', {
    ...whenOf(context),
    period,
    periods: PERIODS[period] - 1,
  });
  const labels = { day: 'By day', week: 'By week' } as const;
  let shown: Cohort[] = [];
  const columns = Array.from({ length: PERIODS[period] }, (_, n) => n);
  context.root.append(
    panel<Retention>(context, {
      title: 'Retention',
      class: 'wide',
      lines: 20,
      note:
        `Of the users whose first ${context.plain ? 'event ever' : 'event that passes'} was in a ${period} of the ` +
        `range, how many had an event so many ${period}s later.`,
      tools: [
        tabs('Cohorts', 'period', period, [
          [usual, labels[usual]],
          [other, labels[other]],
        ]),
        tabs('Cells', 'unit', unit, [
          ['percent', '%'],
          ['users', 'Users'],
        ]),
        saveCsvButton(
          'Retention',
          `${context.site}-retention-${range.start}-${range.end}`,
          ['cohort', 'users', ...columns.map((n) => `${period}${n}`)],
          () => shown.map(({ date, users, retained }) => [date, users, ...columns.map((n) => retained[n] ?? null)]),
        ),
      ],
      load: (get) => get<Retention>(asked),
      render: ({ cohorts, note }) => {
        shown = cohorts;
        if (!cohorts.some(({ users }) => users > 0)) return empty('Nobody came for the first time in these days.');
        return [
          cohortTable(
            cohorts.filter(({ users }) => users > 0),
            columns,
            period,
            unit,
          ),
          note && h('p', { class: 'footnote' }, note),
        ];
      },
    }),
  );
}

function cohortTable(
  cohorts: readonly Cohort[],
  columns: readonly number[],
  period: 'day' | 'week',
  unit: 'percent' | 'users',
): HTMLElement {
  const most = Math.max(1, ...cohorts.map(({ retained }) => retained.length));
  const used = columns.slice(0, most);
  const caption = `Retention by ${period}`;
  const row = (name: Child, users: number, cell: (n: number) => HTMLElement, kind = ''): HTMLElement =>
    h('tr', { class: kind }, h('th', { scope: 'row' }, name), h('td', { class: 'num' }, number(users)), used.map(cell));
  const head = h(
    'tr',
    null,
    h('th', { scope: 'col' }, period === 'day' ? 'First day' : 'Week from'),
    h('th', { scope: 'col', class: 'num' }, 'Users'),
    used.map((n) =>
      h('th', { scope: 'col', class: 'num' }, n === 0 ? (period === 'day' ? 'Day 0' : 'Week 0') : `+${n}`),
    ),
  );
  const all = row(
    'All',
    cohorts.reduce((sum, { users }) => sum + users, 0),
    (n) => {
      // Only of cohorts for which that period has come.
      const old = cohorts.filter(({ retained }) => retained[n] !== undefined);
      return shaded(
        old.reduce((sum, { retained }) => sum + (retained[n] ?? 0), 0),
        old.reduce((sum, { users }) => sum + users, 0),
        unit,
      );
    },
    'cohort-all',
  );
  const lines = cohorts.map(({ date, users, retained }) =>
    row(day(date), users, (n) =>
      retained[n] === undefined
        ? h('td', { class: 'cell none-yet' }, h('span', { class: 'unseen' }, 'not yet'))
        : shaded(retained[n], users, unit),
    ),
  );
  return h(
    'div',
    { class: 'table-scroll', tabindex: 0, role: 'group', 'aria-label': caption },
    h(
      'table',
      { class: 'cohorts' },
      h('caption', { class: 'unseen' }, caption),
      h('thead', null, head),
      h('tbody', null, all, lines),
    ),
  );
}

function shaded(users: number, of: number, unit: 'percent' | 'users'): HTMLElement {
  const part = of > 0 ? users / of : 0;
  const told = `${number(users)} of ${number(of)} (${percent(part)})`;
  return h(
    'td',
    { class: 'num cell', title: told, vars: { '--a': `${Math.round(part * STRONGEST * 10) / 10}%` } },
    unit === 'users' ? number(users) : percent(part),
  );
}
