// A row of figures: what one looks at first.
import { type Child, h } from '../dom';
import { changed } from '../format';

/** A figure. */
export interface Figure {
  label: string;
  /** As it is shown. */
  value: Child;
  /** What it means, and the whole number where the value is shortened. */
  title?: string;
  /** The number, and what it was before, for the change. */
  now?: number;
  before?: number | undefined;
  /** Whether less is better. */
  lessIsBetter?: boolean;
  /** Where a click leads; makes it a link. */
  href?: string;
  current?: boolean;
}

/** The figures, as a list. */
export function figures(list: readonly Figure[]): HTMLElement {
  return h('ul', { class: 'figures' }, list.map(one));
}

function one(figure: Figure): HTMLElement {
  const inner = [
    h('span', { class: 'figure-label' }, figure.label),
    h('span', { class: 'figure-value' }, figure.value),
    delta(figure),
  ];
  const body =
    figure.href === undefined
      ? h('div', { class: 'figure', title: figure.title }, inner)
      : h(
          'a',
          {
            class: 'figure',
            id: `figure-${figure.label.toLowerCase().replaceAll(/\W+/g, '-')}`,
            href: figure.href,
            title: figure.title,
            'aria-current': figure.current ? 'true' : undefined,
          },
          inner,
        );
  return h('li', null, body);
}

/** By how much it changed; nothing where nothing can be said. */
export function delta({
  now,
  before,
  lessIsBetter,
}: Pick<Figure, 'now' | 'before' | 'lessIsBetter'>): HTMLElement | null {
  const text = now === undefined || before === undefined ? undefined : changed(now, before);
  if (text === undefined || now === undefined || before === undefined) return null;
  const kind = now === before ? 'same' : now > before !== Boolean(lessIsBetter) ? 'better' : 'worse';
  const arrow = now === before ? '→' : now > before ? '↑' : '↓';
  return h(
    'span',
    { class: `delta ${kind}`, title: 'Against the days that it is compared with' },
    h('span', { 'aria-hidden': 'true' }, arrow),
    h('span', { class: 'unseen' }, now === before ? 'unchanged' : now > before ? 'up' : 'down'),
    ' ',
    text,
  );
}
