// The one way to the API: tokens, errors as problems, files. What views read is in `reads.ts`.
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

/** Sends a request; an answer that is no success is thrown as a {@link Problem}. */
export async function send(
  path: string,
  { signal, method, body, admin, key }: Options,
  headers: Record<string, string>,
): Promise<Response> {
  const tokens = session();
  const sent: Record<string, string> = {
    ...headers,
    Authorization: `Bearer ${key ?? (admin ? tokens?.admin : tokens?.read) ?? ''}`,
  };
  if (tokens?.password) sent['X-Link-Password'] = tokens.password;
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

/** A question, which is asked by POST, as a text that can be read and kept like a path. */
export const question = (path: string, body: object): string => `${path}\n${JSON.stringify(body)}`;

/** The path and the body of what is asked. */
export function partsOf(asked: string): [path: string, body: unknown] {
  const end = asked.indexOf('\n');
  return end < 0 ? [asked, undefined] : [asked.slice(0, end), JSON.parse(asked.slice(end))];
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

/** Downloads a table as the API writes it: `format=csv` is added to the path, or to that of a {@link question}. */
export async function downloadCsv(asked: string, name: string, signal?: AbortSignal): Promise<void> {
  const [path, body] = partsOf(asked);
  const answer = await send(`${path}${path.includes('?') ? '&' : '?'}format=csv`, { signal, body }, {});
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
