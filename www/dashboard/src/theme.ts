// Light, dark, or what the system says. Loaded before the first paint, so that nothing flashes.

const KEY = 'shoreline-theme';

/** The choices; `auto` follows the system. */
export type Theme = 'auto' | 'light' | 'dark';

const isTheme = (text: string | null | undefined): text is Theme =>
  text === 'auto' || text === 'light' || text === 'dark';

/** What was chosen. Without storage (a browser that blocks it) it is `auto`. */
export function chosenTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return isTheme(kept) ? kept : 'auto';
  } catch {
    return 'auto';
  }
}

/** Applies a choice and keeps it. Charts, which are painted, listen for `themechange`. */
export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then it lasts as long as the page.
  }
  applyTheme(theme);
}

/** Puts a choice on the page. */
export function applyTheme(theme: Theme): void {
  const root = document.documentElement;
  if (theme === 'auto') delete root.dataset['theme'];
  else root.dataset['theme'] = theme;
  dispatchEvent(new Event('themechange'));
}
