// Data quality: what became of every event, and what the collector did.
import { tabs } from '../ui/tabs';
import type { Context, View } from '../view';
import { deadLetters } from './quality/dead-letters';
import { healthPanel } from './quality/health';
import { hoursOf } from './quality/hours';
import { operationsPanel } from './quality/operations';
import { outcomesPanel } from './quality/outcomes';
import { reconciliationPanel } from './quality/reconciliation';
import { servicesPanel } from './quality/services';

export const view: View = {
  show(context) {
    context.root.append(
      hoursChoice(context),
      outcomesPanel(context),
      reconciliationPanel(context),
      healthPanel(context),
      deadLetters(context),
      servicesPanel(context),
      operationsPanel(context),
    );
  },
};

function hoursChoice({ params }: Context): HTMLElement {
  const bar = tabs('Hours', 'hours', String(hoursOf(params)), [
    ['24', 'Last 24 hours'],
    ['168', 'Last 7 days'],
    ['744', 'Last 31 days'],
  ]);
  bar.classList.add('wide');
  return bar;
}
