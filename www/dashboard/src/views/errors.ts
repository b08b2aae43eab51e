// Errors & web vitals: what went wrong for visitors, and how fast pages were.
import type { Breakdown } from '../answers';
import { h } from '../dom';
import { number } from '../format';
import { href } from '../place';
import { previous, rangeQuery } from '../range';
import { breakdownTable } from '../ui/breakdown';
import { figures } from '../ui/figures';
import { panel } from '../ui/panel';
import { empty } from '../ui/states';
import type { Context, View } from '../view';
import { latestErrors } from './errors/latest';
import { vitalsPanel } from './errors/vitals';

/** So many kinds of errors are shown. */
const SHOWN = 50;

const path = (query: string, limit: number): string =>
  `/v1/analytics/metrics/breakdown?by=error&limit=${limit}&${query}`;

export const view: View = {
  show(context) {
    context.root.append(errorsPanel(context), vitalsPanel(context), latestErrors(context));
  },
};

function errorsPanel(context: Context): HTMLElement {
  const { range, params } = context;
  const chosen = params.get('error');
  const now = path(rangeQuery(range), SHOWN);
  const before = path(rangeQuery(previous(range)), 1);
  return panel<[Breakdown, Breakdown]>(context, {
    title: 'Errors',
    class: 'wide errors-panel',
    lines: 17,
    csv: now,
    load: (get) => Promise.all([get<Breakdown>(now), get<Breakdown>(before)]),
    render: ([{ rows, total, nextCursor }, then]) =>
      total === 0
        ? empty(
            'No errors in these days.',
            h(
              'p',
              null,
              'They are recorded by the tracker with ',
              h('code', null, 'data-errors'),
              ', and by ',
              h('code', null, 'shoreline.error()'),
              '.',
            ),
          )
        : [
            figures([
              { label: 'Errors', value: number(total), now: total, before: then.total, lessIsBetter: true },
              {
                label: nextCursor === null ? 'Kinds' : 'Kinds, at least',
                value: number(rows.length),
                title: 'Different messages',
              },
            ]),
            // A chosen row leads back to all.
            breakdownTable(
              'error',
              rows,
              (row) => href({ error: row.key === chosen ? undefined : row.key }),
              (row) => row.key === chosen,
            ),
          ],
  });
}
