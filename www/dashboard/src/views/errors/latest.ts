// The latest errors, each with where it happened and its stack.
import type { Recent, StoredEvent } from '../../answers';
import { h } from '../../dom';
import { moment, number } from '../../format';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import type { Context } from '../../view';

/** So many are looked through for the kind that is chosen; the API gives no more a call. */
const LOOKED_AT = 500;
/** So many are shown. */
const SHOWN = 15;

/** Said of an error that has no message. */
const NO_MESSAGE = '(no message)';

const text = ({ eventData }: StoredEvent, name: string): string => {
  const value = eventData?.[name];
  return typeof value === 'string' ? value : '';
};

/** What the filters of the place say of messages: `is` one of them, or `starts_with`. */
type Chosen = readonly [how: string, messages: readonly string[]];

function chosenOf({ filters }: Context): Chosen | undefined {
  for (const [how, by, messages] of filters) {
    if (by === 'error' && (how === 'is' || how === 'starts_with') && Array.isArray(messages))
      return [how, messages.map(String)];
  }
  return undefined;
}

const isOf = (event: StoredEvent, [how, messages]: Chosen): boolean => {
  const message = text(event, 'message');
  return messages.some((one) => (how === 'is' ? message === one : message.startsWith(one)));
};

/** The panel; narrowed to the messages that are filtered. */
export function latestErrors(context: Context): HTMLElement {
  const chosen = chosenOf(context);
  const limit = chosen === undefined ? SHOWN : LOOKED_AT;
  return panel<Recent>(context, {
    title: 'Latest errors',
    class: 'wide last',
    lines: 20,
    live: true,
    note: [
      chosen === undefined
        ? 'The newest, whatever the days.'
        : [
            'Only ',
            h('b', { class: 'quoted' }, chosen[1].join(', ')),
            `, among the newest ${number(LOOKED_AT)} errors.`,
          ],
      context.filters.length > (chosen === undefined ? 0 : 1) && ' Other filters do not narrow them.',
    ],
    load: (get) => get<Recent>(`/v1/analytics/events/recent?eventType=error&limit=${limit}`),
    render: ({ events }) => {
      const shown = (chosen === undefined ? events : events.filter((event) => isOf(event, chosen))).slice(0, SHOWN);
      if (shown.length === 0)
        return empty(chosen === undefined ? 'No errors are stored.' : 'None of these is among the newest errors.');
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
