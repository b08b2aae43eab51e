// The choice of what charts count by.
import { h } from '../dom';
import { go } from '../place';
import { defaultInterval, intervalsFor } from '../range';
import type { Context } from '../view';

/** The choice; nothing where there is none. */
export function intervalChoice({ range, interval }: Pick<Context, 'range' | 'interval'>): HTMLElement | null {
  const all = intervalsFor(range);
  if (all.length < 2) return null;
  const list = h(
    'select',
    { id: 'interval', class: 'small', 'aria-label': 'Count by' },
    all.map((one) => h('option', { value: one, selected: one === interval }, `By ${one}`)),
  );
  list.addEventListener('change', () =>
    go({ interval: list.value === defaultInterval(range) ? undefined : list.value }),
  );
  return list;
}
