// A box that a button opens; closed by Escape, by a click elsewhere, and by a choice.
import { h } from '../dom';

/** The box: its button keeps the focus when it closes. */
export function popover(options: {
  id: string;
  /** On the button. */
  label: readonly (Node | string)[];
  class: string;
  body: HTMLElement;
  signal: AbortSignal;
  /** Called when it opens. */
  opened?: () => void;
}): { element: HTMLDetailsElement; close: () => void } {
  const { id, label, body, signal, opened } = options;
  const summary = h('summary', { id, class: 'button' }, label);
  const box = h('details', { class: `popover ${options.class}` }, summary, h('div', { class: 'popover-box' }, body));
  const close = (): void => {
    if (!box.open) return;
    box.open = false;
    summary.focus();
  };
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  box.addEventListener('toggle', () => box.open && opened?.());
  // What was chosen is in a box that closes.
  box.addEventListener('click', ({ target }) => target instanceof Element && target.closest('a') && summary.focus());
  document.addEventListener(
    'click',
    ({ target }) => {
      // What was clicked may be gone already: then it was in a box that was filled anew.
      if (target instanceof Node && target.isConnected && !box.contains(target)) box.open = false;
    },
    { signal },
  );
  return { element: box, close };
}
