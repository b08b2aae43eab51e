// What needs the admin token: asks for it where it is not there.
import { call } from '../api';
import { forget } from '../reads';
import { h } from '../dom';
import { go } from '../place';
import { session, signIn } from '../session';
import type { Context } from '../view';
import { form, secret } from './form';

/** Whether there is an admin token. */
export const isAdmin = (): boolean => Boolean(session()?.admin);

/** Asks for the admin token, says for what, and shows the view anew once it was taken. */
export function adminGate({ signal }: Context, title: string, what: string): HTMLElement {
  const token = secret({
    name: 'admin-token',
    label: 'Admin token',
    hint: 'Begins with sla_. It is kept in this tab alone, and gone with it.',
  });
  const ask = form({
    label: title,
    fields: [token],
    verb: 'Unlock',
    run: async () => {
      const admin = token.control.value.trim();
      await call('/v1/sites', { key: admin, signal });
      signIn({ read: '', ...session(), admin });
      go({});
      return null;
    },
  });
  return h(
    'section',
    { class: 'panel wide gate', 'aria-label': title },
    h('header', { class: 'panel-head' }, h('h2', null, title)),
    h('p', { class: 'panel-note' }, what),
    ask,
  );
}

/** Forgets the admin token and what was read with it. */
export function lockAgain(): void {
  signIn({ read: '', ...session(), admin: '' });
  forget();
  go({});
}
