// A box of a view: loads, shows, stays fresh, says when it could not.
import { downloadCsv } from '../api';
import { type Get, Miss, fromMemory, knownAt } from '../reads';
import { type Child, fill, h, keepFocus, whileBusy } from '../dom';
import { second } from '../format';
import type { Context } from '../view';
import { failure, problemText, skeleton } from './states';

/** How often a panel whose figures still grow asks again, milliseconds. Most answers are a 304. */
const REFRESH_MS = 60_000;

/** What a panel is. */
export interface PanelOptions<T> {
  title: string;
  /** Said under the title. */
  note?: Child;
  /** Beside the title: tabs, a switch. */
  tools?: Child;
  /** Reads what is shown; called with a reader of kept answers first. */
  load: (get: Get) => Promise<T>;
  /** Shows it. */
  render: (data: T) => Child;
  /** Height until then, in lines of text. */
  lines: number;
  /** The path of the table that can be downloaded as CSV, without `format=csv`. */
  csv?: string;
  /** Whether to ask again every minute; by default where the range goes on today. */
  live?: boolean | (() => boolean);
  /**
   * Further classes: `wide` takes the whole row, `half` the half of it however wide; `last` may shrink, as nothing
   * stands below.
   */
  class?: string;
}

/** Makes a panel, and begins to load it; the event `reload` makes it load anew, and what is there stays until then. */
export function panel<T>(context: Context, options: PanelOptions<T>): HTMLElement {
  const body = h('div', { class: 'panel-body', 'aria-busy': 'true' }, skeleton(options.lines));
  const state = h('p', { class: 'panel-state', role: 'status' });
  const head = h(
    'header',
    { class: 'panel-head' },
    h('h2', null, options.title),
    h(
      'div',
      { class: 'panel-tools' },
      options.tools,
      options.csv !== undefined && csvButton(context, options.title, options.csv),
    ),
  );
  const box = h(
    'section',
    { class: `panel ${options.class ?? ''}`, 'aria-label': options.title },
    head,
    options.note !== undefined && h('p', { class: 'panel-note' }, options.note),
    state,
    body,
  );
  box.style.setProperty('--lines', String(options.lines));

  let shown: T | undefined;
  let shownAt = 0;
  const show = (data: T): void => {
    shownAt = Date.now();
    body.removeAttribute('aria-busy');
    state.textContent = '';
    box.classList.remove('stale');
    if (same(data, shown)) return;
    shown = data;
    keepFocus(body, () => fill(body, options.render(data)));
  };
  const load = async (): Promise<void> => {
    try {
      show(await options.load(context.get));
    } catch (error) {
      if (context.signal.aborted) return;
      body.removeAttribute('aria-busy');
      if (shown === undefined) {
        fill(
          body,
          failure(error, () => {
            fill(body, skeleton(options.lines));
            void load();
          }),
        );
        return;
      }
      // What is there stays, and is said to be old.
      box.classList.add('stale');
      fill(
        state,
        `As of ${second(shownAt)} UTC: ${problemText(error)} `,
        h('button', { type: 'button', class: 'link', on: { click: () => void load() } }, 'Try again'),
      );
    }
  };
  const begin = async (): Promise<void> => {
    try {
      let at = Date.now();
      const kept = await options.load(async (path) => {
        at = Math.min(at, knownAt(path) ?? at);
        return fromMemory(path);
      });
      show(kept);
      shownAt = at;
    } catch (error) {
      if (!(error instanceof Miss)) console.error(error);
    }
    if (!context.signal.aborted) await load();
  };
  void begin();
  box.addEventListener('reload', () => void load());
  const live = options.live ?? context.range.open;
  if (live !== false) {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && (live === true || live())) void load();
    }, REFRESH_MS);
    context.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }
  return box;
}

/** Whether nothing changed: an answer that did not is the same object, also as an item of a list. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, n) => item === b[n]);
}

/** A button that downloads a table. */
function csvButton(context: Context, title: string, path: string): HTMLElement {
  const button = h(
    'button',
    { type: 'button', class: 'icon-button', title: 'Download as CSV', 'aria-label': `Download ${title} as CSV` },
    'CSV',
  );
  button.addEventListener('click', () => {
    const what = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    const name = `${context.site}-${what}-${context.range.start}-${context.range.end}.csv`;
    void whileBusy(button, () =>
      downloadCsv(path, name, context.signal).catch((error: unknown) => {
        if (!context.signal.aborted) button.after(h('span', { class: 'bad', role: 'alert' }, problemText(error)));
      }),
    );
  });
  return button;
}
