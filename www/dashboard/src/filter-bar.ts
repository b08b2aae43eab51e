// What everything is narrowed to: chips, each with its opposite and a way out; and the button that adds one.
import { fill, h } from './dom';
import { filterChange, negated, without, words } from './filters';
import { href } from './place';
import { popover } from './ui/popover';
import { problemText, skeleton } from './ui/states';
import type { Context, Entry } from './view';

/** The button that opens the form of a filter and the saved segments. */
export function filterButton(context: Context): HTMLElement {
  const body = h('div', { class: 'filter-body' }, skeleton(6));
  const { element, close } = popover({
    id: 'add-filter',
    class: 'filter',
    label: ['Filter'],
    body,
    signal: context.signal,
    // Its code comes when it is wanted.
    opened: () => {
      import('./ui/filter-form').then(
        ({ filterForm }) => !context.signal.aborted && fill(body, filterForm(context, close)),
        (error: unknown) => fill(body, problemText(error)),
      );
    },
  });
  return element;
}

/** The chips, and what they do not narrow in this view; nothing where none is set. */
export function filterBar({ filters }: Context, { ranged, unfiltered }: Entry): (HTMLElement | null)[] {
  if (filters.length === 0 || !(ranged || unfiltered)) return [];
  const chips = filters.map((filter, n) => {
    const text = words(filter);
    const opposite = negated(filter);
    const others = filters.map((one) => (one === filter ? opposite : one));
    return h(
      'li',
      { class: 'chip' },
      h(
        'a',
        {
          id: `negate-${n}`,
          class: 'chip-text',
          href: href(filterChange(others)),
          title: `Turn into: ${words(opposite)}`,
        },
        text,
        h('span', { class: 'unseen' }, `. Turn into: ${words(opposite)}`),
      ),
      h(
        'a',
        {
          id: `remove-${n}`,
          class: 'chip-remove',
          href: href(filterChange(without(filters, filter))),
          'aria-label': `Remove the filter ${text}`,
        },
        h('span', { 'aria-hidden': 'true' }, '×'),
      ),
    );
  });
  return [
    h('ul', { class: 'chips', 'aria-label': 'Filters' }, chips),
    filters.length > 1 ? h('a', { class: 'clear', href: href(filterChange([])) }, 'Remove all') : null,
    unfiltered === undefined ? null : h('p', { class: 'hint' }, unfiltered),
  ];
}
