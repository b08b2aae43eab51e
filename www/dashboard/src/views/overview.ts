// Overview: who came, and how that changed.
import { breakdownPanel } from '../ui/breakdown';
import { headline } from '../ui/headline';
import { nowBadge } from '../ui/now-badge';
import type { View } from '../view';

/** Rows of each table. */
const ROWS = 8;

export const view: View = {
  show(context) {
    context.root.append(
      headline(context, context.shared ? {} : { tools: nowBadge(context) }),
      ...['page', 'referrer', 'feature', 'country'].map((by) => breakdownPanel(context, { by, limit: ROWS })),
    );
  },
};
