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
}

/** Raised when the read token is refused: the shell asks to sign in again. */
export const REFUSED = 'tokenrefused';

async function send(path: string, { signal, method, body, admin }: Options, headers: Record<string, string>): Promise<Response> {
  const tokens = session();
  const sent: Record<string, string> = { ...headers, Authorization: `Bearer ${(admin ? tokens?.admin : tokens?.read) ?? ''}` };
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
  if (answer.status === 401 && !admin) dispatchEvent(new Event(REFUSED));
  throw problem;
}

async function problemOf(answer: Response): Promise<Problem> {
  const told: unknown = await answer.json().catch(() => null);
  const text = (name: string): string => {
    const value: unknown = told && typeof told === 'object' ? (told as Record<string, unknown>)[name] : undefined;
    return typeof value === 'string' ? value : '';
  };
  return new Problem(answer.status, text('code') || `http_${answer.status}`, text('detail') || text('title') || `The answer was ${answer.status}.`, text('field'));
}

/** Calls the API and reads JSON; undefined where the answer has no body. Throws a {@link Problem}. */
export async function call<T>(path: string, options: Options = {}): Promise<T> {
  const answer = await send(path, options, {});
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

/** How a view reads: a GET with the read token. See {@link reader}. */
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

async function read<T>(path: string, signal: AbortSignal): Promise<T> {
  const kept = memory.get(path);
  const asker = session()?.read;
  const answer = await send(path, { signal }, kept?.etag ? { 'If-None-Match': kept.etag } : {});
  const data = answer.status === 304 && kept ? (kept.data as T) : ((await answer.json()) as T);
  // Somebody else may have signed in meanwhile.
  if (asker === session()?.read) {
    memory.delete(path);
    memory.set(path, { etag: answer.headers.get('ETag'), data, at: Date.now() });
    for (const oldest of memory.keys()) {
      if (memory.size <= MAX_KEPT) break;
      memory.delete(oldest);
    }
  }
  return data;
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
