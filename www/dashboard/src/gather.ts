// Questions about the same days, asked at the same moment, go in one call, which one scan answers.
import { Problem, partsOf } from './api';
import { type Filter, isSame, partsOf as filtersIn, whole } from './filters';

/** The API takes so many a call. */
const MOST = 20;

/** How they are asked. */
export interface Ways {
  /** Asks one by itself. */
  one: (asked: string) => Promise<unknown>;
  /** Asks many: the answers in the order of the panels. */
  many: (body: object) => Promise<unknown[]>;
  /** Keeps an answer. */
  keep: (asked: string, answer: unknown) => unknown;
}

interface Body {
  range?: unknown;
  timeZone?: unknown;
  compare?: unknown;
  filters?: unknown;
  [field: string]: unknown;
}

interface Waiting {
  asked: string;
  body: Body;
  resolve: (answer: unknown) => void;
  reject: (error: unknown) => void;
}

/** Whether the collector has the call: none that was asked said that it has not. */
let isOffered = true;

/** Asks a question with those that are asked before the next turn. */
export function gather(ways: Ways): (asked: string) => Promise<unknown> {
  let waiting: Waiting[] = [];
  const send = (): void => {
    const groups = groupsOf(waiting);
    waiting = [];
    for (const group of groups) void askGroup(group, ways);
  };
  return (asked) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setTimeout(send, 0);
      waiting.push({ asked, body: partsOf(asked)[1] as Body, resolve, reject });
    });
}

/** Those of the same days; who is not compared goes with those who are. */
function groupsOf(waiting: readonly Waiting[]): Waiting[][] {
  const groups: Waiting[][] = [];
  for (const one of waiting) {
    const fits = groups.find(
      (group) => group.length < MOST && group.every((other) => isTogether(one.body, other.body)),
    );
    if (fits) fits.push(one);
    else groups.push([one]);
  }
  return groups;
}

const isTogether = (a: Body, b: Body): boolean =>
  JSON.stringify([a.range, a.timeZone]) === JSON.stringify([b.range, b.timeZone]) &&
  (a.compare === undefined || b.compare === undefined || a.compare === b.compare);

async function askGroup(group: readonly Waiting[], { one, many, keep }: Ways): Promise<void> {
  const alone = (): void => group.forEach(({ asked, resolve, reject }) => void one(asked).then(resolve, reject));
  if (group.length === 1 || !isOffered) return alone();
  try {
    const answers = await many(panelsOf(group.map(({ body }) => body)));
    group.forEach(({ asked, resolve }, n) => resolve(keep(asked, answers[n])));
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 405)) isOffered = false;
    // What is wrong with one of them is said where it belongs; the others are answered.
    const isOfOne = error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 401;
    if (isOfOne) alone();
    else group.forEach(({ reject }) => reject(error));
  }
}

/** The body of the call: what all share stands outside. */
function panelsOf(bodies: readonly Body[]): object {
  const [first] = bodies;
  const filters = bodies.map((body) => filtersIn(body.filters));
  const shared = (filters[0] ?? []).filter((one) => filters.every((some) => some.some((other) => isSame(one, other))));
  const compare = bodies.find((body) => body.compare !== undefined)?.compare;
  const common = whole(shared);
  const own = (some: readonly Filter[]): Filter | undefined =>
    whole(some.filter((one) => !shared.some((other) => isSame(one, other))));
  return {
    range: first?.range,
    timeZone: first?.timeZone,
    ...(compare !== undefined && { compare }),
    ...(common && { filters: common }),
    panels: bodies.map(({ range: _r, timeZone: _z, compare: _c, filters: _f, ...rest }, n) => {
      const mine = own(filters[n] ?? []);
      return { ...rest, ...(mine && { filters: mine }) };
    }),
  };
}
