// The choice of days: presets as links, days of one's own as a form.
import { h } from './dom';
import { go, href } from './place';
import { DEFAULT_PRESET, MAX_DAYS, PRESETS, type Range, rangeText } from './range';

const DAY_MS = 86_400_000;

/** The picker; closed by Escape, by a click elsewhere, and by a choice. */
export function rangePicker(range: Range, signal: AbortSignal): HTMLElement {
  const label = PRESETS.find(([name]) => name === range.preset)?.[1] ?? 'Custom';
  const summary = h(
    'summary',
    { id: 'range', class: 'button' },
    h('span', { class: 'range-label' }, label),
    h('span', { class: 'range-days' }, rangeText(range)),
    h('span', { class: 'unseen' }, '(UTC). Change the days'),
  );
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
  const box = h(
    'details',
    { class: 'range' },
    summary,
    h(
      'div',
      { class: 'range-box' },
      h('ul', null, presets),
      ownDays(range, () => summary.focus()),
    ),
  );
  const close = (): void => {
    box.open = false;
  };
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !box.open) return;
    close();
    summary.focus();
  });
  // What was chosen is in a box that closes: its button keeps the focus.
  box.addEventListener('click', ({ target }) => target instanceof Element && target.closest('a') && summary.focus());
  document.addEventListener(
    'click',
    (event) => event.target instanceof Node && !box.contains(event.target) && close(),
    { signal },
  );
  return box;
}

function ownDays(range: Range, chosen: () => void): HTMLElement {
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
    h('p', { class: 'hint' }, `Days of UTC, at most ${MAX_DAYS}.`),
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
