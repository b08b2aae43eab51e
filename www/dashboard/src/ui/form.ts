// Forms: each field with its label, its hint and what is wrong with it; what the API refuses is said there.
import { Problem } from '../api';
import { type Child, type Props, fill, h, whileBusy } from '../dom';
import { problemText } from './states';

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** A field on the page. */
export interface Field<C extends Control = Control> {
  /** What the API calls it: a problem with this `field` is said here. */
  name: string;
  control: C;
  element: HTMLElement;
  /** Says what is wrong; an empty text takes it back. */
  complain(text: string): void;
}

/** What a field is. */
export interface FieldOptions<C extends Control> {
  /** Also its id, with `f-` before it. */
  name: string;
  label: string;
  hint?: Child;
  control: C;
}

/** A field with any control. */
export function field<C extends Control>({ name, label, hint, control }: FieldOptions<C>): Field<C> {
  const id = `f-${name}`;
  const wrong = h('p', { id: `${id}-wrong`, class: 'bad field-wrong' });
  control.id = id;
  control.setAttribute('aria-describedby', hint === undefined ? `${id}-wrong` : `${id}-hint ${id}-wrong`);
  const element = h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    control,
    hint !== undefined && h('p', { id: `${id}-hint`, class: 'hint' }, hint),
    wrong,
  );
  return {
    name,
    control,
    element,
    complain(text) {
      wrong.textContent = text;
      if (text === '') control.removeAttribute('aria-invalid');
      else control.setAttribute('aria-invalid', 'true');
    },
  };
}

/** A field of one line. */
export const input = (
  options: Omit<FieldOptions<HTMLInputElement>, 'control'>,
  props: Props = {},
): Field<HTMLInputElement> =>
  field({ ...options, control: h('input', { autocomplete: 'off', spellcheck: 'false', ...props }) });

/** A field for a key or a token: hidden, and nothing should offer to keep it. */
export const secret = (options: Omit<FieldOptions<HTMLInputElement>, 'control'>): Field<HTMLInputElement> =>
  input(options, { type: 'password', required: true, 'data-1p-ignore': true });

/** A box to tick. */
export function tick(
  id: string,
  label: string,
  checked: boolean,
  hint: string,
): { control: HTMLInputElement; element: HTMLElement } {
  const control = h('input', { id, type: 'checkbox', checked, 'aria-describedby': `${id}-hint` });
  return {
    control,
    element: h(
      'div',
      { class: 'tick' },
      control,
      h('label', { for: id }, label),
      h('p', { id: `${id}-hint`, class: 'hint' }, hint),
    ),
  };
}

/** What a form is. */
export interface FormOptions {
  /** For screen readers, where no heading says it. */
  label: string;
  fields: readonly Field[];
  /** What stands between the fields and the button; by default nothing. */
  more?: Child;
  /** On the button. */
  verb: string;
  danger?: boolean;
  /** Does it; what it gives is said below. A {@link Problem} that it throws is said at its field. */
  run: () => Promise<Child>;
}

/** A form that runs, and says what came of it. */
export function form({ label, fields, more, verb, danger, run }: FormOptions): HTMLFormElement {
  const said = h('div', { class: 'form-said', role: 'status' });
  const button = h('button', { type: 'submit', class: danger ? 'button danger' : 'button primary' }, verb);
  const element = h(
    'form',
    { class: 'form', 'aria-label': label, novalidate: true },
    h(
      'div',
      { class: 'fields' },
      fields.map((one) => one.element),
    ),
    more,
    h('div', { class: 'form-end' }, button),
    said,
  );
  const submit = async (): Promise<void> => {
    fill(said);
    for (const one of fields) one.complain('');
    const missing = fields.find(({ control }) => !control.validity.valid);
    if (missing) {
      missing.complain(missing.control.validationMessage);
      missing.control.focus();
      return;
    }
    await whileBusy(button, async () => {
      try {
        fill(said, await run());
      } catch (error) {
        if (error instanceof DOMException && error.name === 'AbortError') return;
        const of = error instanceof Problem ? fields.find(({ name }) => name === error.field) : undefined;
        if (of && error instanceof Problem) {
          of.complain(error.message);
          of.control.focus();
        } else fill(said, h('p', { class: 'bad' }, problemText(error)));
      }
    });
  };
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  return element;
}
