// Days that are over, as lines for an import: in the form of the lake, so that they keep their own time,
// country and region. Pure.
import { Random } from './random.mjs';
import { visitOf, visitorsOn } from './visits.mjs';
import { HOURS, WEEKDAYS } from './world.mjs';

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** How many events a visit has, in the mean: what turns events a day into visits a day. Held by a test. */
export const EVENTS_PER_VISIT = 11;

/** How much more there is after 30 days: something that grows is more fun to look at. */
const GROWTH_30_DAYS = 0.25;

/**
 * The lines of a day, up to a moment, in no order: none needs one.
 * @param {string} seed
 * @param {number} day days since 1970
 * @param {{ perDay: number, today: number, until: number }} how events a day, which day is the last, and the moment
 * @returns {string[]}
 */
export function linesOf(seed, day, { perDay, today, until }) {
  const weekday = new Date(day * DAY_MS).getUTCDay();
  const visits = Math.max(
    1,
    Math.round((perDay / EVENTS_PER_VISIT) * WEEKDAYS[weekday] * (1 + GROWTH_30_DAYS) ** ((day - today) / 30)),
  );
  const hours = /** @type {[number, number][]} */ (HOURS.map((weight, hour) => [hour, weight]));
  return visitorsOn(seed, day, visits).flatMap((visitor, index) => {
    const random = new Random(seed, 'time', day, index);
    const local = random.weighted(hours) - visitor.ahead;
    let at = day * DAY_MS + ((local + 24) % 24) * HOUR_MS + random.whole(0, HOUR_MS - 1);
    // What would run over midnight is moved: a day's lines are of that day.
    const acts = visitOf(seed, `${day}-${index}`, visitor);
    const length = acts.reduce((sum, { after }) => sum + after, 0);
    at = Math.min(at, (day + 1) * DAY_MS - 1 - length);
    return acts.flatMap((act) => ((at += act.after) < until ? [line(act, visitor, at)] : []));
  });
}

/**
 * @param {import('./visits.mjs').Act} act
 * @param {import('./visits.mjs').Visitor} visitor
 * @param {number} at
 */
function line({ after: _, source = 'tracker', ...event }, { agent, country, region }, at) {
  const ofPage = source === 'tracker' && {
    country,
    region,
    metadata: { userAgent: agent, ipAddress: '192.0.2.1', platform: 'web' },
  };
  return JSON.stringify({ ...event, source, timestamp: at, receivedAt: at, schemaVersion: 1, ...ofPage });
}
