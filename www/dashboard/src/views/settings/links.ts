// The shared links of a site: makes and revokes them; a link is shown once.
import { call } from '../../api';
import { announce, fill, h } from '../../dom';
import { type Filter, whole, words } from '../../filters';
import { moment } from '../../format';
import { ask } from '../../ui/dialog';
import { field, form, input } from '../../ui/form';
import { copyable } from '../../ui/onboarding';
import { panel } from '../../ui/panel';
import { table } from '../../ui/table';
import { type Context, VIEWS } from '../../view';

/** A link as it is listed. */
interface Link {
  linkId: string;
  name: string;
  views: string[];
  filters: Filter | null;
  hasPassword: boolean;
  origins: string[];
  createdAt: number;
  expiresAt: number | null;
}

/** A link as it is shown, once. */
interface NewLink extends Link {
  token: string;
  path: string;
}

/** What shows single events or users, or changes something, is shared with nobody. */
const UNSHARED = ['now', 'quality', 'settings'];
const SHARED = VIEWS.filter(({ name }) => !UNSHARED.includes(name));

const titleOf = (view: string): string => VIEWS.find(({ name }) => name === view)?.title ?? view;
const pathOf = (site: string): string => `/v1/sites/${encodeURIComponent(site)}/links`;

/** The list, and what makes a link. */
export function linksPanel(context: Context, site: string): HTMLElement {
  const place = h('div', { class: 'keys wide', tabindex: -1 });
  const fresh = h('div', { class: 'new-key', role: 'status' });
  const reload = (): void => void list.dispatchEvent(new Event('reload'));
  const maker = newLinkForm(context, site, (made) => {
    fill(fresh, shownOnce(made));
    reload();
  });
  const list = panel<{ links: Link[] }>(context, {
    title: 'Shared links',
    lines: 8,
    live: false,
    note: 'Who has a link sees its views, and neither single events nor users. A link itself is stored nowhere.',
    load: (get) => get<{ links: Link[] }>(pathOf(site)),
    render: ({ links }) =>
      table<Link>({
        caption: 'Shared links',
        rows: links,
        columns: [
          { name: 'For', value: ({ name }) => name },
          { name: 'Shows', value: ({ views }) => views.map(titleOf).join(', ') },
          { name: 'Narrowed to', value: ({ filters }) => (filters ? words(filters) : 'Nothing'), minor: true },
          { name: 'Password', value: ({ hasPassword }) => (hasPassword ? 'Yes' : 'No'), minor: true },
          { name: 'Ends', value: endOf },
          {
            name: 'Revoke',
            value: () => '',
            show: (link) =>
              revokeButton(context, site, link, () => {
                // The button goes.
                place.focus();
                reload();
              }),
          },
        ],
        none: 'Nothing is shared.',
      }),
  });
  place.append(
    h(
      'section',
      { class: 'panel', 'aria-label': 'New link' },
      h('header', { class: 'panel-head' }, h('h2', null, 'New link')),
      maker,
      fresh,
    ),
    list,
  );
  return place;
}

function endOf({ expiresAt }: Link): string {
  if (expiresAt === null) return 'Never';
  return `${expiresAt <= Date.now() ? 'Ended' : 'Ends'} ${moment(expiresAt)} UTC`;
}

function newLinkForm(context: Context, site: string, made: (link: NewLink) => void): HTMLElement {
  const filters = whole(context.filters);
  const name = input({ name: 'name', label: 'For whom' }, { required: true, maxlength: 100 });
  const password = input(
    { name: 'password', label: 'Password', hint: 'Empty: none. 8 or more letters, digits and signs of ASCII.' },
    { pattern: '[!-~]{8,100}', maxlength: 100 },
  );
  const days = input(
    { name: 'expiresInDays', label: 'Ends after days', hint: 'Empty: it is good until it is revoked.' },
    { type: 'number', min: 1, max: 3_650, step: 1, inputmode: 'numeric' },
  );
  const origins = field({
    name: 'origins',
    label: 'Pages that may frame it',
    hint: 'Origins, one a line, such as https://wiki.example. Empty: none.',
    control: h('textarea', { rows: 2, spellcheck: 'false', autocomplete: 'off' }),
  });
  const boxes = SHARED.map((view) => ({
    name: view.name,
    title: view.title,
    box: h('input', { id: `share-${view.name}`, type: 'checkbox', checked: view.name === 'overview' }),
  }));
  return form({
    label: 'New link',
    fields: [name, password, days, origins],
    more: [
      h(
        'fieldset',
        { class: 'options' },
        h('legend', null, 'It shows'),
        boxes.map((one) => h('div', { class: 'tick' }, one.box, h('label', { for: one.box.id }, one.title))),
      ),
      h(
        'p',
        { class: 'hint' },
        filters
          ? `Narrowed to what you are filtering to: ${words(filters)}.`
          : 'Of all events: filter a view before you come here to narrow the link to that.',
      ),
    ],
    verb: 'Make a link',
    run: async () => {
      const body = {
        name: name.control.value.trim(),
        views: boxes.filter(({ box }) => box.checked).map((one) => one.name),
        ...(filters && { filters }),
        ...(password.control.value && { password: password.control.value }),
        ...(days.control.value && { expiresInDays: Number(days.control.value) }),
        origins: origins.control.value.split(/\s+/).filter(Boolean),
      };
      made(await call<NewLink>(pathOf(site), { admin: true, body, signal: context.signal }));
      return null;
    },
  });
}

/** The link, and what frames it. Both are in the page until one leaves, and nowhere else. */
function shownOnce({ name, path, origins }: NewLink): HTMLElement {
  announce('The link is made. It is shown this once.');
  const url = `${location.origin}${path}`;
  return h(
    'div',
    { class: 'shown-key' },
    h('p', null, h('b', null, `The link for ${name}, shown this once.`)),
    copyable(url, 'The link'),
    origins.length > 0 &&
      copyable(`<iframe src="${url}" title="Analytics" width="1200" height="900"></iframe>`, 'The frame'),
  );
}

function revokeButton({ signal }: Context, site: string, link: Link, done: () => void): HTMLElement {
  const revoke = async (): Promise<void> => {
    const asked = await ask({
      title: `Revoke the link for ${link.name}?`,
      text: h('p', null, 'Whoever has it sees nothing any more, at once.'),
      verb: 'Revoke',
      signal,
      run: async () => {
        await call(`${pathOf(site)}/${encodeURIComponent(link.linkId)}`, { admin: true, method: 'DELETE', signal });
      },
    });
    if (!asked) return;
    announce('The link is revoked.');
    done();
  };
  return h(
    'button',
    {
      type: 'button',
      id: `revoke-${link.linkId}`,
      class: 'button small danger',
      'aria-label': `Revoke the link for ${link.name}`,
      on: { click: () => void revoke() },
    },
    'Revoke',
  );
}
