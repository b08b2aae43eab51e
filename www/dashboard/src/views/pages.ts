// Pages & sources: what was seen, where visitors come from, with what, and when.
import { h } from '../dom';
import { dimensionPanel } from '../ui/dimension';
import { headline } from '../ui/headline';
import { tabs } from '../ui/tabs';
import type { View } from '../view';

/** What one can look at here; features and errors have views of their own. */
const TABS = [
  ['page', 'Pages'],
  ['entry_page', 'Entry pages'],
  ['exit_page', 'Exit pages'],
  ['referrer', 'Referrers'],
  ['utm_source', 'Campaign sources'],
  ['utm_medium', 'Media'],
  ['utm_campaign', 'Campaigns'],
  ['utm_term', 'Terms'],
  ['utm_content', 'Contents'],
  ['country', 'Countries'],
  ['region', 'Regions'],
  ['browser', 'Browsers'],
  ['os', 'Systems'],
  ['device', 'Devices'],
  ['platform', 'Platforms'],
  ['source', 'Senders'],
  ['outbound', 'Outbound links'],
  ['download', 'Downloads'],
] as const;

export const view: View = {
  show(context) {
    const by = TABS.find(([name]) => name === context.params.get('by'))?.[0] ?? 'page';
    context.root.append(h('div', { class: 'wide' }, tabs('What to look at', 'by', by, TABS, { q: undefined })));
    // Of what it is narrowed to, the figures too.
    if (context.filters.length > 0) context.root.append(headline(context));
    context.root.append(dimensionPanel(context, by));
  },
};
