// The range of days a view is about, as the URL says it: `range=7d`, or `from=…&to=…`; by what it is counted, and
// what it is compared with.
import { day, fullDay } from './format';
import { dateIn } from './zone';

const DAY_MS = 86_400_000;

/** The API answers at most so many days a call. */
export const MAX_DAYS = 366;

/** Days, both included. */
export interface Range {
  /** Which preset it is; `custom` for days of one's own. */
  preset: string;
  start: string;
  end: string;
  days: number;
  /** Whether it goes on: figures of today still grow. */
  open: boolean;
}

/** What one can choose, and the default. */
export const PRESETS: readonly (readonly [name: string, label: string])[] = [
  ['today', 'Today'],
  ['yesterday', 'Yesterday'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
  ['90d', 'Last 90 days'],
  ['month', 'This month'],
  ['lastmonth', 'Last month'],
  ['12m', 'Last 12 months'],
];
export const DEFAULT_PRESET = '30d';

const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const shift = (date: string, days: number): string => iso(Date.parse(date) + days * DAY_MS);
const isDate = (text: string | null): text is string =>
  text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && iso(Date.parse(text)) === text;

function make(preset: string, start: string, end: string, today: string): Range {
  const days = Math.round((Date.parse(end) - Date.parse(start)) / DAY_MS) + 1;
  return { preset, start, end, days, open: end >= today };
}

/** The range that a URL asks for, at a moment (Unix ms), by a zone's clocks; what cannot be read is the default. */
export function rangeOf(params: URLSearchParams, now: number, zone: string): Range {
  const today = dateIn(zone, now);
  const [from, to] = [params.get('from'), params.get('to')];
  if (isDate(from) && isDate(to) && from <= to) {
    const range = make('custom', from, to, today);
    if (range.days <= MAX_DAYS) return range;
  }
  const monthStart = `${today.slice(0, 8)}01`;
  const lastMonthEnd = shift(monthStart, -1);
  const preset = params.get('range') ?? DEFAULT_PRESET;
  const back = (days: number): Range => make(preset, shift(today, 1 - days), today, today);
  switch (preset) {
    case 'today':
      return back(1);
    case 'yesterday':
      return make(preset, shift(today, -1), shift(today, -1), today);
    case '7d':
      return back(7);
    case '90d':
      return back(90);
    case 'month':
      return make(preset, monthStart, today, today);
    case 'lastmonth':
      return make(preset, `${lastMonthEnd.slice(0, 8)}01`, lastMonthEnd, today);
    case '12m':
      return back(365);
    default:
      return make(DEFAULT_PRESET, shift(today, -29), today, today);
  }
}

/** What one can compare with, as the API calls it, as one reads it, and in a legend; the first is the default. */
export const COMPARES = [
  ['previous_period', 'the period before', 'Period before'],
  ['matching_weekdays', 'matching weekdays', 'Matching weekdays'],
  ['previous_year', 'the year before', 'Year before'],
  ['none', 'nothing', ''],
] as const;

/** One of them. */
export type Compare = (typeof COMPARES)[number][0];

/** What the URL says to compare with. */
export const compareOf = (params: URLSearchParams): Compare =>
  COMPARES.find(([name]) => name === params.get('compare'))?.[0] ?? COMPARES[0][0];

/** The days that a range is compared with; undefined where with none. */
export function previous(range: Range, compare: Compare): Range | undefined {
  if (compare === 'none') return undefined;
  const weeks = Math.ceil(range.days / 7) * 7;
  const back = (date: string): string =>
    compare === 'previous_year' ? yearBefore(date) : shift(date, compare === 'previous_period' ? -range.days : -weeks);
  return make('custom', back(range.start), back(range.end), range.start);
}

/** The same date a year before; of 29 February the day before it. */
const yearBefore = (date: string): string =>
  `${Number(date.slice(0, 4)) - 1}${date.endsWith('-02-29') ? '-02-28' : date.slice(4)}`;

/** What a chart counts by. */
export const INTERVALS = ['hour', 'day', 'week', 'month'] as const;

/** One of them. */
export type Interval = (typeof INTERVALS)[number];

/** The days for which each makes a chart that one can read. */
const FIT: Readonly<Record<Interval, readonly [least: number, most: number]>> = {
  hour: [1, 14],
  day: [1, MAX_DAYS],
  week: [8, MAX_DAYS],
  month: [32, MAX_DAYS],
};

/** Those that fit a range. */
export const intervalsFor = ({ days }: Range): Interval[] =>
  INTERVALS.filter((one) => days >= FIT[one][0] && days <= FIT[one][1]);

/** Without a choice, Today and Yesterday are by hour and all else by day. */
export const defaultInterval = ({ days }: Range): Interval => (days === 1 ? 'hour' : 'day');

/** What the URL says to count by. */
export const intervalOf = (params: URLSearchParams, range: Range): Interval =>
  intervalsFor(range).find((one) => one === params.get('interval')) ?? defaultInterval(range);

/** As the API's parameters. */
export const rangeQuery = ({ start, end }: Range): string => `startDate=${start}&endDate=${end}`;

/** As one reads it: 3 Jan – 9 Jan. */
export const rangeText = ({ start, end }: Range): string =>
  start === end ? fullDay(start) : `${day(start)} – ${day(end)}`;
