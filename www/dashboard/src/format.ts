// Numbers, times and dates as the reader's language writes them. Days are UTC's, and said to be.

const whole = new Intl.NumberFormat();
const compactNumber = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const oneDigit = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const percentage = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const change = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const longDay = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const minuteFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
});
const secondFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
});
const momentFormat = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
});

/** 12,345 */
export const number = (n: number): string => whole.format(n);

/** 12,345 below 100,000, then 123.5K: what fits a card. The whole number belongs into a `title`. */
export const short = (n: number): string => (Math.abs(n) < 100_000 ? whole.format(n) : compactNumber.format(n));

/** 12.3K: what fits an axis. */
export const tiny = (n: number): string => (Math.abs(n) < 1000 ? oneDigit.format(n) : compactNumber.format(n));

/** 0.1234 as 12.3% */
export const percent = (part: number): string => percentage.format(part);

/** By how much a figure changed, whichever way: 12%; undefined where there is nothing to compare with. */
export const changed = (now: number, before: number): string | undefined =>
  before > 0 ? change.format(Math.abs(now - before) / before) : undefined;

/** Milliseconds as 3m 20s, 1.2 s, 340 ms. */
export function duration(ms: number): string {
  if (ms < 1000) return `${whole.format(Math.round(ms))} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${oneDigit.format(Math.round(ms / 100) / 10)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  return `${whole.format(Math.floor(seconds / 3600))}h ${Math.floor((seconds % 3600) / 60)}m`;
}

/** Costs have no currency of their own on the wire: two to six digits. */
const amount = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 6 });
export const cost = (n: number): string => amount.format(n);

/** A date (`YYYY-MM-DD`) as 3 Jan. */
export const day = (date: string): string => dayFormat.format(Date.parse(date));

/** A date as Sat, 3 Jan 2026. */
export const fullDay = (date: string): string => longDay.format(Date.parse(date));

/** A moment (Unix ms) as 14:05 UTC without the zone: say UTC beside it. */
export const minute = (ms: number): string => minuteFormat.format(ms);

/** A moment as 14:05:09. */
export const second = (ms: number): string => secondFormat.format(ms);

/** A moment as 3 Jan, 14:05. */
export const moment = (ms: number): string => momentFormat.format(ms);

/** Bytes as 1.2 MB. */
export function bytes(n: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  const step = Math.min(units.length - 1, n < 1 ? 0 : Math.floor(Math.log10(n) / 3));
  return new Intl.NumberFormat(undefined, {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: 1,
  }).format(n / 1000 ** step);
}

/** `page_view` as Page view; a domain event's name stays as it is. */
export function typeName(type: string): string {
  if (type === 'ai_request') return 'AI request';
  return /^[a-z]+(_[a-z]+)*$/.test(type) ? (type.charAt(0).toUpperCase() + type.slice(1)).replaceAll('_', ' ') : type;
}
