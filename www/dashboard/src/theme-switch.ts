// The choice of the theme.
import { h } from './dom';
import { type Theme, chooseTheme, chosenTheme } from './theme';

const THEMES: readonly (readonly [Theme, string])[] = [
  ['auto', 'Auto'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

/** A list of the themes. */
export function themeSwitch(): HTMLElement {
  const list = h(
    'select',
    { id: 'theme', 'aria-label': 'Theme' },
    THEMES.map(([theme, text]) => h('option', { value: theme, selected: theme === chosenTheme() }, text)),
  );
  list.addEventListener('change', () => chooseTheme(list.value as Theme));
  return list;
}
