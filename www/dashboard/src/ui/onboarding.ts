// Before the first event: what to paste, and the moment it works.
import { LATEST, type Live, type Recent } from '../answers';
import { call } from '../api';
import type { Get } from '../reads';
import { fill, h } from '../dom';

/** How often to look for the first event, milliseconds. */
const LOOK_MS = 2_000;

/** The snippet as text, for a site whose key is not known here. */
export const snippetText = (origin: string, key: string): string =>
  '<script>typeof shoreline=="function"||(window.shoreline=function(){arguments.t=Date.now();' +
  '(shoreline.q=shoreline.q||[]).push(arguments)})</script>\n' +
  `<script defer src="${origin}/shoreline.js" data-key="${key}"></script>`;

/** The snippet with further attributes of the script tag, each with a space before it. */
export function withAttributes(snippet: string, attributes: string): string {
  const end = snippet.lastIndexOf('></script>');
  return `${snippet.slice(0, end)}${attributes}${snippet.slice(end)}`;
}

/** A text to copy, with its button. */
export function copyable(text: string, label: string): HTMLElement {
  const button = h('button', { type: 'button', class: 'button small' }, 'Copy');
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(text).then(
      () => fill(button, 'Copied'),
      () => fill(button, 'Select and copy'),
    );
  });
  return h('div', { class: 'copyable' }, h('pre', { tabindex: 0, 'aria-label': label }, text), button);
}

/** Whether a live answer holds any event. */
const hasEvents = (live: Live): boolean => live.minutes.some(({ counts }) => Object.keys(counts).length > 0);

/** Whether a site never had an event: neither stored, nor now, nor counted. */
export async function isNew(get: Get): Promise<boolean> {
  if ((await get<Recent>(LATEST)).events.length > 0) return false;
  if (hasEvents(await get<Live>('/v1/analytics/live'))) return false;
  return (await get<{ metrics?: { totalEvents: number } }>('/health')).metrics?.totalEvents === 0;
}

/** No events yet: looks for the first one, and says when it is there. `done` shows what waits behind. */
export function onboarding(site: string, signal: AbortSignal, done: () => void): HTMLElement {
  const state = h(
    'p',
    { class: 'waiting', role: 'status' },
    h('span', { class: 'pulse', 'aria-hidden': 'true' }),
    'Waiting for the first event…',
  );
  const look = async (): Promise<void> => {
    try {
      if (document.visibilityState === 'visible' && hasEvents(await call<Live>('/v1/analytics/live', { signal }))) {
        clearInterval(timer);
        state.classList.add('arrived');
        fill(
          state,
          'The first event is here. ',
          h('button', { type: 'button', class: 'button primary', on: { click: done } }, 'See it live'),
        );
      }
    } catch {
      // Asked again in a moment.
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  void look();
  const snippet = snippetText(location.origin, 'KEY');
  const paste = h('div', null, copyable(snippet, 'The snippet'));
  const local = h('input', { id: 'onboarding-local', type: 'checkbox', 'aria-describedby': 'onboarding-local-hint' });
  local.addEventListener('change', () =>
    fill(paste, copyable(local.checked ? withAttributes(snippet, ' data-include-local') : snippet, 'The snippet')),
  );
  return h(
    'div',
    { class: 'onboarding' },
    h('h2', null, 'No events yet'),
    h(
      'p',
      null,
      'Paste this into the pages of ',
      h('b', null, site),
      ', with its browser key in place of KEY. Settings makes one.',
    ),
    paste,
    h(
      'div',
      { class: 'tick' },
      local,
      h('label', { for: 'onboarding-local' }, 'My page is on this machine (localhost)'),
      h(
        'p',
        { id: 'onboarding-local-hint', class: 'hint' },
        'Pages on localhost, and browsers that a program drives, count only with data-include-local; their ' +
          'console says so. The site’s origins must have them, too: http://localhost:*.',
      ),
    ),
    state,
  );
}
