// All keys of a dimension, searched and compared with the period before; one of them in detail.
import type { Breakdown, BreakdownRow } from '../answers';
import { type Child, fill, h, whileBusy } from '../dom';
import { number, percent, short } from '../format';

import { href, setQuietly } from '../place';
import { previous } from '../range';
import type { Context } from '../view';
import { DIMENSIONS, breakdownPath, keyText } from './breakdown';
import { delta, figures } from './figures';
import { chips } from './filter';
import { panel } from './panel';
import { problemText } from './states';
import { table } from './table';

/** Rows of one call; further ones come by a button. */
const ROWS = 100;
/** As many as the API gives in one call: what the change is looked up in. */
const MOST = 500;
/** So many rows are shown at most; all of them are in the CSV. */
const MAX_SHOWN = 2_000;

/** The panel; `key` of the URL is the row in detail, `q` what is searched. */
export function dimensionPanel(context: Context, by: string): HTMLElement {
  const key = context.params.get('key');
  const [title, one] = DIMENSIONS[by] ?? [by, by];
  const path = breakdownPath(context, by, ROWS);
  const before = breakdownPath({ range: previous(context.range) }, by, MOST);
  // Newer data would take away what was loaded by hand.
  const state = { more: false };
  return panel<[Breakdown, Breakdown]>(context, {
    title,
    class: 'wide last',
    lines: 30,
    tools: chips([['key', one, key === null ? null : keyText(by, key)]]),
    csv: breakdownPath(context, by, MOST),
    live: () => context.range.open && !state.more,
    load: (get) => Promise.all([get<Breakdown>(path), get<Breakdown>(before)]),
    render: ([now, then]) => [key !== null && detail(by, key, now, then), rows(context, by, now, then, key, state)],
  });
}

function detail(by: string, key: string, now: Breakdown, then: Breakdown): Child {
  const row = now.rows.find((one) => one.key === key);
  if (!row)
    return h(
      'p',
      { class: 'panel-note' },
      now.nextCursor === null ? 'It is not in these days.' : `It is not among the first ${ROWS}: see the table below.`,
    );
  const old = then.rows.find((one) => one.key === key);
  const [, , events] = DIMENSIONS[by] ?? [by, by, 'Events'];
  return figures([
    { label: events, value: short(row.events), now: row.events, before: old?.events },
    { label: 'Users', value: short(row.users), now: row.users, before: old?.users },
    { label: `Share of ${number(now.total)}`, value: percent(row.share), now: row.share, before: old?.share },
  ]);
}

function rows(
  context: Context,
  by: string,
  now: Breakdown,
  then: Breakdown,
  key: string | null,
  state: { more: boolean },
): HTMLElement {
  const [title, one, events] = DIMENSIONS[by] ?? [by, by, 'Events'];
  const old = new Map(then.rows.map((row) => [row.key, row.events]));
  // Where the earlier list is cut, a missing key may only be further down.
  const missing = then.nextCursor === null ? 0 : undefined;
  const found = [...now.rows];
  let cursor = now.nextCursor;
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
    const changeOf = (row: BreakdownRow): number => {
      const was = old.get(row.key) ?? missing;
      return was ? row.events / was - 1 : -2;
    };
    fill(
      place,
      table<BreakdownRow>({
        caption: title,
        rows: some,
        columns: [
          { name: one, value: (row) => keyText(by, row.key) },
          { name: events, value: (row) => row.events },
          {
            name: 'Change',
            value: changeOf,
            show: (row) =>
              old.get(row.key) === undefined
                ? missing === 0
                  ? h('span', { class: 'delta' }, 'new')
                  : '–'
                : delta({ now: row.events, before: old.get(row.key) }),
            title: 'Against as many days before',
            minor: true,
          },
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
        link: (row) => href({ key: row.key === key ? undefined : row.key }),
        current: (row) => row.key === key,
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
    const path = breakdownPath(context, by, MOST, cursor);
    void whileBusy(more, async () => {
      try {
        const next = await context.get<Breakdown>(path);
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
