// Links between parts of a view: what is chosen is in the URL, so they are links and not widgets.
import { h } from '../dom';
import { href } from '../place';

/** Tabs that set one parameter; the first is the default, and is not written into the URL. */
export function tabs(
  label: string,
  parameter: string,
  chosen: string,
  all: readonly (readonly [value: string, text: string])[],
  also: Record<string, undefined> = {},
): HTMLElement {
  const link = ([value, text]: readonly [string, string], n: number): HTMLElement =>
    h(
      'a',
      {
        id: `tab-${parameter}-${value}`,
        href: href({ ...also, [parameter]: n === 0 ? undefined : value }),
        'aria-current': value === chosen ? 'true' : undefined,
      },
      text,
    );
  return h('nav', { class: 'tabs', 'aria-label': label }, all.map(link));
}
