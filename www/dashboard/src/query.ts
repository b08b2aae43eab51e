// Any question: what `POST /v1/analytics/query` is asked for a place, and what it answers (docs/API.md).
import { question } from './api';
import { type Filter, whole } from './filters';
import type { Changes } from './place';
import type { Range } from './range';
import { QUERY } from './reads';
import type { Context } from './view';

/** A value of a dimension; null of events that have none. */
export type Key = string | number | null;

export interface Row {
  dimensions: Key[];
  metrics: (number | null)[];
  compared?: (number | null)[];
}

/** `POST /v1/analytics/query` */
export interface Answer {
  rows: Row[];
  totals: (number | null)[];
  comparedTotals?: (number | null)[];
  meta: {
    from: number;
    to: number;
    timeZone: string;
    coveredFrom: number;
    scannedEvents: number;
    source: string;
    comparedCoveredFrom?: number;
    compared?: { from: number; to: number };
    notNumbers?: Record<string, number>;
  };
  nextCursor: string | null;
  unreadableSegments?: number;
}

/** What one part of a view asks for, beside what its place says. */
export interface Asked {
  metrics: readonly string[];
  dimensions?: readonly string[];
  /** Beside the filters of the place. */
  only?: readonly Filter[];
  /** A goal's id, for metrics of conversions. */
  goal?: string;
  /** Whether it is compared; it is not where nothing is said. */
  compare?: boolean;
  orderBy?: readonly (readonly [string, 'asc' | 'desc'])[];
  limit?: number;
  cursor?: string;
}

/** The API's words for presets that mean the same. */
const PRESETS: Readonly<Record<string, string>> = {
  today: 'today',
  yesterday: 'yesterday',
  '7d': '7d',
  '30d': '30d',
  '90d': '90d',
  month: 'month',
  lastmonth: 'last_month',
};

/** A range as the API takes it. */
export const rangeWord = ({ preset, start, end }: Range): string | string[] => PRESETS[preset] ?? [start, end];

/** What the URL says for a range as the API takes it; undefined where the dashboard has no such choice. */
export function rangeChange(range: unknown): Changes | undefined {
  const found = Object.entries(PRESETS).find(([, word]) => word === range);
  if (found) return { range: found[0], from: undefined, to: undefined };
  if (!Array.isArray(range) || range.length !== 2) return undefined;
  return { range: undefined, from: String(range[0]), to: String(range[1]) };
}

type Place = Pick<Context, 'range' | 'zone' | 'filters' | 'compare'>;

/** When, and of which events, as calls with bodies of their own take it; by days of UTC alone where that is enough. */
export function whenOf(place: Pick<Context, 'range' | 'zone' | 'filters' | 'plain'>): Record<string, unknown> {
  if (place.plain) return { startDate: place.range.start, endDate: place.range.end };
  const filters = whole(place.filters);
  return { ...(filters && { filters }), range: rangeWord(place.range), timeZone: place.zone };
}

/** The body of the call. */
export function bodyOf(place: Place, asked: Asked): Record<string, unknown> {
  const { metrics, dimensions = [], only = [], compare = false, ...rest } = asked;
  const filters = whole([...only, ...place.filters]);
  return {
    metrics,
    ...(dimensions.length > 0 && { dimensions }),
    ...(filters && { filters }),
    range: rangeWord(place.range),
    timeZone: place.zone,
    ...(compare && place.compare !== 'none' && { compare: place.compare }),
    ...rest,
  };
}

/** The question, for `context.get`. */
export const ask = (place: Place, asked: Asked): string => question(QUERY, bodyOf(place, asked));
