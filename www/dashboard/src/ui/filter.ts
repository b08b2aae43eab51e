// What a view is narrowed to, each with a way out.
import { h } from '../dom';
import { href } from '../place';

/** Chips of the filters that are set: parameter of the URL, what it is called, what it is set to. */
export function chips(
  set: readonly (readonly [parameter: string, label: string, value: string | null])[],
): HTMLElement | null {
  const given = set.filter(([, , value]) => value !== null && value !== '');
  if (given.length === 0) return null;
  return h(
    'ul',
    { class: 'chips', 'aria-label': 'Filters' },
    given.map(([parameter, label, value]) =>
      h(
        'li',
        null,
        h(
          'a',
          {
            class: 'chip',
            href: href({ [parameter]: undefined }),
            'aria-label': `Remove the filter ${label} ${value ?? ''}`,
          },
          h('span', { class: 'soft' }, label),
          ' ',
          h('b', null, value),
          h('span', { 'aria-hidden': 'true' }, ' ×'),
        ),
      ),
    ),
  );
}
