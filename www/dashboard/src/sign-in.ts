// Sign in: a read token, and an admin token for who has one.
import { Problem, call } from './api';
import { fill, h } from './dom';
import { ABOUT, type AboutSite, signIn, signOut, siteOf } from './session';
import { mark } from './ui/mark';
import { problemText } from './ui/states';

/** The form; `done` is called once the token was taken. */
export function signInForm(why: string, done: () => void): HTMLElement {
  const field = (id: string, label: string, hint: string): [HTMLInputElement, HTMLElement] => {
    // Not a password of a person: nothing should offer to keep it.
    const input = h('input', {
      id,
      type: 'password',
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-describedby': `${id}-hint`,
      'data-1p-ignore': true,
    });
    return [
      input,
      h(
        'div',
        { class: 'field' },
        h('label', { for: id }, label),
        input,
        h('p', { id: `${id}-hint`, class: 'hint' }, hint),
      ),
    ];
  };
  const [read, readField] = field('read-token', 'Read token', 'Begins with slr_; reads one site.');
  const [admin, adminField] = field(
    'admin-token',
    'Admin token',
    'Begins with sla_. For settings, erasure and dead letters.',
  );
  const said = h('p', { class: 'bad', role: 'alert' }, why);
  const button = h('button', { type: 'submit', class: 'button primary' }, 'Open dashboard');
  const form = h(
    'form',
    { class: 'sign-in' },
    h('h1', { class: 'brand' }, mark(), 'Shoreline'),
    h('p', { class: 'soft' }, 'Paste a token to see your site. It is kept in this tab, and gone with it.'),
    readField,
    h('details', null, h('summary', null, 'I am an administrator'), adminField),
    said,
    button,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void check();
  });
  const check = async (): Promise<void> => {
    const tokens = { read: read.value.trim(), admin: admin.value.trim() };
    if (!siteOf(tokens.read) || tokens.read.startsWith('slv_'))
      return complain('This is no read token: it begins with slr_ and the site’s name.', read);
    button.disabled = true;
    fill(said);
    signIn(tokens);
    // Which of the two is being tried.
    let tried = read;
    try {
      const { timeZone } = await call<AboutSite>(ABOUT);
      signIn({ ...tokens, zone: timeZone ?? undefined });
      tried = admin;
      if (tokens.admin) await call('/v1/sites', { admin: true });
      done();
    } catch (error) {
      signOut();
      const refused = error instanceof Problem && (error.status === 401 || error.status === 403);
      complain(
        refused ? `Shoreline does not know this ${tried === read ? 'read' : 'admin'} token.` : problemText(error),
        tried,
      );
    } finally {
      button.disabled = false;
    }
  };
  const complain = (text: string, input: HTMLInputElement): void => {
    fill(said, text);
    input.focus();
  };
  return h('main', { id: 'main', class: 'sign-in-page' }, form);
}
