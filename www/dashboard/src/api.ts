// The one way to the API: tokens, errors as problems, ETags, requests that end with the view.
import { session } from './session';

/** What went wrong, as RFC 9457 tells it, or as we do where nobody answered. */
export class Problem extends Error {
  constructor(
    /** HTTP's status; 0 where there was no answer. */
    readonly status: number,
    /** Stable: what a program goes by. */
    readonly code: string,
    message: string,
    /** The parameter or field that is wrong. */
    readonly field = '',
  ) {
    super(message);
    this.name = 'Problem';
  }
}

/** Options of a call. */
export interface Options {
  /** Ends the request. */
  signal?: AbortSignal | undefined;
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON; makes it a POST. */
  body?: unknown;
  /** With the admin token instead of the read token. */
  admin?: boolean;
  /** With this key instead of either: a source key, which is kept nowhere. */
  key?: string;
}

/** Raised when the read token is refused: the shell asks to sign in again. */
export const REFUSED = 'tokenrefused';

async function send(
  path: string,
  { signal, method, body, admin, key }: Options,
  headers: Record<string, string>,
): Promise<Response> {
  const tokens = session();
  const sent: Record<string, string> = {
    ...headers,
    Authorization: `Bearer ${key ?? (admin ? tokens?.admin : tokens?.read) ?? ''}`,
  };
  if (body !== undefined) sent['Content-Type'] = 'application/json';
  let answer: Response;
  try {
    // What is kept is kept in `memory`, which ends with the session; nothing of a site goes to the disk.
    answer = await fetch(path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: sent,
      body: body === undefined ? null : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, 'unreachable', 'Shoreline cannot be reached. Is the network there?');
  }
  if (answer.ok || answer.status === 304) return answer;
  const problem = await problemOf(answer);
  if (answer.status === 401 && !admin && key === undefined) dispatchEvent(new Event(REFUSED));
  throw problem;
}

async function problemOf(answer: Response): Promise<Problem> {
  const told: unknown = await answer.json().catch(() => null);
  const text = (name: string): string => {
    const value: unknown = told && typeof told === 'object' ? (told as Record<string, unknown>)[name] : undefined;
    return typeof value === 'string' ? value : '';
  };
  return new Problem(
    answer.status,
    text('code') || `http_${answer.status}`,
    text('detail') || text('title') || `The answer was ${answer.status}.`,
    text('field'),
  );
}

/** Calls the API and reads JSON; undefined where the answer has no body. Throws a {@link Problem}. */
export async function call<T>(path: string, options: Options = {}): Promise<T> {
  const answer = await send(path, options, {});
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

/** Paths that are read with the admin token. */
const ADMIN_PATH = /^\/v1\/(sites|dead-letters)\b/;

/** A question, which is asked by POST, as a text that can be read and kept like a path. */
export const question = (path: string, body: object): string => `${path}\n${JSON.stringify(body)}`;

/** How a view reads: a path, or a {@link question}. See {@link reader}. */
export type Get = <T>(path: string) => Promise<T>;

interface Kept {
  etag: string | null;
  data: unknown;
  at: number;
}

/** So many answers are kept, so that going back shows them at once; the one not asked for longest goes. */
const MAX_KEPT = 64;
const memory = new Map<string, Kept>();

/** Forgets every answer: another token may not see them. */
export const forget = (): void => memory.clear();

/** When an answer was last known to be true (Unix ms). */
export const knownAt = (path: string): number | undefined => memory.get(path)?.at;

/** Nothing is kept of this path. */
export class Miss extends Error {}

/** Reads what is kept, or throws a {@link Miss}. */
export const fromMemory: Get = async <T>(path: string): Promise<T> => {
  const kept = memory.get(path);
  if (!kept) throw new Miss();
  return kept.data as T;
};

const waiting = new WeakMap<AbortSignal, Map<string, Promise<unknown>>>();

/**
 * Reads for one view: its requests end with `signal`, the same path is asked once, and an answer that did
 * not change is the same object as before.
 */
export function reader(signal: AbortSignal): Get {
  return <T>(path: string): Promise<T> => {
    const own = waiting.get(signal) ?? new Map<string, Promise<unknown>>();
    waiting.set(signal, own);
    const asked = own.get(path);
    if (asked) return asked as Promise<T>;
    const asking = read<T>(path, signal).finally(() => own.delete(path));
    own.set(path, asking);
    return asking;
  };
}

async function read<T>(asked: string, signal: AbortSignal): Promise<T> {
  const kept = memory.get(asked);
  const [path = '', body] = asked.split('\n', 2);
  const admin = ADMIN_PATH.test(path);
  const token = (): string | undefined => (admin ? session()?.admin : session()?.read);
  const asker = token();
  const answer = await send(
    path,
    { signal, admin, body: body === undefined ? undefined : JSON.parse(body) },
    kept?.etag ? { 'If-None-Match': kept.etag } : {},
  );
  const fresh = answer.status === 304 && kept ? (kept.data as T) : ((await answer.json()) as T);
  // What has no ETag is compared, so that who shows it need not draw it again.
  const data = kept && !kept.etag && JSON.stringify(kept.data) === JSON.stringify(fresh) ? (kept.data as T) : fresh;
  // Somebody else may have signed in meanwhile.
  if (asker === token()) {
    memory.delete(asked);
    memory.set(asked, { etag: answer.headers.get('ETag'), data, at: Date.now() });
    for (const oldest of memory.keys()) {
      if (memory.size <= MAX_KEPT) break;
      memory.delete(oldest);
    }
  }
  return data;
}

/** Null where this collector has no such call. */
export async function ifOffered<T>(asking: Promise<T>): Promise<T | null> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/** Downloads a table as the API writes it: `format=csv` is added to the path. */
export async function downloadCsv(path: string, name: string, signal?: AbortSignal): Promise<void> {
  const answer = await send(`${path}${path.includes('?') ? '&' : '?'}format=csv`, { signal }, {});
  save(await answer.blob(), name);
}

/** Hands a file to the browser's downloads. */
export function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
