// All keys of a dimension, searched and compared; a click narrows everything to one.
import type { Breakdown } from '../answers';
import { dimensionOf } from '../dimensions';
import { fill, h, whileBusy } from '../dom';
import { number, percent } from '../format';
import { setQuietly } from '../place';
import type { Answer } from '../query';
import type { Context } from '../view';
import {
  type KeyRow,
  type KeyRows,
  type Loaded,
  gapNote,
  isChosen,
  joined,
  keyText,
  loadRows,
  rowLink,
  rowsOf,
  rowsPath,
} from './breakdown';
import { delta } from './figures';
import { panel } from './panel';
import { problemText } from './states';
import { table } from './table';

/** Rows of one call; further ones come by a button. */
export const ROWS = 100;
/** As many as come then. */
const MOST = 500;
/** So many rows are shown at most; all of them are in the CSV. */
const MAX_SHOWN = 2_000;

/** The panel; `q` of the URL is what is searched. */
export function dimensionPanel(context: Context, by: string): HTMLElement {
  // Newer data would take away what was loaded by hand.
  const state = { more: false };
  return panel<Loaded>(context, {
    title: dimensionOf(by).title,
    class: 'wide last',
    lines: 30,
    csv: rowsPath(context, by, { limit: MOST }),
    live: () => context.range.open && !state.more,
    load: (get) => loadRows(get, context, by, ROWS),
    render: (loaded) => {
      const all = joined(loaded);
      return [rows(context, by, all, state), gapNote(all.note)];
    },
  });
}

function rows(context: Context, by: string, all: KeyRows, state: { more: boolean }): HTMLElement {
  const { title, one, events } = dimensionOf(by);
  const isCompared = context.compare !== 'none';
  const found = [...all.rows];
  let cursor = all.nextCursor;
  const place = h('div', null);
  const search = h('input', {
    id: 'search',
    type: 'search',
    placeholder: `Search ${title.toLowerCase()}`,
    'aria-label': `Search ${title.toLowerCase()}`,
    value: context.params.get('q') ?? '',
  });
  const more = h('button', { type: 'button', class: 'button' }, 'Show more');
  const said = h('p', { class: 'footnote', role: 'status' });
  const paint = (): void => {
    const wanted = search.value.trim().toLowerCase();
    const some = wanted
      ? found.filter((row) => `${row.key} ${keyText(by, row.key)}`.toLowerCase().includes(wanted))
      : found;
    const most = Math.max(...found.map((row) => row.events), 1);
    fill(
      place,
      table<KeyRow>({
        caption: title,
        rows: some,
        columns: [
          { name: one, value: (row) => keyText(by, row.key) },
          { name: events, value: (row) => row.events },
          ...(isCompared ? [CHANGE] : []),
          { name: 'Users', value: (row) => row.users, title: 'Distinct users over the range' },
          {
            name: 'Share',
            value: (row) => row.share,
            show: (row) => percent(row.share),
            title: `Of all ${events.toLowerCase()} that tell it`,
            minor: true,
          },
        ],
        bar: (row) => row.events / most,
        link: rowLink(context, by),
        current: isChosen(context, by),
        none: !wanted
          ? 'Nothing in these days.'
          : cursor === null
            ? 'Nothing matches.'
            : 'Nothing that was loaded matches.',
      }),
    );
    more.hidden = cursor === null || found.length >= MAX_SHOWN;
    fill(said, cursor !== null && found.length >= MAX_SHOWN ? `The first ${number(found.length)}.` : '');
  };
  search.addEventListener('input', () => {
    setQuietly({ q: search.value.trim() || undefined });
    paint();
  });
  more.addEventListener('click', () => {
    if (cursor === null) return;
    const path = rowsPath(context, by, { limit: MOST, cursor, compare: true });
    void whileBusy(more, async () => {
      try {
        const next = rowsOf(await context.get<Breakdown | Answer>(path));
        state.more = true;
        found.push(...next.rows);
        cursor = next.nextCursor;
        paint();
        // All is there: the button goes, and the table has the focus.
        if (more.hidden) place.querySelector<HTMLElement>('.table-scroll')?.focus({ preventScroll: true });
      } catch (error) {
        if (!context.signal.aborted) fill(said, problemText(error));
      }
    });
  });
  paint();
  return h('div', { class: 'searched' }, search, place, more, said);
}

/** By how much a row changed; of one that came by a button nothing is known. */
const CHANGE = {
  name: 'Change',
  value: ({ events, before }: KeyRow) => (before ? events / before - 1 : -2),
  show: ({ events, before }: KeyRow) =>
    before === undefined ? '–' : before === 0 ? h('span', { class: 'delta' }, 'new') : delta({ now: events, before }),
  title: 'Against the days that it is compared with',
  minor: true,
};
