// Pages & sources: what was seen, where visitors come from, and with what.
import { h } from '../dom';
import { dimensionPanel } from '../ui/dimension';
import { tabs } from '../ui/tabs';
import type { View } from '../view';

/** What one can look at here; features and errors have views of their own. */
const TABS = [
  ['page', 'Pages'],
  ['referrer', 'Referrers'],
  ['utm_source', 'Campaign sources'],
  ['utm_medium', 'Media'],
  ['utm_campaign', 'Campaigns'],
  ['country', 'Countries'],
  ['browser', 'Browsers'],
  ['os', 'Systems'],
  ['device', 'Devices'],
  ['platform', 'Platforms'],
  ['source', 'Senders'],
] as const;

export const view: View = {
  show(context) {
    const by = TABS.find(([name]) => name === context.params.get('by'))?.[0] ?? 'page';
    context.root.append(
      h('div', { class: 'wide' }, tabs('What to look at', 'by', by, TABS, { key: undefined, q: undefined })),
      dimensionPanel(context, by),
    );
  },
};
