// What happens now: visits that go on at the same time, cut into batches as the tracker would. Pure.
import { Random } from './random.mjs';
import { visitOf, visitorsOn } from './visits.mjs';

/** Visits that go on at once. */
const AT_ONCE = 40;

/** Events of a page in one batch at most; the tracker would wait five seconds for them. */
const BATCH = 4;

/**
 * One request: of a page, or of a service.
 * @typedef {{ batchId: string, visitor: import('./visits.mjs').Visitor, source?: string, acts:
 *   import('./visits.mjs').Act[] }} Batch
 */

/**
 * Batches without end, in an order that the seed decides.
 * @param {string} seed
 * @param {number} day the visitors are those of this day, and of the days before
 * @returns {Generator<Batch, never>}
 */
export function* batches(seed, day) {
  const random = new Random(seed, 'live', day);
  const crowd = visitorsOn(seed, day, 400);
  let begun = 0;
  const begin = () => {
    const visitor = random.pick(crowd);
    return { visitor, acts: visitOf(seed, `live-${day}-${(begun += 1)}`, visitor) };
  };
  const going = Array.from({ length: AT_ONCE }, begin);
  for (;;) {
    const place = random.whole(0, going.length - 1);
    const { visitor, acts } = going[place];
    const { source } = acts[0];
    const other = acts.findIndex((act) => act.source !== source);
    const taken = acts.splice(0, Math.min(other < 0 ? acts.length : other, random.whole(1, BATCH)));
    if (acts.length === 0) going[place] = begin();
    yield { batchId: random.uuid(), visitor, source, acts: taken };
  }
}
