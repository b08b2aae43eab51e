// Who is signed in: tokens in this tab's session storage, never in a URL, gone with the tab.

/** The tokens of a session. */
export interface Session {
  /** `slr_SITE_…`: reads one site. */
  read: string;
  /** `sla_…`: sites, keys, erasure, dead letters; empty where none was given. */
  admin: string;
}

const KEY = 'shoreline-session';

let memory: Session | undefined;

/** The session, if somebody is signed in. */
export function session(): Session | undefined {
  if (memory) return memory;
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    if (kept && typeof kept === 'object' && 'read' in kept && typeof kept.read === 'string') {
      const admin = 'admin' in kept && typeof kept.admin === 'string' ? kept.admin : '';
      memory = { read: kept.read, admin };
    }
  } catch {
    // No storage: the session lasts as long as the page.
  }
  return memory;
}

/** Begins a session, or changes its tokens. */
export function signIn(tokens: Session): void {
  memory = tokens;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(tokens));
  } catch {
    // As above.
  }
}

/** Ends it. */
export function signOut(): void {
  memory = undefined;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}

/** The site that a read token reads, which is written in it. */
export const siteOf = (token: string): string => /^slr_([a-z0-9-]{1,40})_/.exec(token)?.[1] ?? '';
