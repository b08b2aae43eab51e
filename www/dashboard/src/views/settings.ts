// Settings: sites, keys, the snippet, users' data, imports. All but the last need the admin token.
import { announce, h } from '../dom';
import { href } from '../place';
import { adminGate, isAdmin, lockAgain } from '../ui/admin';
import { tabs } from '../ui/tabs';
import type { View } from '../view';
import { importsPanel } from './settings/imports';
import { keysPanel } from './settings/keys';
import { linksPanel } from './settings/links';
import { peoplePanels } from './settings/people';
import { sitePanel } from './settings/site-form';
import { sitesPanel } from './settings/sites';
import { snippetPanel } from './settings/snippet';

const PARTS = ['site', 'keys', 'links', 'snippet', 'people', 'imports'] as const;

export const view: View = {
  show(context) {
    const { root, params } = context;
    const part = PARTS.find((name) => name === params.get('part')) ?? 'site';
    const site = params.get('site') ?? context.site;
    const bar = tabs(
      'Settings',
      'part',
      part,
      [
        ['site', 'Sites'],
        ['keys', 'Keys'],
        ['links', 'Shared links'],
        ['snippet', 'Snippet'],
        ['people', 'Users’ data'],
        ['imports', 'Imports'],
      ],
      { new: undefined },
    );
    root.append(
      h(
        'div',
        { class: 'settings-bar wide' },
        bar,
        isAdmin() &&
          h(
            'button',
            { type: 'button', id: 'lock', class: 'button small', on: { click: lock } },
            'Forget the admin token',
          ),
      ),
    );
    if (part === 'imports') return root.append(importsPanel(context));
    if (part === 'snippet') return root.append(snippetPanel(context, site));
    if (!isAdmin())
      return root.append(
        adminGate(
          context,
          'Administration',
          'Sites, keys, erasure and export need the admin token of this deployment.',
        ),
      );
    if (part === 'keys') return root.append(siteLine(site), keysPanel(context, site));
    if (part === 'links') return root.append(siteLine(site), linksPanel(context, site));
    if (part === 'people') return root.append(siteLine(site), ...peoplePanels(context, site));
    root.append(sitesPanel(context, site), sitePanel(context, site));
  },
};

function lock(): void {
  lockAgain();
  announce('The admin token is forgotten');
}

/** Which site it is about. */
const siteLine = (site: string): HTMLElement =>
  h(
    'p',
    { class: 'wide site-line' },
    'Site ',
    h('b', null, site),
    '. ',
    h('a', { href: href({ part: undefined }) }, 'Choose another'),
  );
