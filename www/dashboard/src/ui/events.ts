// The latest events: newest first, each with all it holds.
import { LATEST, LATEST_EVENTS, type Recent, type StoredEvent } from '../answers';
import { fill, h } from '../dom';
import { moment, second, typeName } from '../format';
import { href } from '../place';
import type { Context } from '../view';
import { empty, failure, skeleton } from './states';

/** New ones are asked for at most so often, milliseconds; they are stored a second or two after they count. */
const EVERY_MS = 2_500;
/** And so often when nothing seemed to come. */
const ANYWAY_MS = 20_000;

/** The list, narrowed to `type` and `user` of the URL. */
export function eventList(context: Context): { element: HTMLElement; wake: () => void } {
  const query = new URLSearchParams();
  for (const [parameter, name] of [
    ['type', 'eventType'],
    ['user', 'userId'],
  ] as const) {
    const value = context.params.get(parameter);
    if (value) query.set(name, value);
  }
  const element = h('div', { class: 'events' }, skeleton(LATEST_EVENTS));
  const list = h('ol', { class: 'event-list' });
  const kept = new Map<string, HTMLElement>();
  let awake = 0;
  let last = 0;
  let shown = false;

  const show = ({ events }: Recent): void => {
    const items = events.map((event) => kept.get(event.eventId) ?? item(event, shown));
    kept.clear();
    events.forEach(({ eventId }, n) => kept.set(eventId, items[n] as HTMLElement));
    // What stays is not moved, so that focus and open rows stay too.
    for (const old of [...list.children]) if (!items.includes(old as HTMLElement)) old.remove();
    items.forEach((one, n) => {
      if (list.children[n] !== one) list.insertBefore(one, list.children[n] ?? null);
    });
    if (!shown || events.length === 0) fill(element, events.length > 0 ? list : empty('No such event yet.'));
    shown = events.length > 0;
  };
  const load = async (): Promise<void> => {
    last = Date.now();
    try {
      show(await context.get<Recent>([LATEST, query.toString()].filter(Boolean).join('&')));
    } catch (error) {
      if (!context.signal.aborted && !shown)
        fill(
          element,
          failure(error, () => void load()),
        );
    }
  };
  const timer = setInterval(() => {
    if (document.visibilityState !== 'visible') return;
    if (awake > 0 || Date.now() - last > ANYWAY_MS) {
      awake -= 1;
      void load();
    }
  }, EVERY_MS);
  context.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  void load();
  return {
    element,
    // A few times, as what was counted just now is stored later.
    wake: () => {
      awake = 3;
    },
  };
}

/** What an event is about, in a few words: untrusted text, shown as text. */
function about({ eventData }: StoredEvent): string {
  const text = (name: string): string => {
    const value = eventData?.[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const url = text('url');
  const path = /^https?:\/\/[^/]*(\/[^?#]*)/.exec(url)?.[1];
  return (
    path ??
    (url ||
      text('path') ||
      text('page') ||
      text('feature') ||
      text('contentType') ||
      text('model') ||
      text('message') ||
      text('name') ||
      text('status'))
  );
}

function item(event: StoredEvent, isNew: boolean): HTMLElement {
  const others = [event.country, event.browser, event.device].filter(Boolean).join(' · ');
  const body = h('div', { class: 'event-body' });
  const details = h(
    'details',
    null,
    h(
      'summary',
      null,
      h(
        'time',
        { datetime: new Date(event.receivedAt).toISOString(), title: `${moment(event.receivedAt)} UTC` },
        second(event.receivedAt),
      ),
      h('span', { class: 'event-type' }, typeName(event.eventType)),
      h('span', { class: 'event-about' }, about(event)),
      h('span', { class: 'event-where minor' }, others),
    ),
    body,
  );
  details.addEventListener('toggle', () => {
    if (!details.open || body.childElementCount > 0) return;
    fill(
      body,
      h(
        'p',
        { class: 'event-links' },
        h('a', { href: href({ type: event.eventType }) }, `Only ${typeName(event.eventType)}`),
        event.userId !== undefined && h('a', { href: href({ user: event.userId }) }, `Only user ${event.userId}`),
      ),
      h('pre', { tabindex: 0, 'aria-label': 'The stored event' }, JSON.stringify(event, null, 2)),
    );
  });
  return h('li', { class: isNew ? 'new' : '' }, details);
}
