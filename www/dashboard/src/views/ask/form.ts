// The form of a question: lists of metrics and dimensions, order, rows.
import { announce, fill, h } from '../../dom';
import { go } from '../../place';
import { ALL_DIMENSIONS, METRICS, OF_PROPERTY, dimensionText, metricText, partsOf } from './metrics';
import { type Body, orderOf, textsOf } from './question';

/** The API takes so many. */
const MAX_METRICS = 20;
const MAX_DIMENSIONS = 5;
const MAX_ROWS = 10_000;

/** A line of a list. */
interface Line {
  element: HTMLElement;
  first: HTMLElement;
  /** What it says; empty where its property is missing. */
  text: () => string;
}

/** A list whose lines are added and removed. */
interface Lines {
  element: HTMLElement;
  texts: () => string[];
}

/** The form; what it holds becomes the URL when it is sent. */
export function askForm(given: Body): HTMLElement {
  const metrics = lines('metric', textsOf(given['metrics']), {
    most: MAX_METRICS,
    least: 1,
    next: 'events',
    line: metricLine,
  });
  const dimensions = lines('dimension', textsOf(given['dimensions']), {
    most: MAX_DIMENSIONS,
    least: 0,
    next: 'page',
    line: dimensionLine,
  });
  const order = h('select', { id: 'ask-order' });
  const limit = h('input', {
    id: 'ask-limit',
    type: 'number',
    min: 1,
    max: MAX_ROWS,
    placeholder: '100',
    value: typeof given['limit'] === 'number' ? given['limit'] : '',
  });
  let [by, way] = orderOf(given) ?? ['', ''];
  const orders = (): void => {
    const names = [
      ...metrics.texts().map((one) => [one, metricText(one)]),
      ...dimensions.texts().map((one) => [one, dimensionText(one)]),
    ];
    fill(
      order,
      h('option', { value: '' }, 'As it comes'),
      names.flatMap(([name = '', text]) =>
        (['desc', 'asc'] as const).map((one) =>
          h(
            'option',
            { value: JSON.stringify([name, one]), selected: name === by && one === way },
            `${text}, ${one === 'desc' ? 'most or last' : 'least or first'} first`,
          ),
        ),
      ),
    );
  };
  order.addEventListener('focus', orders);
  order.addEventListener('change', () => {
    [by = '', way = ''] = order.value ? (JSON.parse(order.value) as string[]) : [];
  });
  orders();
  const form = h(
    'form',
    { class: 'panel ask-form', 'aria-label': 'A question' },
    h('header', { class: 'panel-head' }, h('h2', null, 'Question')),
    h('h3', null, 'How many'),
    metrics.element,
    h('h3', null, 'By'),
    dimensions.element,
    h('div', { class: 'ask-more' }, h('label', null, 'Order', order), h('label', null, 'Rows at most', limit)),
    h('p', { class: 'hint' }, 'Days, time zone, comparison and filters are those above.'),
    h('button', { type: 'submit', class: 'button primary', id: 'ask-go' }, 'Ask'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const names = [...metrics.texts(), ...dimensions.texts()];
    go({
      ask: JSON.stringify({
        metrics: metrics.texts(),
        ...(dimensions.texts().length > 0 && { dimensions: dimensions.texts() }),
        ...(names.includes(by) && { orderBy: [[by, way]] }),
        ...(limit.value !== '' && { limit: Number(limit.value) }),
      }),
      figure: undefined,
    });
  });
  return form;
}

function lines(
  what: string,
  given: readonly string[],
  how: {
    most: number;
    least: number;
    next: string;
    line: (text: string, name: string) => Omit<Line, 'element'> & { fields: HTMLElement[] };
  },
): Lines {
  const list = h('ol', { class: 'ask-lines' });
  const all: Line[] = [];
  const add = h('button', { type: 'button', class: 'button small', id: `add-${what}` }, `Add a ${what}`);
  const paint = (): void => {
    fill(
      list,
      all.map(({ element }) => element),
    );
    add.disabled = all.length >= how.most;
    list.querySelectorAll<HTMLButtonElement>('.icon-button').forEach((button) => {
      button.disabled = all.length <= how.least;
    });
  };
  const insert = (text: string): Line => {
    const name = `${what} ${all.length + 1}`;
    const { fields, first, text: told } = how.line(text, name);
    const remove = h('button', { type: 'button', class: 'icon-button', 'aria-label': `Remove: ${name}` }, '×');
    const line: Line = {
      element: h('li', null, h('span', { class: 'step-fields' }, fields), remove),
      first,
      text: told,
    };
    remove.addEventListener('click', () => {
      const n = all.indexOf(line);
      all.splice(n, 1);
      paint();
      (all[Math.min(n, all.length - 1)]?.first ?? add).focus();
      announce(`Removed: ${name}`);
    });
    all.push(line);
    return line;
  };
  for (const text of given) insert(text);
  if (all.length < how.least) insert(how.next);
  add.addEventListener('click', () => {
    const line = insert(how.next);
    paint();
    line.first.focus();
  });
  paint();
  return {
    element: h('div', null, list, add),
    texts: () => [...new Set(all.map(({ text }) => text()))].filter(Boolean),
  };
}

/** A choice, and the name of a property where it needs one. */
function choice(
  name: string,
  options: readonly (readonly [string, string])[],
  ofProperty: readonly string[],
  chosen: string,
  property: string,
): { fields: HTMLElement[]; first: HTMLSelectElement; property: HTMLInputElement } {
  const list = h(
    'select',
    { 'aria-label': name },
    options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
  );
  const input = h('input', {
    'aria-label': `Property of ${name}`,
    placeholder: 'amount, or order.total',
    value: property,
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: 200,
  });
  const adapt = (): void => {
    input.hidden = !ofProperty.includes(list.value);
    input.required = !input.hidden;
  };
  list.addEventListener('change', adapt);
  adapt();
  return { fields: [list, input], first: list, property: input };
}

function metricLine(metric: string, name: string): Omit<Line, 'element'> & { fields: HTMLElement[] } {
  const [chosen, property] = partsOf(metric) ?? [metric, ''];
  const of = (partsOf(metric) ? 'p:' : '') + chosen;
  const known = [...METRICS, ...OF_PROPERTY.map(([one, text]) => [`p:${one}`, `${text} a property`] as const)];
  // What the form does not know stays what it is.
  const all = known.some(([one]) => one === of) ? known : [...known, [of, metric] as const];
  const made = choice(
    name,
    all,
    all.map(([one]) => one).filter((one) => one.startsWith('p:')),
    of,
    property,
  );
  const text = (): string => {
    const value = made.first.value;
    const wanted = made.property.value.trim();
    if (!value.startsWith('p:')) return value;
    return wanted && `${value.slice(2)}(data.${wanted})`;
  };
  return { fields: made.fields, first: made.first, text };
}

function dimensionLine(by: string, name: string): Omit<Line, 'element'> & { fields: HTMLElement[] } {
  const isProperty = by.startsWith('data.');
  const known: (readonly [string, string])[] = [...ALL_DIMENSIONS, ['data.', 'A property']];
  const all = isProperty || known.some(([one]) => one === by) ? known : [...known, [by, by] as const];
  const made = choice(name, all, ['data.'], isProperty ? 'data.' : by, isProperty ? by.slice(5) : '');
  const text = (): string => {
    const value = made.first.value;
    const wanted = made.property.value.trim();
    return value === 'data.' ? wanted && `data.${wanted}` : value;
  };
  return { fields: made.fields, first: made.first, text };
}
