// How many are here right now: a link to the view that shows them.
import type { Live } from '../answers';
import { fill, h } from '../dom';
import { number } from '../format';
import { href } from '../place';
import type { Context } from '../view';

/** How often it is asked, milliseconds. */
const EVERY_MS = 30_000;

/** The badge; empty until the first answer. */
export function nowBadge({ get, signal }: Context): HTMLElement {
  const badge = h('a', { class: 'now-badge', href: href({ view: 'now' }) });
  const load = async (): Promise<void> => {
    if (document.visibilityState !== 'visible') return;
    // Without an answer the last one stands; the panels say what is wrong.
    const live = await get<Live>('/v1/analytics/live').catch(() => undefined);
    if (live)
      fill(badge, h('span', { class: 'pulse', 'aria-hidden': 'true' }), `${number(live.activeUsers)} active now`);
  };
  const timer = setInterval(() => void load(), EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  void load();
  return badge;
}
