// Asks before what cannot be taken back.
import { type Child, fill, focusMain, h } from '../dom';
import { problemText } from './states';

/** What is asked. */
export interface Question {
  title: string;
  /** What will happen. */
  text: Child;
  /** On the button that does it. */
  verb: string;
  /** What has to be typed first. */
  typed?: string;
  /** Does it; `say` tells how far it is. What goes wrong is said in the dialog. */
  run: (say: (text: string) => void) => Promise<void>;
  /** Closes the dialog; what runs is ended by whoever gave it. */
  signal: AbortSignal;
}

/** Asks, does it, and closes; tells whether it was done. */
export function ask({ title, text, verb, typed, run, signal }: Question): Promise<boolean> {
  return new Promise((resolve) => {
    let done = false;
    const said = h('p', { class: 'bad', role: 'alert' });
    const how = h('p', { class: 'soft', role: 'status' });
    const cancel = h('button', { type: 'button', class: 'button' }, 'Cancel');
    const go = h('button', { type: 'submit', class: 'button danger', disabled: typed !== undefined }, verb);
    const box = h('input', { id: 'ask-typed', autocomplete: 'off', spellcheck: 'false' });
    const form = h(
      'form',
      null,
      h('h2', { id: 'ask-title' }, title),
      h('div', { id: 'ask-text', class: 'ask-text' }, text),
      typed !== undefined &&
        h(
          'div',
          { class: 'field' },
          h('label', { for: 'ask-typed' }, 'Type ', h('b', { class: 'typed' }, typed), ' to confirm'),
          box,
        ),
      how,
      said,
      h('div', { class: 'ask-end' }, cancel, go),
    );
    const dialog = h('dialog', { class: 'ask', 'aria-labelledby': 'ask-title', 'aria-describedby': 'ask-text' }, form);
    const before = document.activeElement;
    const matches = (): boolean => typed === undefined || box.value.trim() === typed.trim();
    box.addEventListener('input', () => {
      go.disabled = !matches();
    });
    const work = async (): Promise<void> => {
      if (!matches()) return;
      fill(said);
      go.disabled = true;
      box.disabled = true;
      try {
        await run((progress) => fill(how, progress));
        done = true;
        dialog.close();
      } catch (error) {
        fill(how);
        fill(said, problemText(error));
        go.disabled = false;
        box.disabled = false;
        go.textContent = 'Try again';
      }
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void work();
    });
    cancel.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      focusMain();
      resolve(done);
    });
    signal.addEventListener('abort', () => dialog.close(), { once: true });
    document.body.append(dialog);
    dialog.showModal();
    (typed === undefined ? cancel : box).focus();
  });
}
