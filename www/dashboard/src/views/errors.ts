// Errors & web vitals: what went wrong for visitors, and how fast pages were.
import { h } from '../dom';
import { number } from '../format';
import { type Loaded, breakdownTable, gapNote, joined, loadRows, rowsPath } from '../ui/breakdown';
import { figures } from '../ui/figures';
import { panel } from '../ui/panel';
import { empty } from '../ui/states';
import type { Context, View } from '../view';
import { latestErrors } from './errors/latest';
import { vitalsPanel } from './errors/vitals';

/** So many kinds of errors are shown. */
const SHOWN = 50;

export const view: View = {
  show(context) {
    context.root.append(errorsPanel(context), vitalsPanel(context));
    if (!context.shared) context.root.append(latestErrors(context));
  },
};

function errorsPanel(context: Context): HTMLElement {
  return panel<Loaded>(context, {
    title: 'Errors',
    class: 'wide errors-panel',
    lines: 17,
    csv: rowsPath(context, 'error', { limit: SHOWN }),
    load: (get) => loadRows(get, context, 'error', SHOWN),
    render: (loaded) => {
      const { rows, total, totalBefore, nextCursor, note } = joined(loaded);
      if (total === 0)
        return empty(
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
        );
      return [
        figures([
          { label: 'Errors', value: number(total), now: total, before: totalBefore, lessIsBetter: true },
          {
            label: nextCursor === null ? 'Kinds' : 'Kinds, at least',
            value: number(rows.length),
            title: 'Different messages',
          },
        ]),
        breakdownTable(context, 'error', rows),
        gapNote(note),
      ];
    },
  });
}
