// Who is signed in: tokens in this tab's session storage, never in a URL, gone with the tab. The token of a shared link
// is the other way round: it stands in the URL, behind the #, which is not sent, and is kept nowhere.
import type { Filter } from './filters';

/** The tokens of a session. */
export interface Session {
  /** `slr_SITE_…`: reads one site. */
  read: string;
  /** `sla_…`: sites, keys, erasure, dead letters; empty where none was given. */
  admin: string;
  /** The site's time zone, where it has one of its own. */
  zone?: string | undefined;
  /** What a shared link may show, where the read token is one's. */
  link?: SharedLink | undefined;
  /** The link's password. */
  password?: string | undefined;
}

/** What a shared link shows. */
export interface SharedLink {
  name: string;
  views: string[];
  /** What everything is narrowed to. */
  filters: Filter | null;
}

/** `GET /v1/analytics/site` */
export interface AboutSite {
  siteId: string;
  name: string;
  timeZone: string | null;
  link: SharedLink | null;
}

/** The call that tells about the site of a token. */
export const ABOUT = '/v1/analytics/site';

/** Whether this page was opened by a shared link. */
export const isShared = location.pathname.startsWith('/shared/');

/** What every link of the page ends with: the token of a shared link, with its #. */
export const sharedHash = isShared ? location.hash : '';

const KEY = 'shoreline-session';

let memory: Session | undefined;

/** The session, if somebody is signed in. */
export function session(): Session | undefined {
  if (memory || isShared) return memory;
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    if (kept && typeof kept === 'object' && 'read' in kept && typeof kept.read === 'string') {
      const admin = 'admin' in kept && typeof kept.admin === 'string' ? kept.admin : '';
      const zone = 'zone' in kept && typeof kept.zone === 'string' ? kept.zone : undefined;
      memory = { read: kept.read, admin, zone };
    }
  } catch {
    // No storage: the session lasts as long as the page.
  }
  return memory;
}

/** Begins a session, or changes its tokens. */
export function signIn(tokens: Session): void {
  memory = tokens;
  if (isShared) return;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(tokens));
  } catch {
    // As above.
  }
}

/** Ends it. */
export function signOut(): void {
  memory = undefined;
  if (isShared) return;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}

/** The site that a token reads, which is written in it. */
export const siteOf = (token: string): string => /^sl[rv]_([a-z0-9-]{1,40})_/.exec(token)?.[1] ?? '';
