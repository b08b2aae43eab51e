// Segments: filters under a name, kept in this browser, by site.
import { h } from '../dom';
import { type Filter, filterChange, partsOf, whole, words } from '../filters';
import { go, href } from '../place';
import type { Context } from '../view';

const KEY = 'shoreline-segments';

/** So many a site are kept. */
const MOST = 50;

/** Filters under a name. */
interface Segment {
  name: string;
  filters: Filter;
}

const isSegment = (value: unknown): value is Segment =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'filters' in value &&
  Array.isArray(value.filters);

/** All that is kept, by site; nothing where it cannot be read. */
function kept(): Record<string, Segment[]> {
  try {
    const all: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof all !== 'object' || all === null) return {};
    const entries = Object.entries(all).map(([site, some]) => [
      site,
      Array.isArray(some) ? some.filter(isSegment) : [],
    ]);
    return Object.fromEntries(entries) as Record<string, Segment[]>;
  } catch {
    return {};
  }
}

/** Keeps them; whether the browser did. */
function keep(site: string, some: readonly Segment[]): boolean {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...kept(), [site]: some }));
    return true;
  } catch {
    return false;
  }
}

/** The segments of a site, and the form that saves the filters that are set; `done` closes what they stand in. */
export function segments(context: Context, done: () => void): HTMLElement {
  const { site, filters } = context;
  const place = h('div', { class: 'segments' });
  const said = h('p', { class: 'bad', role: 'alert' });
  const paint = (): void => {
    const all = kept()[site] ?? [];
    place.replaceChildren(
      h('h3', null, 'Segments'),
      all.length > 0
        ? h(
            'ul',
            null,
            all.map((one) => line(one)),
          )
        : h('p', { class: 'hint' }, 'Filters under a name, kept in this browser.'),
      ...(filters.length > 0 ? [saving(all)] : []),
      said,
    );
  };
  const line = (one: Segment): HTMLElement =>
    h(
      'li',
      null,
      h('a', { href: href(filterChange(partsOf(one.filters))), title: words(one.filters) }, one.name),
      h(
        'button',
        {
          type: 'button',
          class: 'icon-button',
          'aria-label': `Forget the segment ${one.name}`,
          on: {
            click: () => {
              keep(
                site,
                (kept()[site] ?? []).filter(({ name }) => name !== one.name),
              );
              paint();
              place.closest('details')?.querySelector('summary')?.focus();
            },
          },
        },
        '×',
      ),
    );
  const saving = (all: readonly Segment[]): HTMLElement => {
    const name = h('input', { id: 'segment-name', required: true, maxlength: 100, autocomplete: 'off' });
    const form = h(
      'form',
      { 'aria-label': 'Save the filters as a segment' },
      h('label', null, 'Name', name),
      h('button', { type: 'submit', class: 'button' }, 'Save these filters'),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const one = whole(filters);
      const wanted = name.value.trim();
      if (!one || !wanted) return;
      const others = all.filter((other) => other.name !== wanted);
      if (others.length >= MOST) said.textContent = `At most ${MOST} segments.`;
      else if (!keep(site, [...others, { name: wanted, filters: one }]))
        said.textContent = 'This browser keeps nothing for this page.';
      else {
        done();
        go({});
      }
    });
    return form;
  };
  paint();
  return place;
}
