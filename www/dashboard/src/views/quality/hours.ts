// The hours that the ledger's panels are about.
import { day, minute } from '../../format';

export const HOUR_MS = 3_600_000;
const DEFAULT_HOURS = 24;
/** The API answers at most so many. */
const MAX_HOURS = 744;

/** How many hours the URL asks for, the running one included. */
export function hoursOf(params: URLSearchParams): number {
  const hours = Number(params.get('hours') ?? DEFAULT_HOURS);
  return Number.isInteger(hours) && hours >= 1 && hours <= MAX_HOURS ? hours : DEFAULT_HOURS;
}

/** The starts of the last so many hours, ascending (Unix ms). */
export function lastHours(hours: number, now: number): number[] {
  const running = Math.floor(now / HOUR_MS) * HOUR_MS;
  return Array.from({ length: hours }, (_, n) => running - (hours - 1 - n) * HOUR_MS);
}

/** Hours on an axis: of a day by the clock, of more by the date. */
export const hourAxis = (hours: number): ((ms: number) => string) =>
  hours <= 25 ? minute : (ms) => day(new Date(ms).toISOString().slice(0, 10));
