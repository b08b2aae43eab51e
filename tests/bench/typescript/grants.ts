// Which site a key belongs to, and which pages may use it: from D1, remembered for a minute.

export interface Grant {
  siteId: string;
  origins: string[];
}

const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 10_000;
const remembered = new Map<string, { grant: Grant | undefined; until: number }>();

/** The grant of a browser key. */
export async function grantOf(key: string, db: D1Database): Promise<Grant | undefined> {
  const known = remembered.get(key);
  if (known && known.until > Date.now()) return known.grant;
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key)));
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const row = await db
    .prepare("SELECT site_id, origins FROM keys JOIN sites USING (site_id) WHERE key_hash = ? AND kind = 'browser'")
    .bind(hex)
    .first<{ site_id: string; origins: string }>();
  const grant = row ? { siteId: row.site_id, origins: JSON.parse(row.origins) as string[] } : undefined;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(key, { grant, until: Date.now() + REMEMBERED_MS });
  return grant;
}

/** Whether a page may send; `http://localhost:*` is every port. */
export const allows = ({ origins }: Grant, origin: string) =>
  origins.some((allowed) => allowed === origin || (allowed.endsWith(':*') && origin.startsWith(allowed.slice(0, -1))));
