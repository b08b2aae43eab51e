// Where one is: everything a view depends on is in the URL, so that a link shows the same view.
import { sharedHash } from './session';

/** What survives a change of view; the rest of the query belongs to one view. */
const SHARED = ['range', 'from', 'to', 'tz', 'compare', 'interval', 'filters'];

/** Changes to the query; undefined takes a parameter away. */
export type Changes = Record<string, string | undefined>;

/** The parameters of the URL. */
export const params = (): URLSearchParams => new URLSearchParams(location.search);

/** The link to this place with changes. A change of `view` keeps what all share. */
export function href(changes: Changes): string {
  const now = params();
  const kept =
    'view' in changes && changes['view'] !== (now.get('view') ?? undefined)
      ? new URLSearchParams([...now].filter(([name]) => SHARED.includes(name)))
      : now;
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') kept.delete(name);
    else kept.set(name, value);
  }
  // The view first, as one would write it.
  const view = kept.get('view');
  kept.delete('view');
  const rest = kept.toString();
  return `?${[view ? `view=${encodeURIComponent(view)}` : '', rest].filter(Boolean).join('&')}${sharedHash}`;
}

/** Goes there; `replace` leaves no step in the history. */
export function go(changes: Changes, replace = false): void {
  visit(new URL(href(changes), location.href), replace);
}

/** Writes into the URL what is shown already: nothing is shown anew. */
export function setQuietly(changes: Changes): void {
  history.replaceState(null, '', new URL(href(changes), location.href));
}

function visit(url: URL, replace: boolean): void {
  if (replace) history.replaceState(null, '', url);
  else if (url.href !== location.href) history.pushState(null, '', url);
  dispatchEvent(new Event('placechange'));
}

/** Calls `changed` whenever the place is another: by link, by `go`, by back and forward. */
export function watchPlace(changed: () => void): void {
  addEventListener('popstate', changed);
  addEventListener('placechange', changed);
  document.addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    // By its attributes: a link of SVG has no others.
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const to = link?.getAttribute('href');
    if (!link || to === null || to === undefined || link.hasAttribute('target') || link.hasAttribute('download'))
      return;
    const url = new URL(to, location.href);
    if (url.origin !== location.origin || url.pathname !== location.pathname || url.hash !== sharedHash) return;
    event.preventDefault();
    visit(url, false);
  });
}
