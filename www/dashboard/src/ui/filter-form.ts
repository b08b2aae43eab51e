// A filter of one's own: what, how, which values; and the segments that were saved.
import { fill, h } from '../dom';
import { DIMENSIONS, dimensionOf, valueText } from '../dimensions';
import { type Filter, OPERATORS, filterChange, toggled } from '../filters';
import { go } from '../place';
import { type Answer, ask } from '../query';
import type { Context } from '../view';
import { segments } from './segments';

/** What stands for a property in the list of dimensions. */
const PROPERTY = 'data.';

/** Operators of texts, of numbers, and of either. */
const TEXTS = ['is', 'is_not', 'contains', 'not_contains', 'starts_with'];
const NUMBERS = ['gt', 'gte', 'lt', 'lte'];

/** So many values are suggested. */
const SUGGESTED = 50;

/** Between several values. */
const BETWEEN = ';';

/** The form and the segments; `done` closes what they stand in. */
export function filterForm(context: Context, done: () => void): HTMLElement {
  return h('div', null, form(context, done), segments(context, done));
}

function form(context: Context, done: () => void): HTMLElement {
  const what = h(
    'select',
    { id: 'filter-what' },
    Object.entries(DIMENSIONS).map(([name, { one }]) => h('option', { value: name }, one)),
    h('option', { value: PROPERTY }, 'Property…'),
  );
  const property = h('input', {
    id: 'filter-property',
    placeholder: 'plan, or order.total',
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: 200,
  });
  const propertyField = h('label', { hidden: true }, 'Property', property);
  const how = h('select', { id: 'filter-how', 'aria-label': 'How' });
  const known = h('datalist', { id: 'filter-known' });
  const values = h('input', {
    id: 'filter-values',
    list: 'filter-known',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'filter-hint',
  });
  const valuesField = h('label', null, 'Values', values);
  const ofUsers = h('input', { id: 'filter-users', type: 'checkbox' });
  const by = (): string => (what.value === PROPERTY ? `${PROPERTY}${property.value.trim()}` : what.value);
  const adapt = (): void => {
    propertyField.hidden = what.value !== PROPERTY;
    const numeric = what.value === PROPERTY || /^(hour_of|day_of)/.test(what.value);
    fill(
      how,
      [...TEXTS, ...(numeric ? NUMBERS : []), 'exists', 'not'].map((name) =>
        h('option', { value: name }, name === 'not' ? 'is not there' : OPERATORS[name]),
      ),
    );
    adaptValues();
  };
  const adaptValues = (): void => {
    valuesField.hidden = how.value === 'exists' || how.value === 'not';
  };
  const suggest = async (): Promise<void> => {
    const name = by();
    fill(known);
    if (name === PROPERTY) return;
    const { metric } = dimensionOf(name);
    const asked = ask(context, {
      metrics: [metric],
      dimensions: [name],
      only: [['exists', name]],
      orderBy: [[metric, 'desc']],
      limit: SUGGESTED,
    });
    // Without suggestions one types.
    const answer = await context.get<Answer>(asked).catch(() => undefined);
    if (!answer || name !== by()) return;
    const keys = answer.rows.map(({ dimensions }) => String(dimensions[0]));
    fill(
      known,
      keys.map((key) => h('option', { value: key, label: valueText(name, key) })),
    );
  };
  what.addEventListener('change', () => {
    adapt();
    void suggest();
  });
  property.addEventListener('change', () => void suggest());
  how.addEventListener('change', adaptValues);
  adapt();
  void suggest();
  const element = h(
    'form',
    { class: 'filter-form', 'aria-label': 'Add a filter' },
    h('label', null, 'What', what),
    propertyField,
    h('label', null, 'How', how),
    valuesField,
    known,
    h('p', { id: 'filter-hint', class: 'hint' }, `Several values: with ${BETWEEN} between them.`),
    h('div', { class: 'tick' }, ofUsers, h('label', { for: 'filter-users' }, 'All events of users with such an event')),
    h('button', { type: 'submit', class: 'button primary' }, 'Add filter'),
  );
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    property.setCustomValidity(by() === PROPERTY ? 'Which property?' : '');
    const given = values.value.split(BETWEEN).flatMap((text) => text.trim() || []);
    values.setCustomValidity(wrongIn(how.value, given));
    if (!element.reportValidity()) return;
    const inner = filterOf(by(), how.value, given);
    done();
    go(filterChange(toggled(context.filters, ofUsers.checked ? ['did', inner] : inner)));
  });
  // What was said to be wrong may be right now.
  element.addEventListener('input', () => {
    property.setCustomValidity('');
    values.setCustomValidity('');
  });
  return element;
}

function wrongIn(how: string, values: readonly string[]): string {
  if (how === 'exists' || how === 'not') return '';
  if (values.length === 0) return 'Which values?';
  if (!NUMBERS.includes(how)) return '';
  return values.length > 1 || !Number.isFinite(Number(values[0])) ? 'One number.' : '';
}

function filterOf(by: string, how: string, values: readonly string[]): Filter {
  if (how === 'exists') return ['exists', by];
  if (how === 'not') return ['not', ['exists', by]];
  return [how, by, NUMBERS.includes(how) ? Number(values[0]) : values];
}
