// How many users go through steps, in order, in time; by what they have; and who left on the way.
import { question } from '../../api';
import { dimensionOf, nameOf, valueText } from '../../dimensions';
import { type Child, h } from '../../dom';
import { duration, number, percent } from '../../format';
import { href } from '../../place';
import { type Key, whenOf } from '../../query';
import { saveCsvButton } from '../../ui/csv';
import { figures } from '../../ui/figures';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import { table } from '../../ui/table';
import type { Context } from '../../view';
import { builder } from './builder';
import { leftPanel } from './left';
import { type Step, byOf, leftOf, orderOf, stepText, stepsOf, windowOf } from './steps';

/** Of this question. */
const PATH = '/v1/analytics/query/funnel';

/** Its answer. */
interface Funnel {
  windowHours: number;
  medianMs: number | null;
  steps: (Step & { users: number; conversion: number; fromPrevious: number })[];
  groups?: Group[];
  otherGroups?: number;
}

/** Users who have a value. */
interface Group {
  value: Key;
  users: number[];
  conversion: number;
  medianMs: number | null;
}

/** The builder, and what comes of it. */
export function showFunnel(context: Context): void {
  const { range, params } = context;
  const [order, by] = [orderOf(params), byOf(params)];
  const body = {
    ...whenOf(context),
    steps: stepsOf(params),
    windowHours: windowOf(params),
    ...(order !== 'sequence' && { order }),
  };
  const asked = question(PATH, { ...body, ...(by !== undefined && { by }) });
  const left = context.shared ? undefined : leftOf(params, body.steps.length);
  let shown: Funnel['steps'] = [];
  const rows = (): (string | number)[][] =>
    shown.map((step, n) => [
      n + 1,
      step.eventType,
      step.page ?? '',
      step.feature ?? '',
      step.users,
      step.conversion,
      step.fromPrevious,
    ]);
  context.root.append(
    builder(context),
    panel<Funnel>(context, {
      title: 'Conversion',
      class: 'half',
      lines: 12,
      tools: saveCsvButton(
        'Conversion',
        `${context.site}-funnel-${range.start}-${range.end}`,
        ['step', 'eventType', 'page', 'feature', 'users', 'conversion', 'fromPrevious'],
        rows,
      ),
      load: (get) => get<Funnel>(asked),
      render: ({ steps, medianMs, groups, otherGroups }) => {
        shown = steps;
        const [first, last] = [steps[0], steps.at(-1)];
        if (!first || !last || first.users === 0) return empty('Nobody took the first step in these days.');
        return [
          figures([
            { label: 'Began', value: number(first.users), title: 'Users who took the first step' },
            { label: 'Finished', value: number(last.users), title: 'Users who took all steps in time' },
            { label: 'Conversion', value: percent(last.conversion), title: 'Of those who began' },
            ...(medianMs === null
              ? []
              : [{ label: 'Median time', value: duration(medianMs), title: 'From the first step to the last' }]),
          ]),
          h(
            'ol',
            { class: 'funnel', 'aria-label': 'Steps' },
            steps.map((step, n) => bar(step, n, context)),
          ),
          by !== undefined && groups && groupTable(by, groups, otherGroups ?? 0),
          h(
            'p',
            { class: 'footnote' },
            'Users are counted once, by the furthest they came. Funnels look at stored events: they reach back ' +
              'as far as these are kept.',
          ),
        ];
      },
    }),
  );
  if (left !== undefined) context.root.append(leftPanel(context, PATH, body, left));
}

/** How far the users of each value came. */
const groupTable = (by: string, groups: readonly Group[], others: number): Child => [
  table<Group>({
    caption: dimensionOf(by).title,
    rows: groups,
    columns: [
      { name: nameOf(by), value: ({ value }) => (value === null ? '(none)' : valueText(by, String(value))) },
      { name: 'Began', value: ({ users }) => users[0] ?? 0 },
      { name: 'Finished', value: ({ users }) => users.at(-1) ?? 0 },
      { name: 'Conversion', value: (group) => group.conversion, show: (group) => percent(group.conversion) },
      {
        name: 'Median time',
        value: ({ medianMs }) => medianMs ?? -1,
        show: ({ medianMs }) => (medianMs === null ? '–' : duration(medianMs)),
        minor: true,
      },
    ],
    none: 'Nobody.',
  }),
  others > 0 && h('p', { class: 'footnote' }, `${number(others)} more are left out.`),
];

function bar(step: Funnel['steps'][number], n: number, context: Context): HTMLElement {
  const lost =
    n === 0
      ? null
      : h(
          'p',
          { class: 'funnel-lost' },
          `${percent(step.fromPrevious)} of the step before`,
          step.fromPrevious < 1 && h('span', { class: 'soft' }, `, ${percent(1 - step.fromPrevious)} left`),
          step.fromPrevious < 1 &&
            !context.shared && [
              ' ',
              h(
                'a',
                { href: href({ left: String(n) }) },
                'Who',
                h('span', { class: 'unseen' }, ` left after step ${n}`),
              ),
            ],
        );
  return h(
    'li',
    null,
    lost,
    h(
      'div',
      { class: 'funnel-step' },
      h(
        'span',
        { class: 'funnel-name', title: stepText(step) },
        h('span', {
          class: 'funnel-bar',
          'aria-hidden': 'true',
          vars: { '--w': `${Math.max(step.conversion * 100, 0.4)}%` },
        }),
        h('span', null, stepText(step)),
      ),
      h(
        'span',
        { class: 'funnel-users' },
        h('b', null, number(step.users)),
        h('span', { class: 'soft' }, ` ${percent(step.conversion)}`),
      ),
    ),
  );
}
