// How many users go through steps, in order, in time.
import { question } from '../../api';
import { h } from '../../dom';
import { duration, number, percent } from '../../format';
import { whenOf } from '../../query';
import { saveCsvButton } from '../../ui/csv';
import { figures } from '../../ui/figures';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import type { Context } from '../../view';
import { builder } from './builder';
import { type Step, orderOf, stepText, stepsOf, windowOf } from './steps';

/** `POST /v1/analytics/query/funnel` */
interface Funnel {
  windowHours: number;
  medianMs: number | null;
  steps: (Step & { users: number; conversion: number; fromPrevious: number })[];
}

/** The builder, and what comes of it. */
export function showFunnel(context: Context): void {
  const { range, params } = context;
  const order = orderOf(params);
  const asked = question('/v1/analytics/query/funnel', {
    ...whenOf(context),
    steps: stepsOf(params),
    windowHours: windowOf(params),
    ...(order !== 'sequence' && { order }),
  });
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
      render: ({ steps, medianMs }) => {
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
          h('ol', { class: 'funnel', 'aria-label': 'Steps' }, steps.map(bar)),
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
}

function bar(step: Funnel['steps'][number], n: number): HTMLElement {
  const lost =
    n === 0
      ? null
      : h(
          'p',
          { class: 'funnel-lost' },
          `${percent(step.fromPrevious)} of the step before`,
          step.fromPrevious < 1 && h('span', { class: 'soft' }, `, ${percent(1 - step.fromPrevious)} left`),
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
