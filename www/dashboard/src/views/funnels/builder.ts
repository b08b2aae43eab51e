// Builds a funnel: steps in order, each a type and where it makes sense a page or a feature.
import type { Breakdown } from '../../answers';
import { DIMENSIONS, nameOf } from '../../dimensions';
import { announce, fill, h } from '../../dom';
import { number } from '../../format';
import { go } from '../../place';
import { rangeQuery } from '../../range';
import type { Context } from '../../view';
import {
  MAX_STEPS,
  ORDERS,
  type Step,
  WINDOWS,
  byOf,
  changesOf,
  orderChange,
  orderOf,
  stepsOf,
  windowChange,
  windowOf,
} from './steps';

/** Suggested beside the types that the site has. */
const TYPES = ['page_view', 'feature_use', 'content_create', 'ai_request', 'error'];

/** So many pages and features are suggested. */
const SUGGESTED = 100;

/** What narrows a type down, and what that is called. */
const NARROWED: Readonly<Record<string, 'page' | 'feature'>> = { page_view: 'page', feature_use: 'feature' };

interface Row {
  element: HTMLElement;
  type: HTMLInputElement;
  step: () => Step;
  number: (n: number, all: number) => void;
}

/** The form; what it holds becomes the URL when it is sent. */
export function builder(context: Context): HTMLElement {
  const list = h('ol', { class: 'steps', id: 'steps' });
  const rows: Row[] = [];
  const add = h(
    'button',
    {
      type: 'button',
      id: 'add-step',
      class: 'button',
      on: { click: () => insert({ eventType: 'feature_use' }, true) },
    },
    'Add a step',
  );
  const within = h('select', { id: 'window' }, windowOptions(windowOf(context.params)));
  const order = h('select', { id: 'order' }, orderOptions(orderOf(context.params)));
  const by = h('select', { id: 'by' }, byOptions(byOf(context.params)));
  const paint = (): void => {
    fill(
      list,
      rows.map(({ element }) => element),
    );
    rows.forEach((row, n) => row.number(n, rows.length));
    add.disabled = rows.length >= MAX_STEPS;
  };
  const insert = (step: Step, isNew: boolean): void => {
    const row = stepRow(step, {
      up: () => move(row, -1),
      down: () => move(row, 1),
      remove: () => {
        const n = rows.indexOf(row);
        rows.splice(n, 1);
        paint();
        (rows[Math.min(n, rows.length - 1)]?.type ?? add).focus();
        announce(`Step ${n + 1} removed`);
      },
    });
    rows.push(row);
    if (!isNew) return;
    paint();
    row.type.focus();
    row.type.select();
  };
  const move = (row: Row, by: 1 | -1): void => {
    const [from, to] = [rows.indexOf(row), rows.indexOf(row) + by];
    if (to < 0 || to >= rows.length) return;
    rows.splice(from, 1);
    rows.splice(to, 0, row);
    paint();
    const button = row.element.querySelector<HTMLButtonElement>(by < 0 ? '.up' : '.down');
    (button?.disabled ? row.type : button)?.focus();
    announce(`Now step ${to + 1}`);
  };
  for (const step of stepsOf(context.params)) insert(step, false);
  paint();
  const form = h(
    'form',
    { class: 'panel builder half', 'aria-label': 'Steps of the funnel' },
    h('header', { class: 'panel-head' }, h('h2', null, 'Steps')),
    list,
    suggestions(context),
    h(
      'div',
      { class: 'builder-end' },
      add,
      h('label', { class: 'inline' }, 'All within', within),
      h('label', { class: 'inline' }, 'Steps', order),
      h('label', { class: 'inline' }, 'By', by),
      h('button', { type: 'submit', class: 'button primary', id: 'show-funnel' }, 'Show funnel'),
    ),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    go({
      ...changesOf(rows.map((row) => row.step())),
      ...windowChange(Number(within.value)),
      ...orderChange(order.value),
      by: by.value || undefined,
      left: undefined,
    });
  });
  return form;
}

const orderOptions = (chosen: string): HTMLElement[] =>
  ORDERS.map(([name, text]) => h('option', { value: name, selected: name === chosen }, text));

function byOptions(chosen: string | undefined): HTMLElement[] {
  const all = Object.keys(DIMENSIONS);
  const own = chosen === undefined || all.includes(chosen) ? [] : [chosen];
  const option = (name: string): HTMLElement => h('option', { value: name, selected: name === chosen }, nameOf(name));
  return [h('option', { value: '', selected: chosen === undefined }, 'nothing'), ...[...own, ...all].map(option)];
}

function windowOptions(chosen: number): HTMLElement[] {
  const own = WINDOWS.some(([hours]) => hours === chosen) ? [] : [[chosen, `${number(chosen)} hours`] as const];
  return [...own, ...WINDOWS].map(([hours, text]) => h('option', { value: hours, selected: hours === chosen }, text));
}

function stepRow(given: Step, on: { up: () => void; down: () => void; remove: () => void }): Row {
  const type = h('input', {
    class: 'step-type',
    list: 'step-types',
    value: given.eventType,
    required: true,
    maxlength: 100,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const what = h('input', {
    class: 'step-what',
    value: given.page ?? given.feature ?? '',
    maxlength: 1000,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const button = (name: string, sign: string, does: () => void): HTMLButtonElement =>
    h(
      'button',
      { type: 'button', class: `icon-button ${name}`, on: { click: does } },
      h('span', { 'aria-hidden': 'true' }, sign),
      h('span', { class: 'unseen' }),
    );
  const [up, down, remove] = [button('up', '↑', on.up), button('down', '↓', on.down), button('remove', '×', on.remove)];
  const narrows = (): 'page' | 'feature' | undefined => NARROWED[type.value.trim()];
  let name = '';
  const adapt = (): void => {
    const by = narrows();
    what.hidden = by === undefined;
    if (by === undefined) return;
    what.setAttribute('list', `step-${by}s`);
    what.setAttribute('aria-label', by === 'page' ? `Page of ${name}` : `Feature of ${name}`);
    what.placeholder = by === 'page' ? 'Any page' : 'Any feature';
  };
  type.addEventListener('input', () => {
    what.value = '';
    adapt();
  });
  return {
    element: h(
      'li',
      { class: 'step' },
      h('span', { class: 'step-fields' }, type, what),
      h('span', { class: 'step-tools' }, up, down, remove),
    ),
    type,
    step() {
      const [by, text] = [narrows(), what.value.trim()];
      return {
        eventType: type.value.trim(),
        ...(by === 'page' && text && { page: text }),
        ...(by === 'feature' && text && { feature: text }),
      };
    },
    number(n, all) {
      name = `step ${n + 1}`;
      type.setAttribute('aria-label', `Event of ${name}`);
      for (const [one, text] of [
        [up, 'Move up'],
        [down, 'Move down'],
        [remove, 'Remove'],
      ] as const) {
        if (one.lastElementChild) one.lastElementChild.textContent = `${text}: ${name}`;
      }
      up.disabled = n === 0;
      down.disabled = n === all - 1;
      remove.disabled = all === 1;
      adapt();
    },
  };
}

const suggestedPath = ({ range }: Context, by: string): string =>
  `/v1/analytics/metrics/breakdown?by=${by}&limit=${SUGGESTED}&${rangeQuery(range)}`;

/** What may be typed: types, pages and features that the site has. */
function suggestions(context: Context): HTMLElement {
  const list = (id: string, texts: readonly string[]): HTMLElement =>
    h(
      'datalist',
      { id },
      texts.map((value) => h('option', { value })),
    );
  const place = h('div', { hidden: true }, list('step-types', TYPES));
  const offer = async (id: string, load: () => Promise<readonly string[]>): Promise<void> => {
    const texts = await load().catch(() => []);
    if (context.signal.aborted) return;
    place.querySelector(`#${id}`)?.remove();
    place.append(list(id, texts));
  };
  const keys = (by: string) => async () =>
    (await context.get<Breakdown>(suggestedPath(context, by))).rows.map(({ key }) => key);
  void offer('step-pages', keys('page'));
  void offer('step-features', keys('feature'));
  void offer('step-types', async () => {
    const known = await context.get<{ metrics?: { eventsByType: Record<string, number> } }>('/health');
    return [...new Set([...TYPES, ...Object.keys(known.metrics?.eventsByType ?? {})])];
  });
  return place;
}
