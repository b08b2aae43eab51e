// Makes elements. Text is only ever text: there is no way to give markup.

/** What may stand inside an element. */
export type Child = Node | string | number | null | undefined | false | readonly Child[];

type Value = string | number | boolean | null | undefined;

/** Attributes, and two special ones: `on` for listeners, `vars` for CSS custom properties. */
export interface Props {
  class?: string | undefined;
  on?: { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };
  /** Set by CSSOM, which a policy without inline styles allows. */
  vars?: Record<`--${string}`, string | number>;
  [attribute: string]: Value | object;
}

/** What would run or restyle: never set from here. */
const REFUSED = /^(on.*|style|srcdoc|innerhtml|outerhtml)$/i;

/** Attributes that lead somewhere: only to places of this page, this origin or the web. */
const URLS = new Set(['href', 'src', 'action', 'formaction']);
const SAFE_URL = /^(https?:\/\/|[/?#.]|blob:)/i;

function setAttributes(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') {
      for (const [type, listener] of Object.entries(value as object))
        element.addEventListener(type, listener as EventListener);
    } else if (name === 'vars') {
      for (const [key, text] of Object.entries(value as object))
        (element as HTMLElement | SVGElement).style.setProperty(key, String(text));
    } else if (REFUSED.test(name) || (URLS.has(name) && !SAFE_URL.test(String(value)))) {
      throw new TypeError(`${name} is not set from here`);
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
}

function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.append(child instanceof Node ? child : String(child));
  }
}

/** An HTML element: `h('p', {class: 'note'}, 'Text, whatever it holds, is text')`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (props) setAttributes(element, props);
  append(element, children);
  return element;
}

/** An SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props?: Props | null,
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  if (props) setAttributes(element, props);
  append(element, children);
  return element;
}

/** Replaces what an element holds. */
export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** How an element is found again when what is around it was made anew: by id, else by its text. */
interface Held {
  tag: string;
  id: string;
  text: string | null;
}

let held: Held | undefined;

/** Notes where the focus is, for what comes in the place of what goes: see {@link giveFocus}. */
export function holdFocus(): void {
  const active = document.activeElement;
  if ((active instanceof HTMLElement || active instanceof SVGElement) && active !== document.body)
    held = { tag: active.tagName, id: active.id, text: active.textContent };
}

/** Whether nothing on the page has the focus: it fell to the document, or waits on the view as a whole. */
export const isFree = (): boolean => document.activeElement === document.body || document.activeElement === mainPart();

const mainPart = (): HTMLElement | null => document.querySelector<HTMLElement>('main[tabindex]');

/**
 * Gives the focus to what is like the element that had it, once it is there, unless the user went elsewhere;
 * until then, and where nothing like it comes back, the view has it, so that the keyboard goes on there.
 */
export function giveFocus(place: ParentNode): void {
  if (!held || !isFree()) return;
  const { tag, id, text } = held;
  const same = [...place.querySelectorAll<HTMLElement>(tag)].find((one) =>
    id ? one.id === id : one.textContent === text,
  );
  same?.focus({ preventScroll: true });
  if (same && document.activeElement === same) held = undefined;
  else focusMain();
}

/** Gives the focus to the view, if nothing has it. */
export function focusMain(): void {
  if (isFree()) mainPart()?.focus({ preventScroll: true });
}

/** Does something while a button can not be pressed again; it has the focus afterwards if it had it before. */
export async function whileBusy(button: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  const had = document.activeElement === button;
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
    if (had && isFree()) button.focus({ preventScroll: true });
  }
}

/** Changes what `place` holds; the focus stays on what is there again. */
export function keepFocus(place: Element, work: () => void): void {
  if (place !== document.activeElement && place.contains(document.activeElement)) holdFocus();
  work();
  giveFocus(place);
}

/** Says something to screen readers. */
export function announce(text: string): void {
  const place = document.getElementById('announce');
  if (place) place.textContent = text;
}
