// Funnels, retention, journeys: what users do one after the other.
import { tabs } from '../ui/tabs';
import type { View } from '../view';
import { showFunnel } from './funnels/funnel';
import { showJourneys } from './funnels/journeys';
import { showRetention } from './funnels/retention';

const SHOWN = { funnel: showFunnel, retention: showRetention, journeys: showJourneys } as const;

const isTab = (name: string): name is keyof typeof SHOWN => Object.hasOwn(SHOWN, name);

export const view: View = {
  show(context) {
    const asked = context.params.get('tab') ?? '';
    const tab = isTab(asked) ? asked : 'funnel';
    const bar = tabs('Question', 'tab', tab, [
      ['funnel', 'Funnel'],
      ['retention', 'Retention'],
      ['journeys', 'Journeys'],
    ]);
    bar.classList.add('wide');
    context.root.append(bar);
    SHOWN[tab](context);
  },
};
