// Replays dead letters, as many calls as it takes, and watches until they are stored.
import { call } from '../../api';
import { announce, fill, h } from '../../dom';
import { number } from '../../format';
import { failure, progressBar } from '../../ui/states';

/** A dead letter. */
export interface DeadLetter {
  siteId: string;
  partId: string;
  code: string;
  detail: string | null;
  receivedAt: number;
  events: number;
  firstAt: number;
  lastAt: number;
  tries: number;
  objectKey: string;
}

/** `GET /v1/dead-letters` */
export interface DeadLetters {
  deadLetters: DeadLetter[];
  nextCursor: string | null;
}

/** The body of `POST /v1/dead-letters/replay`. */
export interface Selection {
  all?: true;
  siteId?: string;
  partIds?: string[];
  force?: true;
}

/** How often the list is asked whether they are stored, milliseconds, and how often at most: two minutes. */
const LOOK_MS = 1_000;
const MAX_LOOKS = 120;

/** A replay takes at most 100 a call; so many calls are made at most. */
const MAX_CALLS = 1_000;

/** What is needed of it. */
interface Replay {
  selection: Selection;
  /** Those that are watched. */
  letters: readonly DeadLetter[];
  /** Where it is told how far it is. */
  place: HTMLElement;
  signal: AbortSignal;
  /** The path of the list. */
  path: string;
}

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });

/** Does it, and says what came of it. */
export async function replay(asked: Replay): Promise<void> {
  const { place, signal, path } = asked;
  try {
    // As they are now: what is shown may be a minute old.
    const now = await call<DeadLetters>(path, { admin: true, signal });
    const letters = now.deadLetters.filter(({ siteId, partId }) => asked.letters.some((one) => one.partId === partId && one.siteId === siteId));
    const sent = await send(asked);
    const [stored, failed] = await watch({ ...asked, letters });
    if (signal.aborted) return;
    const open = letters.length - stored - failed;
    const parts = [`${number(stored)} stored`, failed > 0 && `${number(failed)} failed again`, open > 0 && `${number(open)} not seen to end yet`].filter(Boolean).join(', ');
    const text = `Replayed ${number(sent)}: ${parts}.`;
    fill(place, h('p', { class: failed > 0 ? 'replay-said warn' : 'replay-said good' }, text));
    announce(text);
  } catch (error) {
    if (!signal.aborted) fill(place, failure(error, () => void replay(asked)));
  }
}

/** Sends them to the queue; how many. */
async function send({ selection, letters, place, signal }: Replay): Promise<number> {
  let sent = 0;
  for (let n = 0; n < MAX_CALLS; n += 1) {
    fill(place, progressBar('Replaying', sent, Math.max(letters.length, sent), number(sent)));
    const { replayed, more } = await call<{ replayed: number; missing: number; more: boolean }>('/v1/dead-letters/replay', { admin: true, body: selection, signal });
    sent += replayed;
    if (!more) break;
  }
  return sent;
}

/** Waits until each is stored, or has failed again; how many of either. */
async function watch({ letters, place, signal, path }: Replay): Promise<readonly [stored: number, failed: number]> {
  let [stored, failed] = [0, 0];
  for (let n = 0; n < MAX_LOOKS && !signal.aborted; n += 1) {
    const now = await call<DeadLetters>(path, { admin: true, signal });
    const listed = new Map(now.deadLetters.map((letter) => [`${letter.siteId}/${letter.partId}`, letter.tries]));
    const tries = letters.map(({ siteId, partId, tries: before }) => ({ before, now: listed.get(`${siteId}/${partId}`) }));
    stored = tries.filter(({ now: left }) => left === undefined).length;
    failed = tries.filter(({ now: left, before }) => left !== undefined && left > before).length;
    fill(place, progressBar('Stored', stored, letters.length, `${number(stored)} of ${number(letters.length)}`));
    if (stored + failed >= letters.length) break;
    await wait(LOOK_MS, signal);
  }
  return [stored, failed];
}
