// What happens now: by WebSocket, and by asking every few seconds where there is none.
import type { Live } from './answers';
import { call } from './api';

/** How it comes: by the socket, by asking, or not at all at the moment. */
export type Link = 'stream' | 'polling' | 'lost';

/** A frame of the stream. */
interface Frame {
  type: 'state' | 'delta';
  seq: number;
  data: Partial<Live>;
}

/** How often to ask while there is no socket, milliseconds. */
const POLL_MS = 5_000;
/** As often as the edge wants to hear that somebody reads; without an answer until the next one the socket is dead. */
const PING_MS = 10_000;
/** The first wait before the socket is tried again, and the longest. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** The live answer has so many minutes. */
const MINUTES = 60;
const MINUTE_MS = 60_000;

/** The state after a delta: what it does not name stays; of minutes it names those that changed. */
function merge(state: Live, delta: Partial<Live>): Live {
  const minutes = new Map(state.minutes.map((minute) => [minute.minute, minute]));
  for (const minute of delta.minutes ?? []) minutes.set(minute.minute, minute);
  const sorted = [...minutes.values()].sort((a, b) => a.minute - b.minute).slice(-MINUTES);
  return { ...state, ...delta, minutes: sorted };
}

/** The state at a later moment (Unix ms) in which nothing happened: the minutes go on. */
function advance(state: Live, now: number): Live {
  const last = state.minutes.at(-1)?.minute ?? 0;
  const missing = Math.min(MINUTES, Math.floor((now - last) / MINUTE_MS));
  if (missing < 1 || last === 0) return state;
  const end = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const minutes = Array.from({ length: missing }, (_, n) => ({
    minute: end - (missing - 1 - n) * MINUTE_MS,
    counts: {},
  }));
  return merge(state, { minutes });
}

/** Follows the live counts until `signal` ends. */
export function follow(signal: AbortSignal, onData: (data: Live) => void, onLink: (link: Link) => void): void {
  let state: Live | undefined;
  let socket: WebSocket | undefined;
  let streaming = false;
  // By how much the edge's clock is ahead of ours.
  let ahead = 0;
  let failures = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const poll = async (): Promise<void> => {
    if (streaming || signal.aborted || (document.visibilityState !== 'visible' && state)) return;
    try {
      const data = await call<Live>('/v1/analytics/live', { signal });
      if (streaming || signal.aborted) return;
      state = data;
      ahead = data.asOf - Date.now();
      onLink('polling');
      onData(data);
    } catch {
      if (!signal.aborted && !streaming) onLink('lost');
    }
  };
  const later = (): void => {
    if (signal.aborted) return;
    // Anywhere in the upper half, so that not all dashboards come back at once.
    const wait = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
    failures += 1;
    clearTimeout(retry);
    retry = setTimeout(() => void connect(), wait);
  };
  const drop = (): void => {
    if (!socket) return;
    const old = socket;
    socket = undefined;
    old.close();
    if (signal.aborted) return;
    streaming = false;
    void poll();
    later();
  };
  const connect = async (): Promise<void> => {
    let ticket: string;
    try {
      ({ ticket } = await call<{ ticket: string }>('/v1/analytics/live/ticket', { method: 'POST', signal }));
    } catch {
      later();
      return;
    }
    if (signal.aborted) return;
    const own = new WebSocket(
      `${location.origin.replace('http', 'ws')}/v1/analytics/live/stream?ticket=${encodeURIComponent(ticket)}`,
    );
    socket = own;
    let seq: number | undefined;
    let heard = true;
    const pings = setInterval(() => {
      if (!heard) return drop();
      heard = false;
      if (own.readyState === WebSocket.OPEN) own.send('ping');
    }, PING_MS);
    own.addEventListener('close', () => {
      clearInterval(pings);
      if (socket === own) drop();
    });
    own.addEventListener('message', ({ data }) => {
      heard = true;
      if (socket !== own || typeof data !== 'string' || data === 'pong') return;
      const frame = read(data);
      if (!frame) return drop();
      if (frame.type === 'state') state = frame.data as Live;
      else if (state && seq !== undefined && frame.seq === seq + 1) state = merge(state, frame.data);
      // Something was missed: the next connection begins with the state.
      else return drop();
      seq = frame.seq;
      ahead = state.asOf - Date.now();
      streaming = true;
      failures = 0;
      onLink('stream');
      onData(state);
    });
  };
  const polls = setInterval(() => {
    // A quiet stream says nothing of the minutes that pass.
    if (state) {
      const later = advance(state, Date.now() + ahead);
      if (later !== state) onData((state = later));
    }
    void poll();
  }, POLL_MS);
  const seen = (): void => void poll();
  document.addEventListener('visibilitychange', seen, { signal });
  signal.addEventListener(
    'abort',
    () => {
      clearInterval(polls);
      clearTimeout(retry);
      socket?.close();
    },
    { once: true },
  );
  void poll();
  void connect();
}

function read(text: string): Frame | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    if (frame && typeof frame === 'object' && 'seq' in frame && 'data' in frame && 'type' in frame)
      return frame as Frame;
  } catch {
    // Not ours.
  }
  return undefined;
}
