// Pages & sources: what was seen, where visitors come from, with what, and when.
import { h } from '../dom';
import { ROWS, dimensionPanel } from '../ui/dimension';
import { heatPanel } from '../ui/heat';
import { headline } from '../ui/headline';
import { skeleton } from '../ui/states';
import { tabs } from '../ui/tabs';
import type { Context, View } from '../view';

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
  ['when', 'When'],
] as const;

export const view: View = {
  show(context) {
    const by = TABS.find(([name]) => name === context.params.get('by'))?.[0] ?? 'page';
    context.root.append(h('div', { class: 'wide' }, tabs('What to look at', 'by', by, TABS, { q: undefined })));
    // Of what it is narrowed to, the figures too.
    if (context.filters.length > 0) context.root.append(headline(context));
    if (by === 'country') context.root.append(mapPlace(context));
    context.root.append(by === 'when' ? heatPanel(context) : dimensionPanel(context, by));
  },
};

/** The map: its lands are a chunk of their own. Without it the table is there. */
function mapPlace(context: Context): HTMLElement {
  const place = h('div', { class: 'wide map-place' }, skeleton(20));
  import('../ui/map').then(
    ({ mapPanel }) => !context.signal.aborted && place.replaceChildren(mapPanel(context, ROWS)),
    () => place.remove(),
  );
  return place;
}
