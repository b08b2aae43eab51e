// The users who left a funnel after a step.
import { question } from '../../api';
import { fill, h, whileBusy } from '../../dom';
import { number } from '../../format';
import { href } from '../../place';
import { panel } from '../../ui/panel';
import { empty, problemText } from '../../ui/states';
import type { Context } from '../../view';

/** So many users come at once. */
const ROWS = 50;

/** What a funnel tells of those who left. */
interface Left {
  dropped?: { after: number; users: string[]; nextCursor: string | null };
}

/** The list; a user leads to their latest events. `body` is the funnel's. */
export function leftPanel(context: Context, path: string, body: object, after: number): HTMLElement {
  const asked = (cursor?: string): string =>
    question(path, { ...body, droppedAfter: after, limit: ROWS, ...(cursor !== undefined && { cursor }) });
  return panel<Left>(context, {
    title: `Left after step ${after}`,
    class: 'wide last',
    lines: 12,
    live: false,
    note: 'Users who came this far and no further, in no order. Those who were erased have no id.',
    load: (get) => get<Left>(asked()),
    render: ({ dropped }) => {
      const users = [...(dropped?.users ?? [])];
      let cursor = dropped?.nextCursor ?? null;
      if (users.length === 0 && cursor === null) return empty('Nobody whose id is known.');
      const list = h('ul', { class: 'left-users' });
      const said = h('p', { class: 'footnote', role: 'status' });
      const more = h('button', { type: 'button', class: 'button' }, 'Show more');
      const paint = (): void => {
        fill(
          list,
          users.map((user) => h('li', null, h('a', { href: href({ view: 'now', user }) }, user))),
        );
        fill(said, cursor === null ? '' : `The first ${number(users.length)}.`);
        more.hidden = cursor === null;
      };
      more.addEventListener('click', () => {
        if (cursor === null) return;
        const next = asked(cursor);
        void whileBusy(more, async () => {
          try {
            const found = (await context.get<Left>(next)).dropped;
            users.push(...(found?.users ?? []));
            cursor = found?.nextCursor ?? null;
            paint();
          } catch (error) {
            if (!context.signal.aborted) fill(said, problemText(error));
          }
        });
      });
      paint();
      return [list, more, said];
    },
  });
}
