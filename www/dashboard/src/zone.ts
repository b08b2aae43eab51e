// The time zone that days and hours are of: of the URL, else the one chosen last, else the site's, else the browser's.
import { session } from './session';

const KEY = 'shoreline-zone';

/** Days of UTC are summed up by the collector; those of other zones are counted from stored events. */
export const UTC = 'UTC';

const made = new Map<string, Intl.DateTimeFormat>();

/** A format of dates by options and zone, made once. */
export function formatIn(zone: string, options: Intl.DateTimeFormatOptions, language?: string): Intl.DateTimeFormat {
  const name = JSON.stringify([zone, options, language]);
  let format = made.get(name);
  if (!format) {
    format = new Intl.DateTimeFormat(language, { ...options, timeZone: zone });
    made.set(name, format);
  }
  return format;
}

/** The zone as the browser writes it, with one name for UTC; undefined where there is none of this name. */
export function known(zone: string | null | undefined): string | undefined {
  if (!zone) return undefined;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions();
    return /^(Etc\/)?(UTC|UCT|GMT|Universal|Zulu|Greenwich)$/.test(timeZone) ? UTC : timeZone;
  } catch {
    return undefined;
  }
}

/** The browser's own. */
export const browserZone = known(Intl.DateTimeFormat().resolvedOptions().timeZone) ?? UTC;

/** What is used where the URL says nothing. */
export function preferredZone(): string {
  try {
    const chosen = known(localStorage.getItem(KEY));
    if (chosen !== undefined) return chosen;
  } catch {
    // No storage: nothing was chosen.
  }
  return known(session()?.zone) ?? browserZone;
}

/** Keeps a choice for other links; without storage it lasts as long as the URL. */
export function preferZone(zone: string): void {
  try {
    localStorage.setItem(KEY, zone);
  } catch {
    // As above.
  }
}

/** The zone that a URL asks for. */
export const zoneOf = (params: URLSearchParams): string => known(params.get('tz')) ?? preferredZone();

/** The date (`YYYY-MM-DD`) of a moment (Unix ms). Swedish writes dates so. */
export const dateIn = (zone: string, ms: number): string =>
  formatIn(zone, { year: 'numeric', month: '2-digit', day: '2-digit' }, 'sv').format(ms);
