// The choice of days: presets as links, days of one's own as a form; what they are compared with, and whose days.
import { h } from './dom';
import { go, href } from './place';
import { COMPARES, DEFAULT_PRESET, MAX_DAYS, PRESETS, type Range, rangeText } from './range';
import { session } from './session';
import { popover } from './ui/popover';
import type { Context } from './view';
import { UTC, browserZone, known, preferZone } from './zone';

const DAY_MS = 86_400_000;

/** What the picker shows. */
type Place = Pick<Context, 'range' | 'zone' | 'compare' | 'signal'>;

/** The picker. */
export function rangePicker(place: Place): HTMLElement {
  const { range, zone, signal } = place;
  const label = PRESETS.find(([name]) => name === range.preset)?.[1] ?? 'Custom';
  const presets = PRESETS.map(([name, text]) =>
    h(
      'li',
      null,
      h(
        'a',
        {
          href: href({ range: name === DEFAULT_PRESET ? undefined : name, from: undefined, to: undefined }),
          'aria-current': name === range.preset ? 'true' : undefined,
        },
        text,
      ),
    ),
  );
  const { element, close } = popover({
    id: 'range',
    class: 'range',
    label: [
      h('span', { class: 'range-label' }, label),
      h('span', { class: 'range-days' }, rangeText(range)),
      h('span', { class: 'unseen' }, `(${zone}). Change the days`),
    ],
    body: h(
      'div',
      { class: 'range-body' },
      h('ul', null, presets),
      ownDays(range, zone, () => close()),
      how(place, () => close()),
    ),
    signal,
  });
  return element;
}

function ownDays(range: Range, zone: string, chosen: () => void): HTMLElement {
  const field = (id: string, text: string, value: string): [HTMLInputElement, HTMLElement] => {
    const input = h('input', { id, type: 'date', value, required: true });
    return [input, h('label', null, text, input)];
  };
  const [from, fromField] = field('range-from', 'From', range.start);
  const [to, toField] = field('range-to', 'To', range.end);
  const form = h(
    'form',
    null,
    fromField,
    toField,
    h('button', { type: 'submit', class: 'button primary' }, 'Apply'),
    h('p', { class: 'hint' }, `Days of ${zone}, at most ${MAX_DAYS}.`),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const days = (Date.parse(to.value) - Date.parse(from.value)) / DAY_MS + 1;
    to.setCustomValidity(
      days < 1 ? 'The last day is before the first.' : days > MAX_DAYS ? `At most ${MAX_DAYS} days.` : '',
    );
    if (form.reportValidity()) {
      chosen();
      go({ range: undefined, from: from.value, to: to.value });
    }
    to.setCustomValidity('');
  });
  return form;
}

/** What they are compared with, and whose days they are. */
function how({ zone, compare }: Place, chosen: () => void): HTMLElement {
  const against = h(
    'select',
    { id: 'compare' },
    COMPARES.map(([name, text]) => h('option', { value: name, selected: name === compare }, text)),
  );
  against.addEventListener('change', () => {
    chosen();
    go({ compare: against.value === COMPARES[0][0] ? undefined : against.value });
  });
  const zones = h('input', {
    id: 'zone',
    value: zone,
    list: 'zones',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'zone-hint',
  });
  const own = [...new Set([UTC, known(session()?.zone) ?? UTC, browserZone])].map((value) => h('option', { value }));
  const list = h('datalist', { id: 'zones' }, own);
  // Four hundred names: when they are wanted.
  zones.addEventListener(
    'focus',
    () => list.append(...Intl.supportedValuesOf('timeZone').map((value) => h('option', { value }))),
    { once: true },
  );
  zones.addEventListener('change', () => {
    const wanted = known(zones.value.trim());
    zones.setCustomValidity(wanted === undefined ? 'No time zone is called so: Europe/Berlin is one.' : '');
    if (!zones.reportValidity() || wanted === undefined) return;
    preferZone(wanted);
    chosen();
    go({ tz: wanted });
  });
  return h(
    'div',
    { class: 'range-how' },
    h('label', null, 'Compare with', against),
    h('label', null, 'Time zone', zones, list),
    h('p', { id: 'zone-hint', class: 'hint' }, 'Other zones than UTC are counted from stored events.'),
  );
}
