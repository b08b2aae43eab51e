// What is around the views: sign in, navigation, the choice of days, theme; and the change of views.
import { Problem, REFUSED } from './api';
import { forget, reader } from './reads';
import { announce, fill, focusMain, giveFocus, h, holdFocus, s } from './dom';
import { filterBar, filterButton } from './filter-bar';
import { filtersOf } from './filters';
import { go, href, params, setQuietly, watchPlace } from './place';
import { compareOf, intervalOf, rangeOf } from './range';
import { rangePicker } from './range-picker';
import { isShared, session, signOut, siteOf } from './session';
import { signInForm } from './sign-in';
import { themeSwitch } from './theme-switch';
import { mark } from './ui/mark';
import { isNew, onboarding } from './ui/onboarding';
import { failure, skeleton } from './ui/states';
import { type Context, type Entry, VIEWS } from './view';
import { UTC, zoneOf } from './zone';

const MINUTE_MS = 60_000;

/** The views that may be seen: of a shared link, those that were chosen. */
const views = (): readonly Entry[] => {
  const chosen = session()?.link?.views;
  return chosen ? VIEWS.filter(({ name }) => chosen.includes(name)) : VIEWS;
};

const entryOf = (name: string | null): Entry => views().find((entry) => entry.name === name) ?? views()[0] ?? VIEWS[0];

/** Runs the dashboard in `app`. */
export function shell(app: HTMLElement): void {
  let leave = new AbortController();
  let shown = '';
  // The last day that is shown.
  let end = '';
  // Whether somebody is signed in, and not at the door.
  let inside = false;
  // Whether the site is known to have events.
  let begun = false;
  const place = h('div', null);
  const nav = h('nav', { class: 'nav', 'aria-label': 'Views' });
  const tools = h('div', { class: 'head-tools' });
  const title = h('h1', null);
  const bar = h('div', { class: 'filter-bar' });

  const leaveSession = (why: string): void => {
    leave.abort();
    signOut();
    forget();
    askIn(why);
  };
  const askIn = (why: string): void => {
    inside = false;
    shown = '';
    begun = false;
    const enter = (): void => {
      begin();
      focusMain();
    };
    if (isShared) {
      void import('./shared').then(({ door }) => door(app, why, enter));
      return;
    }
    document.title = 'Sign in · Shoreline';
    fill(app, signInForm(why, enter));
    document.getElementById('read-token')?.focus();
  };
  const begin = (): void => {
    inside = true;
    const site = siteOf(session()?.read ?? '');
    const out = h('button', { type: 'button', class: 'button', on: { click: () => leaveSession('') } }, 'Sign out');
    const side = h(
      'header',
      { class: 'side' },
      brand(),
      h('p', { class: 'site', title: 'The site that you read' }, site),
      nav,
      h('div', { class: 'side-foot' }, themeSwitch(), !isShared && out),
    );
    fill(
      app,
      side,
      h('main', { id: 'main', class: 'body', tabindex: -1 }, h('div', { class: 'head' }, title, tools), bar, place),
    );
    change();
  };

  const change = (): void => {
    const tokens = session();
    if (!tokens) return;
    leave.abort();
    leave = new AbortController();
    const { signal } = leave;
    const zone = zoneOf(params());
    // A link that goes to somebody else shows the same days there.
    if (zone !== UTC || params().has('tz')) setQuietly({ tz: zone });
    const query = params();
    const entry = entryOf(query.get('view'));
    const another = entry.name !== shown;
    holdFocus();
    const range = rangeOf(query, Date.now(), zone);
    const filters = filtersOf(query);
    const root = h('div', { class: `view view-${entry.name}` });
    const context: Context = {
      root,
      params: query,
      range,
      zone,
      interval: intervalOf(query, range),
      compare: compareOf(query),
      filters,
      plain: zone === UTC && filters.length === 0 && !tokens.link?.filters,
      shared: isShared,
      site: siteOf(tokens.read),
      get: reader(signal),
      signal,
    };
    shown = entry.name;
    end = range.end;
    document.title = `${entry.title} · Shoreline`;
    title.textContent = entry.title;
    fill(
      nav,
      views().map((other) => navLink(other, other === entry)),
    );
    nav.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    fill(tools, entry.ranged && [filterButton(context), rangePicker(context)]);
    fill(bar, filterBar(context, entry));
    if (another) {
      fill(root, skeleton(12));
      fill(place, root);
      scrollTo(0, 0);
      announce(entry.title);
    }
    const loaded = entry.load().then(
      ({ view }) => {
        if (signal.aborted) return;
        const top = scrollY;
        fill(root);
        view.show(context);
        if (!another) fill(place, root);
        scrollTo(0, another ? 0 : top);
        giveFocus(app);
        if (!begun && !entry.early && !isShared) void welcome(root, tokens.read, signal);
      },
      () => {
        if (signal.aborted) return;
        // A new version may have taken its place.
        fill(
          place,
          failure(
            new Problem(
              0,
              'not_loaded',
              'This view could not be loaded. The network may be gone, or the dashboard newer than this page.',
            ),
            () => location.reload(),
          ),
        );
      },
    );
    loaded.catch((error: unknown) => {
      console.error(error);
      fill(place, failure(error, change));
    });
  };

  const welcome = async (root: HTMLElement, token: string, signal: AbortSignal): Promise<void> => {
    const none = await isNew(reader(signal)).catch(() => undefined);
    if (signal.aborted || none === undefined) return;
    begun = !none;
    if (none) {
      fill(
        root,
        onboarding(siteOf(token), signal, () => {
          begun = true;
          go({ view: 'now' });
        }),
      );
    }
  };

  watchPlace(change);
  setInterval(() => {
    // A new day begins: the same words mean other days.
    const query = params();
    if (inside && entryOf(shown).ranged && rangeOf(query, Date.now(), zoneOf(query)).end !== end) change();
  }, MINUTE_MS);
  addEventListener(
    REFUSED,
    () => inside && leaveSession(isShared ? '' : 'The token was refused: it may have been revoked.'),
  );
  if (session()) begin();
  else askIn('');
}

const brand = (): HTMLElement =>
  h('a', { class: 'brand', href: href({ view: entryOf(null).name }) }, mark(), h('span', null, 'Shoreline'));

const navLink = ({ name, title, icon }: Entry, current: boolean): HTMLElement =>
  h(
    'a',
    { id: `nav-${name}`, href: href({ view: name }), 'aria-current': current ? 'page' : undefined },
    s('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true' }, s('path', { d: icon })),
    h('span', null, title),
  );
