// The door of a shared link: opens it, asks for its password where it has one, and says where it is no more.
import { Problem, call } from './api';
import { fill, h } from './dom';
import { ABOUT, type AboutSite, sharedHash, signIn, signOut, siteOf } from './session';
import { form, input } from './ui/form';
import { mark } from './ui/mark';
import { problemText } from './ui/states';

/** Opens the link of this page's address, and calls `enter` once it is open. */
export function door(app: HTMLElement, why: string, enter: () => void): Promise<void> {
  document.title = 'Shared · Shoreline';
  const read = sharedHash.slice(1);
  const open = async (password?: string): Promise<void> => {
    const tokens = { read, admin: '', ...(password !== undefined && { password }) };
    signIn(tokens);
    try {
      const { timeZone, link } = await call<AboutSite>(ABOUT);
      signIn({ ...tokens, zone: timeZone ?? undefined, link: link ?? undefined });
    } catch (error) {
      signOut();
      throw error;
    }
    enter();
  };
  const say = (...what: (string | HTMLElement)[]): void =>
    fill(
      app,
      h(
        'main',
        { id: 'main', class: 'sign-in-page', tabindex: -1 },
        h('div', { class: 'sign-in' }, h('h1', { class: 'brand' }, mark(), 'Shoreline'), what),
      ),
    );
  const askPassword = (): void => {
    const password = input(
      {
        name: 'password',
        label: 'Password',
        hint: 'Whoever gave you the link knows it. It is kept in this page alone.',
      },
      { type: 'password', required: true, maxlength: 100 },
    );
    const ask = form({
      label: 'Open the shared dashboard',
      fields: [password],
      verb: 'Open',
      run: async () => {
        try {
          await open(password.control.value);
        } catch (error) {
          if (!isPassword(error)) throw error;
          password.complain('This is not the password.');
          password.control.focus();
        }
        return null;
      },
    });
    say(h('p', { class: 'soft' }, 'This dashboard was shared with a password.'), ask);
    password.control.focus();
  };
  if (!siteOf(read)) {
    say(h('p', { class: 'bad', role: 'alert' }, 'This address is not whole: open the link as it was given to you.'));
    return Promise.resolve();
  }
  return open().catch((error: unknown) => {
    if (isPassword(error)) return askPassword();
    const isGone = error instanceof Problem && (error.status === 401 || error.status === 403);
    const text = isGone ? 'This link is not known, has ended or was revoked.' : problemText(error);
    say(h('p', { class: 'bad', role: 'alert' }, why, text));
  });
}

const isPassword = (error: unknown): boolean => error instanceof Problem && error.code === 'password_required';
