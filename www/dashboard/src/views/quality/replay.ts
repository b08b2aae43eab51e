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

/** The API lists so many a page, and replays so many a call. */
const PAGE = 500;
const A_CALL = 100;
/** So many pages are listed: those after them are left for the next replay. */
const MAX_PAGES = 20;

/** What is needed of it. */
interface Replay {
  selection: Selection;
  /** The site whose dead letters are looked at; all where it is left out. */
  site: string | undefined;
  /** Where it is told how far it is. */
  place: HTMLElement;
  signal: AbortSignal;
}

/** The path of a page of the list. */
export const listPath = (limit: number, site: string | undefined, cursor?: string | null): string => {
  const query = { limit: String(limit), ...(site !== undefined && { siteId: site }), ...(cursor && { cursor }) };
  return `/v1/dead-letters?${new URLSearchParams(query).toString()}`;
};

const keyOf = ({ siteId, partId }: DeadLetter): string => `${siteId}/${partId}`;

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });

/** Those that are listed now and selected, by site and part. */
async function listed({ selection, site, signal }: Replay): Promise<Map<string, DeadLetter>> {
  const found = new Map<string, DeadLetter>();
  let cursor: string | null = null;
  for (let n = 0; n < MAX_PAGES; n += 1) {
    const page: DeadLetters = await call<DeadLetters>(listPath(PAGE, site, cursor), { admin: true, signal });
    for (const letter of page.deadLetters)
      if (selection.partIds?.includes(letter.partId) ?? true) found.set(keyOf(letter), letter);
    cursor = page.nextCursor;
    if (cursor === null) break;
  }
  return found;
}

/** Does it, and says what came of it. */
export async function replay(asked: Replay): Promise<void> {
  const { place, signal } = asked;
  try {
    // As they are now: what is shown may be a minute old.
    const before = await listed(asked);
    const sent = await send(asked, before.size);
    const [stored, handed, failed] = await watch(asked, before);
    if (signal.aborted) return;
    // Of what a sink refused, the sink alone will tell: it is tried again, and listed if it is refused again.
    const open = before.size - stored - handed - failed;
    const parts = [
      (stored > 0 || handed === 0) && `${number(stored)} stored`,
      handed > 0 && `${number(handed)} handed to the sink again`,
      failed > 0 && `${number(failed)} failed again`,
      open > 0 && `${number(open)} not seen to end yet`,
    ]
      .filter(Boolean)
      .join(', ');
    const text = `Replayed ${number(sent)}: ${parts}.`;
    fill(place, h('p', { class: failed > 0 ? 'replay-said warn' : 'replay-said good' }, text));
    announce(text);
  } catch (error) {
    if (!signal.aborted)
      fill(
        place,
        failure(error, () => void replay(asked)),
      );
  }
}

/** Sends them to the queue, in as many calls as it takes for `all`; how many. */
async function send({ selection, place, signal }: Replay, all: number): Promise<number> {
  let sent = 0;
  // Those stay listed until they are stored, so that `more` alone would have them replayed again and again.
  for (let n = 0; n < Math.ceil(all / A_CALL); n += 1) {
    fill(place, progressBar('Replaying', sent, all, `${number(sent)} of ${number(all)}`));
    const { replayed, more } = await call<{ replayed: number; missing: number; more: boolean }>(
      '/v1/dead-letters/replay',
      { admin: true, body: selection, signal },
    );
    sent += replayed;
    if (!more) break;
  }
  return sent;
}

/** Waits until each is stored, handed to its sink, or has failed again; how many of each. */
async function watch(
  asked: Replay,
  before: ReadonlyMap<string, DeadLetter>,
): Promise<readonly [stored: number, handed: number, failed: number]> {
  const { place, signal } = asked;
  let [stored, handed, failed] = [0, 0, 0];
  for (let n = 0; n < MAX_LOOKS && !signal.aborted; n += 1) {
    const now = await listed(asked);
    const gone = [...before].filter(([key]) => !now.has(key));
    handed = gone.filter(([, { code }]) => code === 'sink_refused').length;
    stored = gone.length - handed;
    failed = [...before].filter(([key, { tries }]) => (now.get(key)?.tries ?? 0) > tries).length;
    fill(place, progressBar('Stored', gone.length, before.size, `${number(gone.length)} of ${number(before.size)}`));
    if (gone.length + failed >= before.size) break;
    await wait(LOOK_MS, signal);
  }
  return [stored, handed, failed];
}
