// Goals: how often each is reached, by whom, and what it brings; one of them over time and by a dimension.
import { ifOffered } from '../api';
import { dimensionOf } from '../dimensions';
import { h } from '../dom';
import { words } from '../filters';
import { number, percent } from '../format';
import { href } from '../place';
import { type Answer, ask } from '../query';
import { gapNote, gapText, isChosen, keyText, rowLink } from '../ui/breakdown';
import { delta, figures } from '../ui/figures';
import { intervalChoice } from '../ui/interval';
import { panel } from '../ui/panel';
import { byTime, compared, timeChart } from '../ui/series';
import { empty } from '../ui/states';
import { table } from '../ui/table';
import { tabs } from '../ui/tabs';
import type { Context, View } from '../view';
import { figureText } from './ask/metrics';
import { GOALS, type Goals, METRICS } from './goals/goals';
import { goalForms } from './goals/forms';

/** By what a goal is told apart; the first is the default. */
const BY = [
  ['channel', 'Channels'],
  ['referrerSource', 'Sources'],
  ['entry_page', 'Entry pages'],
  ['country', 'Countries'],
  ['device', 'Devices'],
  ['browser', 'Browsers'],
] as const;

/** Rows of a dimension. */
const ROWS = 50;

export const view: View = {
  show(context) {
    const goal = context.params.get('goal');
    context.root.append(listPanel(context, goal));
    if (goal !== null) context.root.append(timePanel(context, goal), dimensionPanel(context, goal));
    if (!context.shared) context.root.append(goalForms(context));
  },
};

/** Goals, and of each what a question tells. */
type Listed = [Goals | null, ...Answer[]];

function listPanel(context: Context, chosen: string | null): HTMLElement {
  return panel<Listed>(context, {
    title: 'Goals',
    class: 'wide goals',
    lines: 12,
    load: async (get) => {
      const all = await ifOffered(get<Goals>(GOALS));
      const asked = all?.goals.map(({ goalId }) =>
        get<Answer>(ask(context, { metrics: METRICS, goal: goalId, compare: true })),
      );
      return [all, ...(await Promise.all(asked ?? []))];
    },
    render: ([all, ...answers]) => {
      if (all === null) return empty('This collector does not offer goals.', h('p', null, 'A newer version has.'));
      if (all.goals.length === 0)
        return empty('No goal is set.', h('p', null, 'Filter to what counts as reached, and save it below.'));
      const rows = all.goals.map((goal, n) => ({ goal, answer: answers[n] }));
      const of = ({ answer }: (typeof rows)[number], n: number): number => Number(answer?.totals[n] ?? 0);
      const most = Math.max(...rows.map((row) => of(row, 0)), 1);
      const hasRevenue = rows.some(({ answer }) => answer?.totals[3]);
      return [
        table<(typeof rows)[number]>({
          caption: 'Goals',
          rows,
          columns: [
            {
              name: 'Goal',
              value: ({ goal }) => goal.name,
              show: ({ goal }) => h('span', { title: words(goal.filter) }, goal.name),
            },
            { name: 'Conversions', value: (row) => of(row, 0), title: 'Events that pass its filter' },
            {
              name: 'Change',
              value: (row) => of(row, 0),
              show: (row) => delta({ now: of(row, 0), before: row.answer?.comparedTotals?.[0] ?? undefined }),
              title: 'Against the days that it is compared with',
              minor: true,
            },
            { name: 'Users', value: (row) => of(row, 1), title: 'Distinct users who reached it' },
            {
              name: 'Rate',
              value: (row) => of(row, 2),
              show: (row) => figureText('conversionRate', row.answer?.totals[2]),
              title: 'Of all users of these days',
            },
            ...(hasRevenue
              ? [
                  {
                    name: 'Revenue',
                    value: (row: (typeof rows)[number]) => figureText('revenue', row.answer?.totals[3]),
                    title: 'By currency; currencies are never added',
                  },
                ]
              : []),
          ],
          bar: (row) => of(row, 0) / most,
          link: ({ goal }) => href({ goal: goal.goalId === chosen ? undefined : goal.goalId }),
          current: ({ goal }) => goal.goalId === chosen,
        }),
        answers[0] && gapNote(gapText(answers[0])),
      ];
    },
  });
}

function timePanel(context: Context, goal: string): HTMLElement {
  const { interval } = context;
  const asked = ask(context, { metrics: METRICS, dimensions: [`time:${interval}`], goal, compare: true });
  return panel<[Goals, Answer]>(context, {
    title: `Conversions by ${interval}`,
    class: 'wide',
    lines: 20,
    tools: intervalChoice(context),
    csv: asked,
    load: (get) => Promise.all([get<Goals>(GOALS), get<Answer>(asked)]),
    render: ([{ goals }, answer]) => {
      const { x, rows } = byTime(answer, context);
      const name = goals.find(({ goalId }) => goalId === goal)?.name ?? goal;
      const { totals, comparedTotals } = answer;
      const before = (n: number): number | undefined => comparedTotals?.[n] ?? undefined;
      return [
        figures([
          { label: 'Conversions', value: number(totals[0] ?? 0), now: totals[0] ?? 0, before: before(0) },
          { label: 'Users', value: number(totals[1] ?? 0), now: totals[1] ?? 0, before: before(1) },
          { label: 'Rate', value: percent(totals[2] ?? 0), now: totals[2] ?? 0, before: before(2) },
        ]),
        timeChart(context, {
          label: `${name} by ${interval}`,
          interval,
          x,
          series: compared(
            name,
            rows.map((row) => row?.metrics[0] ?? 0),
            rows.map((row) => row?.compared?.[0] ?? 0),
            context.compare,
          ),
          show: number,
        }),
        gapNote(gapText(answer)),
      ];
    },
  });
}

function dimensionPanel(context: Context, goal: string): HTMLElement {
  const by = BY.find(([name]) => name === context.params.get('by'))?.[0] ?? BY[0][0];
  const asked = ask(context, {
    metrics: METRICS,
    dimensions: [by],
    goal,
    orderBy: [['conversions', 'desc']],
    limit: ROWS,
  });
  return panel<Answer>(context, {
    title: `By ${dimensionOf(by).one.toLowerCase()}`,
    class: 'wide',
    lines: 16,
    tools: tabs('By what', 'by', by, BY),
    csv: asked,
    load: (get) => get<Answer>(asked),
    render: ({ rows }) => {
      const some = rows.map(({ dimensions, metrics }) => ({ key: dimensions[0] ?? null, metrics }));
      const most = Math.max(...some.map(({ metrics }) => Number(metrics[0])), 1);
      return table<(typeof some)[number]>({
        caption: `Conversions by ${dimensionOf(by).one.toLowerCase()}`,
        rows: some,
        columns: [
          { name: dimensionOf(by).one, value: ({ key }) => keyText(by, key) },
          { name: 'Conversions', value: ({ metrics }) => metrics[0] ?? 0 },
          { name: 'Users', value: ({ metrics }) => metrics[1] ?? 0 },
          {
            name: 'Rate',
            value: ({ metrics }) => metrics[2] ?? -1,
            show: ({ metrics }) => figureText('conversionRate', metrics[2]),
          },
        ],
        bar: ({ metrics }) => Number(metrics[0]) / most,
        link: rowLink(context, by),
        current: isChosen(context, by),
        none: 'Nothing in these days.',
      });
    },
  });
}
