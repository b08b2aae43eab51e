// The latest errors, each with where it happened and its stack.
import type { Recent, StoredEvent } from '../../answers';
import { h } from '../../dom';
import { moment, number } from '../../format';
import { href } from '../../place';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import type { Context } from '../../view';

/** So many are looked through for the kind that is chosen; the API gives no more a call. */
const LOOKED_AT = 500;
/** So many are shown. */
const SHOWN = 15;

/** A kind's name in the breakdown is its message, or of a long one the first part and a hash. */
const MAX_KEY_CHARS = 128;

/** Said of an error that has no message. */
const NO_MESSAGE = '(no message)';

const text = ({ eventData }: StoredEvent, name: string): string => {
  const value = eventData?.[name];
  return typeof value === 'string' ? value : '';
};

function isOf(event: StoredEvent, key: string): boolean {
  const message = text(event, 'message');
  if (message === key) return true;
  // The hash is the server's: what is before it is told apart by far most messages.
  return message.length > MAX_KEY_CHARS && key.length <= MAX_KEY_CHARS && message.slice(0, 64) === key.slice(0, 64);
}

/** The panel; narrowed to `error` of the URL. */
export function latestErrors(context: Context): HTMLElement {
  const chosen = context.params.get('error');
  const limit = chosen === null ? SHOWN : LOOKED_AT;
  return panel<Recent>(context, {
    title: 'Latest errors',
    class: 'wide last',
    lines: 20,
    live: true,
    tools:
      chosen !== null &&
      h('a', { id: 'all-errors', class: 'button small', href: href({ error: undefined }) }, 'Show all'),
    note:
      chosen === null
        ? 'The newest, whatever the days.'
        : ['Only ', h('b', { class: 'quoted' }, chosen), `, among the newest ${number(LOOKED_AT)} errors.`],
    load: (get) => get<Recent>(`/v1/analytics/events/recent?eventType=error&limit=${limit}`),
    render: ({ events }) => {
      const shown = (chosen === null ? events : events.filter((event) => isOf(event, chosen))).slice(0, SHOWN);
      if (shown.length === 0)
        return empty(chosen === null ? 'No errors are stored.' : 'None of these is among the newest errors.');
      return h('ul', { class: 'errors' }, shown.map(item));
    },
  });
}

function item(event: StoredEvent): HTMLElement {
  const [message, stack, source] = [text(event, 'message'), text(event, 'stack'), text(event, 'source')];
  const where = [text(event, 'url') || text(event, 'path'), source].filter(Boolean);
  const by = [event.browser, event.os, event.device, event.country].filter(Boolean).join(' · ');
  return h(
    'li',
    null,
    h(
      'details',
      null,
      h(
        'summary',
        null,
        h('span', { class: 'error-message', title: message }, message || NO_MESSAGE),
        h(
          'time',
          { class: 'soft', datetime: new Date(event.receivedAt).toISOString() },
          `${moment(event.receivedAt)} UTC`,
        ),
      ),
      where.map((one) => h('p', { class: 'mono wrap' }, one)),
      by && h('p', { class: 'soft' }, by),
      stack
        ? h('pre', { class: 'stack', tabindex: 0, 'aria-label': 'Stack' }, stack)
        : h('p', { class: 'soft' }, 'No stack was sent.'),
    ),
  );
}
