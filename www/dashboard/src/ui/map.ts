// The countries that events come from, on a map; the table with the same numbers stands below.
import { valueText } from '../dimensions';
import { h, s } from '../dom';
import { number } from '../format';
import type { Context } from '../view';
import { type KeyRow, type Loaded, isChosen, joined, loadRows, rowLink } from './breakdown';
import { panel } from './panel';
import { HEIGHT, WIDTH, paths } from './world';

/** The faintest and the strongest shade, percent. */
const FAINTEST = 12;
const STRONGEST = 100;

/** The panel; `rows` are as many as the table's, so that both are asked for once. */
export function mapPanel(context: Context, rows: number): HTMLElement {
  return panel<Loaded>(context, {
    title: 'Map',
    class: 'wide',
    lines: 22,
    load: (get) => loadRows(get, context, 'country', rows),
    render: (loaded) => world(context, joined(loaded).rows),
  });
}

function world(context: Context, rows: readonly KeyRow[]): HTMLElement {
  const of = new Map(rows.map((row) => [String(row.key), row]));
  const most = Math.max(...rows.map(({ users }) => users), 1);
  const [link, chosen] = [rowLink(context, 'country'), isChosen(context, 'country')];
  const land = (code: string, d: string): SVGElement => {
    const row = of.get(code);
    if (!row) return s('path', { d });
    // By the root: few countries have far the most.
    const shade = FAINTEST + (STRONGEST - FAINTEST) * Math.sqrt(row.users / most);
    const told = `${valueText('country', code)}: ${number(row.users)} users, ${number(row.events)} events`;
    return s(
      'a',
      {
        id: `land-${code}`,
        href: link(row),
        'aria-label': told,
        'aria-current': chosen(row) ? 'true' : undefined,
        vars: { '--a': `${Math.round(shade)}%` },
      },
      s('title', null, told),
      s('path', { d }),
    );
  };
  // Links last: what is in focus is drawn over its neighbours.
  const lands = [...paths()].sort(([a], [b]) => Number(of.has(a)) - Number(of.has(b)));
  return h(
    'div',
    { class: 'map' },
    s(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'group', 'aria-label': 'Users by country' },
      lands.map(([code, d]) => land(code, d)),
    ),
  );
}
