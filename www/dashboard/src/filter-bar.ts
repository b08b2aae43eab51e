// What everything is narrowed to: chips, each with its opposite and a way out; and the button that adds one.
import { fill, h } from './dom';
import { filterChange, negated, without, words } from './filters';
import { href } from './place';
import { session } from './session';
import { popover } from './ui/popover';
import { problemText, skeleton } from './ui/states';
import type { Context, Entry } from './view';

/** The button that opens the form of a filter and the saved segments. */
export function filterButton(context: Context): HTMLElement {
  const body = h('div', { class: 'filter-body' });
  const { element, close } = popover({
    id: 'add-filter',
    class: 'filter',
    label: ['Filter'],
    body,
    signal: context.signal,
    // Its code comes when it is wanted.
    opened: () => {
      if (body.childElementCount === 0) fill(body, skeleton(6));
      import('./ui/filter-form').then(
        ({ filterForm }) => !context.signal.aborted && fill(body, filterForm(context, close)),
        (error: unknown) => fill(body, problemText(error)),
      );
    },
  });
  return element;
}

/** What a shared link narrows everything to, where it does. */
const always = (): HTMLElement | null => {
  const filters = session()?.link?.filters;
  return filters ? h('p', { class: 'hint' }, `Always: ${words(filters)}`) : null;
};

/** The chips, and what they do not narrow in this view; nothing where none is set. */
export function filterBar({ filters }: Context, { ranged, unfiltered }: Entry): (HTMLElement | null)[] {
  if (filters.length === 0 || !(ranged || unfiltered)) return [always()];
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
    always(),
    h('ul', { class: 'chips', 'aria-label': 'Filters' }, chips),
    filters.length > 1 ? h('a', { class: 'clear', href: href(filterChange([])) }, 'Remove all') : null,
    unfiltered === undefined ? null : h('p', { class: 'hint' }, unfiltered),
  ];
}
