// The range of days a view is about, as the URL says it: `range=7d`, or `from=…&to=…`. Days are UTC's.
import { day, fullDay } from './format';

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

/** The range that a URL asks for, at a moment (Unix ms); what cannot be read is the default. */
export function rangeOf(params: URLSearchParams, now: number): Range {
  const today = iso(now);
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

/** As many days right before. */
export function previous(range: Range): Range {
  return {
    ...range,
    preset: 'custom',
    start: shift(range.start, -range.days),
    end: shift(range.start, -1),
    open: false,
  };
}

/** As the API's parameters. */
export const rangeQuery = ({ start, end }: Range): string => `startDate=${start}&endDate=${end}`;

/** As one reads it: 3 Jan – 9 Jan. */
export const rangeText = ({ start, end }: Range): string =>
  start === end ? fullDay(start) : `${day(start)} – ${day(end)}`;
