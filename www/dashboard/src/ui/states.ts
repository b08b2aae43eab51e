// What stands where data is yet to come, is not there, or could not be had.
import { type Child, h } from '../dom';
import { Problem } from '../api';

/** Grey bars of the height of what will come, so that nothing moves when it does. */
export function skeleton(lines: number): HTMLElement {
  const bars = Array.from({ length: lines }, (_, n) =>
    h('span', { class: 'bone', vars: { '--w': `${100 - ((n * 29) % 45)}%` } }),
  );
  return h('div', { class: 'skeleton', 'aria-hidden': 'true' }, bars);
}

/** Said where there is nothing to show. */
export const empty = (title: string, ...more: Child[]): HTMLElement =>
  h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), ...more);

/** What went wrong, in the problem's own words. */
export const problemText = (error: unknown): string =>
  error instanceof Problem
    ? `${error.message}${error.field ? ` (${error.field})` : ''}`
    : 'This part of the page failed. That is a bug in the dashboard.';

/** What went wrong, and a way to try again. */
export function failure(error: unknown, retry?: () => void): HTMLElement {
  const code = error instanceof Problem ? error.code : 'bug';
  return h(
    'div',
    { class: 'failure', role: 'alert' },
    h('p', null, problemText(error), ' ', h('code', null, code)),
    retry && h('button', { type: 'button', class: 'button', on: { click: retry } }, 'Try again'),
  );
}

/** How far something is; `done` and `all` in whatever unit `text` tells. */
export function progressBar(label: string, done: number, all: number, text: string): HTMLElement {
  return h(
    'div',
    { class: 'progress' },
    h('span', null, label),
    h('progress', { max: Math.max(all, 1), value: Math.min(done, Math.max(all, 1)), 'aria-label': label }),
    h('span', { class: 'num' }, text),
  );
}
