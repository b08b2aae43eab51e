// What views read: each path once, kept for going back, and questions that are asked together in one call.
import { partsOf, send } from './api';
import { gather } from './gather';
import { session } from './session';

/** Any question (docs/API.md). */
export const QUERY = '/v1/analytics/query';

/** Paths that are read with the admin token. */
const ADMIN_PATH = /^\/v1\/(sites|dead-letters)\b/;

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
    const asking = (path.startsWith(`${QUERY}\n`) ? gathered<T>(path, signal) : read<T>(path, signal)).finally(() =>
      own.delete(path),
    );
    own.set(path, asking);
    return asking;
  };
}

async function read<T>(asked: string, signal: AbortSignal): Promise<T> {
  const kept = memory.get(asked);
  const [path, body] = partsOf(asked);
  const admin = ADMIN_PATH.test(path);
  const token = (): string | undefined => (admin ? session()?.admin : session()?.read);
  const asker = token();
  const answer = await send(path, { signal, admin, body }, kept?.etag ? { 'If-None-Match': kept.etag } : {});
  const fresh = answer.status === 304 && kept ? (kept.data as T) : ((await answer.json()) as T);
  // Somebody else may have signed in meanwhile.
  return asker === token() ? keep(asked, fresh, answer.headers.get('ETag')) : fresh;
}

/** Keeps an answer; one that did not change is the same object as before, so that nobody need draw it again. */
function keep<T>(asked: string, fresh: T, etag: string | null): T {
  const kept = memory.get(asked);
  const data = kept && !kept.etag && JSON.stringify(kept.data) === JSON.stringify(fresh) ? (kept.data as T) : fresh;
  memory.delete(asked);
  memory.set(asked, { etag, data, at: Date.now() });
  for (const oldest of memory.keys()) {
    if (memory.size <= MAX_KEPT) break;
    memory.delete(oldest);
  }
  return data;
}

/** Questions that wait for others, by the view that asks. */
const asking = new WeakMap<AbortSignal, (asked: string) => Promise<unknown>>();

/** Reads a question, with others that are asked at the same moment. */
function gathered<T>(asked: string, signal: AbortSignal): Promise<T> {
  let ask = asking.get(signal);
  if (!ask) {
    ask = gather({
      one: (text) => read(text, signal),
      many: async (body) => {
        const answer = await send(`${QUERY}/panels`, { signal, body }, {});
        return ((await answer.json()) as { panels: unknown[] }).panels;
      },
      keep: (text, answer) => (signal.aborted ? answer : keep(text, answer, null)),
    });
    asking.set(signal, ask);
  }
  return ask(asked) as Promise<T>;
}
