// The keys of a site: makes, replaces and revokes them; a key is shown once.
import { call } from '../../api';
import { forget } from '../../reads';
import { announce, fill, h } from '../../dom';
import { moment } from '../../format';
import { session, signIn } from '../../session';
import { ask } from '../../ui/dialog';
import { field, form } from '../../ui/form';
import { copyable } from '../../ui/onboarding';
import { panel } from '../../ui/panel';
import { table } from '../../ui/table';
import type { Context } from '../../view';

/** A key as it is listed. */
interface Key {
  keyId: string;
  kind: Kind;
  createdAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
}

/** A key as it is shown, once. */
interface NewKey {
  keyId: string;
  siteId: string;
  kind: Kind;
  key: string;
}

type Kind = 'browser' | 'source' | 'read';

const KINDS: readonly (readonly [kind: Kind, what: string])[] = [
  ['browser', 'Browser: for pages, public'],
  ['source', 'Source: for services, secret'],
  ['read', 'Read: for this dashboard, secret'],
];

/** How long a replaced key may live on, seconds. */
const OVERLAPS: readonly (readonly [seconds: number, text: string])[] = [
  [0, 'At once'],
  [3_600, 'In an hour'],
  [86_400, 'In a day'],
  [604_800, 'In a week'],
  [2_592_000, 'In 30 days'],
];

const pathOf = (site: string): string => `/v1/sites/${encodeURIComponent(site)}/keys`;

/** The list, and what makes a key. */
export function keysPanel(context: Context, site: string): HTMLElement {
  const path = pathOf(site);
  const place = h('div', { class: 'keys wide', tabindex: -1 });
  const fresh = h('div', { class: 'new-key', role: 'status' });
  const maker = newKeyForm(context, site, (made) => {
    fill(fresh, shownOnce(context, made));
    list.dispatchEvent(new Event('reload'));
  });
  const ended = (): void => {
    // The button goes.
    place.focus();
    list.dispatchEvent(new Event('reload'));
  };
  const list = panel<{ keys: Key[] }>(context, {
    title: 'Keys',
    lines: 8,
    live: false,
    note: 'A key itself is stored nowhere: what is shown is the beginning of its hash.',
    load: (get) => get<{ keys: Key[] }>(path),
    render: ({ keys }) =>
      table<Key>({
        caption: 'Keys',
        rows: keys,
        columns: [
          { name: 'Key', value: ({ keyId }) => keyId, show: ({ keyId }) => h('code', null, keyId) },
          { name: 'Kind', value: ({ kind }) => kind },
          {
            name: 'Made',
            value: ({ createdAt }) => createdAt,
            show: ({ createdAt }) => moment(createdAt),
            minor: true,
          },
          {
            name: 'State',
            value: (key) => stateOf(key, Date.now()),
            show: (key) => h('span', { class: isOver(key, Date.now()) ? 'soft' : '' }, stateOf(key, Date.now())),
          },
          {
            name: 'End',
            value: () => '',
            show: (key) => !isOver(key, Date.now()) && endButton(context, site, key, ended),
          },
        ],
        none: 'No keys yet.',
      }),
  });
  place.append(
    h(
      'section',
      { class: 'panel', 'aria-label': 'New key' },
      h('header', { class: 'panel-head' }, h('h2', null, 'New key')),
      maker,
      fresh,
    ),
    list,
  );
  return place;
}

const endOf = ({ expiresAt, revokedAt }: Key): number => Math.min(expiresAt ?? Infinity, revokedAt ?? Infinity);
const isOver = (key: Key, now: number): boolean => endOf(key) <= now;

function stateOf(key: Key, now: number): string {
  const end = endOf(key);
  if (end === Infinity) return 'In use';
  return end <= now ? `Ended ${moment(end)}` : `Ends ${moment(end)} UTC`;
}

function newKeyForm({ signal }: Context, site: string, made: (key: NewKey) => void): HTMLElement {
  const kind = field({
    name: 'kind',
    label: 'Kind',
    control: h(
      'select',
      null,
      KINDS.map(([value, text]) => h('option', { value }, text)),
    ),
  });
  return form({
    label: 'New key',
    fields: [kind],
    verb: 'Make a key',
    run: async () => {
      made(await call<NewKey>(pathOf(site), { admin: true, body: { kind: kind.control.value }, signal }));
      return null;
    },
  });
}

/** The key, with what to do with it. It is in the page until one leaves, and nowhere else. */
function shownOnce(context: Context, { key, kind, siteId }: NewKey): HTMLElement {
  announce('The key is made. It is shown this once.');
  const open = (): void => {
    signIn({ read: key, admin: session()?.admin ?? '' });
    forget();
    location.reload();
  };
  return h(
    'div',
    { class: 'shown-key' },
    h(
      'p',
      null,
      h('b', null, `A ${kind} key of ${siteId}, shown this once.`),
      ' Put it where it belongs before you leave this page.',
    ),
    copyable(key, `The ${kind} key`),
    kind === 'read' &&
      siteId !== context.site &&
      h('button', { type: 'button', class: 'button', on: { click: open } }, `Open the dashboard of ${siteId} with it`),
  );
}

function endButton({ signal }: Context, site: string, key: Key, done: () => void): HTMLElement {
  const end = async (): Promise<void> => {
    const list = h(
      'select',
      { id: 'key-after' },
      OVERLAPS.map(([value, text]) => h('option', { value }, text)),
    );
    const asked = await ask({
      title: `Revoke this ${key.kind} key?`,
      text: [
        h(
          'p',
          null,
          'Whoever uses ',
          h('code', null, key.keyId),
          ' is refused from then on. To replace it, make a new key first, and let this one live until all have ' +
            'the new one.',
        ),
        h('p', { class: 'field' }, h('label', { for: 'key-after' }, 'It ends'), list),
      ],
      verb: 'Revoke',
      signal,
      run: async () => {
        await call(`${pathOf(site)}/${encodeURIComponent(key.keyId)}?after=${list.value}`, {
          admin: true,
          method: 'DELETE',
          signal,
        });
      },
    });
    if (!asked) return;
    announce('The key ends. It may work for a minute more.');
    done();
  };
  return h(
    'button',
    {
      type: 'button',
      id: `end-${key.keyId}`,
      class: 'button small danger',
      'aria-label': `Revoke the ${key.kind} key ${key.keyId}`,
      on: { click: () => void end() },
    },
    'Revoke',
  );
}
