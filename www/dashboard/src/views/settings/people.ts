// A user's data: export and erasure.
import type { StoredEvent } from '../../answers';
import { call, save } from '../../api';
import { announce, fill, h } from '../../dom';
import { number } from '../../format';
import { ask } from '../../ui/dialog';
import { form, input } from '../../ui/form';
import type { Context } from '../../view';

/** `GET /v1/analytics/users/{userId}/export` */
interface Export {
  userId: string;
  profile: unknown;
  events: StoredEvent[];
  nextCursor: string | null;
}

/** Events a page of an export: as many as the API gives. */
const PAGE = 500;
/** Pages at most: a million events, some hundred megabytes in the tab. */
const MAX_PAGES = 2_000;
/** An erasure makes 20,000 events nameless a call; so many calls at most. */
const MAX_CALLS = 500;

const pathOf = (user: string, what: string, site: string): string =>
  `/v1/analytics/users/${encodeURIComponent(user)}${what}?siteId=${encodeURIComponent(site)}`;

/** The panels. User ids are personal: they stay out of the URL. */
export function peoplePanels(context: Context, site: string): HTMLElement[] {
  return [exportPanel(context, site), erasePanel(context, site)];
}

const box = (title: string, note: string, content: HTMLElement): HTMLElement =>
  h(
    'section',
    { class: 'panel half', 'aria-label': title },
    h('header', { class: 'panel-head' }, h('h2', null, title)),
    h('p', { class: 'panel-note' }, note),
    content,
  );

function exportPanel({ signal }: Context, site: string): HTMLElement {
  const user = input(
    { name: 'export-user', label: 'User id', hint: 'As the pages or services sent it.' },
    { required: true, maxlength: 1000 },
  );
  const how = h('p', { class: 'soft', role: 'status' });
  const run = async (): Promise<HTMLElement> => {
    const id = user.control.value.trim();
    const pages: string[] = [];
    let [events, profile, cursor]: [number, unknown, string | null] = [0, null, null];
    for (let n = 0; n < MAX_PAGES; n += 1) {
      const page: Export = await call<Export>(
        `${pathOf(id, '/export', site)}&limit=${PAGE}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
        { admin: true, signal },
      );
      profile = page.profile;
      events += page.events.length;
      if (page.events.length > 0) pages.push(page.events.map((event) => JSON.stringify(event)).join(',\n'));
      cursor = page.nextCursor;
      fill(how, `${number(events)} events so far`);
      if (cursor === null) break;
    }
    fill(how);
    if (events === 0) return h('p', null, 'Nothing is stored of this user.');
    const head =
      `{"siteId":${JSON.stringify(site)},"userId":${JSON.stringify(id)},"profile":${JSON.stringify(profile)},` +
      `"complete":${String(cursor === null)},"events":[\n`;
    save(new Blob([head, pages.join(',\n'), '\n]}\n'], { type: 'application/json' }), `${site}-user-export.json`);
    return cursor === null
      ? h('p', { class: 'good' }, `${number(events)} events are in the file.`)
      : h('p', { class: 'warn' }, `The first ${number(events)} events are in the file. There are more: use the API.`);
  };
  return box(
    'Export',
    'All that is stored of one user, as a JSON file.',
    form({ label: 'Export', fields: [user], more: how, verb: 'Export', run }),
  );
}

function erasePanel({ signal }: Context, site: string): HTMLElement {
  const user = input(
    { name: 'erase-user', label: 'User id', hint: 'As the pages or services sent it.' },
    { required: true, maxlength: 1000 },
  );
  const run = async (): Promise<HTMLElement | null> => {
    const id = user.control.value.trim();
    let [events, complete] = [0, false];
    const done = await ask({
      title: 'Erase this user?',
      text: [
        h(
          'p',
          null,
          'The stored events of ',
          h('b', { class: 'quoted' }, id),
          ` at ${site} become nameless, and what they hold is deleted. What is stored later goes the same way. ` +
            'No count changes.',
        ),
        h('p', null, h('b', null, 'This cannot be undone.')),
      ],
      verb: 'Erase',
      typed: id,
      signal,
      run: async (say) => {
        for (let n = 0; n < MAX_CALLS && !complete; n += 1) {
          const erased = await call<{ events: number; complete: boolean }>(pathOf(id, '', site), {
            admin: true,
            method: 'DELETE',
            signal,
          });
          events += erased.events;
          complete = erased.complete;
          say(`${number(events)} events so far`);
        }
      },
    });
    if (!done) return null;
    user.control.value = '';
    const text = complete
      ? `Erased: ${number(events)} events were made nameless.`
      : `${number(events)} events were made nameless, and there are more: erase again.`;
    announce(text);
    return h(
      'div',
      null,
      h('p', { class: complete ? 'good' : 'warn' }, text),
      h(
        'p',
        { class: 'hint' },
        'What is in the lake already is erased by ',
        h('code', null, 'npm run lake -- erase'),
        '.',
      ),
    );
  };
  return box(
    'Erasure',
    'Takes one user out of the stored events, for good.',
    form({ label: 'Erasure', fields: [user], verb: 'Erase…', danger: true, run }),
  );
}
