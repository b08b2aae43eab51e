// Charts of time: by hour, day, week or month, beside what they are compared with.
import { day, fullDay, tiny } from '../format';
import type { Answer, Key, Row } from '../query';
import { COMPARES, type Compare, type Interval } from '../range';
import type { Context } from '../view';
import { formatIn } from '../zone';
import { type Series, chart } from './chart';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How far apart two x of a chart are, milliseconds; of months in the mean. */
const STEP_MS: Readonly<Record<Interval, number>> = {
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30.4 * DAY_MS,
};

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Where a chart has a time of an answer: an hour at its moment; days, weeks and months at UTC's midnight. */
export const xOf = (time: Key): number => {
  const text = String(time);
  return Date.parse(/^\d{4}-\d\d$/.test(text) ? `${text}-01` : text);
};

/** Every x of the range, in order: also those without events, of which an answer has no row. */
export function timesOf({ rows, meta }: Pick<Answer, 'rows' | 'meta'>, place: Place): number[] {
  const { interval, range } = place;
  const all = new Set(rows.map(({ dimensions }) => xOf(dimensions[0] ?? null)));
  if (interval === 'hour') {
    const end = Math.min(meta.to, Date.now());
    for (let at = meta.from; at < end; at += HOUR_MS) all.add(at);
  } else {
    const [start, end] = [Date.parse(range.start), Date.parse(range.end)];
    for (let at = start; at <= end; at += DAY_MS) all.add(firstOf(at, interval));
  }
  return [...all].sort((a, b) => a - b);
}

type Place = Pick<Context, 'interval' | 'range'>;

/** The day, the Monday before it, or the first of its month. */
function firstOf(at: number, interval: Interval): number {
  if (interval === 'week') return at - ((new Date(at).getUTCDay() + 6) % 7) * DAY_MS;
  return interval === 'month' ? Date.parse(`${dateOf(at).slice(0, 7)}-01`) : at;
}

/** The rows of an answer by time, for every x; undefined where there is none. */
export function byTime(answer: Answer, place: Place): { x: number[]; rows: (Row | undefined)[] } {
  const of = new Map(answer.rows.map((row) => [xOf(row.dimensions[0] ?? null), row]));
  const x = timesOf(answer, place);
  return { x, rows: x.map((at) => of.get(at)) };
}

const MONTH: Intl.DateTimeFormatOptions = { month: 'short', year: 'numeric' };
const HOUR: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
const DAY_HOUR: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', ...HOUR };
const LONG_HOUR: Intl.DateTimeFormatOptions = { weekday: 'short', ...DAY_HOUR };

function textOf(interval: Interval, zone: string, ms: number): string {
  if (interval === 'hour') return formatIn(zone, LONG_HOUR).format(ms);
  if (interval === 'month') return formatIn('UTC', MONTH).format(ms);
  return interval === 'week' ? `Week of ${fullDay(dateOf(ms))}` : fullDay(dateOf(ms));
}

function axisText(interval: Interval, zone: string, isOneDay: boolean, ms: number): string {
  if (interval === 'hour') return formatIn(zone, isOneDay ? HOUR : DAY_HOUR).format(ms);
  return interval === 'month' ? formatIn('UTC', MONTH).format(ms) : day(dateOf(ms));
}

/** A chart by interval; `axisY` is `show` where nothing else is said. */
export function timeChart(
  { signal, zone, range }: Pick<Context, 'signal' | 'zone' | 'range'>,
  options: {
    label: string;
    interval: Interval;
    x: readonly number[];
    series: readonly Series[];
    show: (value: number) => string;
    axisY?: (value: number) => string;
  },
): HTMLElement {
  const { label, interval, x, series, show, axisY } = options;
  return chart(
    {
      label,
      step: STEP_MS[interval],
      formatX: (ms) => textOf(interval, zone, ms),
      axisX: (ms) => axisText(interval, zone, range.days === 1, ms),
      formatY: show,
      axisY: axisY ?? tiny,
      height: 17,
    },
    { x, series },
    signal,
  ).element;
}

/** The x of days. */
export const xOfDays = (days: readonly { date: string }[]): number[] => days.map(({ date }) => Date.parse(date));

/** A series and the same of what it is compared with; bars where there is but one point. */
export function compared(
  name: string,
  now: readonly (number | null)[],
  before: readonly (number | null | undefined)[],
  compare: Compare,
): Series[] {
  if (now.length < 2) return [{ name, kind: 'bars', color: 1, values: now }];
  const line: Series = { name, kind: 'line', color: 1, values: now };
  const legend = COMPARES.find(([one]) => one === compare)?.[2];
  if (compare === 'none' || legend === undefined) return [line];
  return [line, { name: legend, kind: 'dashed', color: 6, values: now.map((_, n) => before[n] ?? null) }];
}
