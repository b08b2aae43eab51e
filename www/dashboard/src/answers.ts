// What the API answers, as docs/API.md tells it.

/** An event as it is stored. */
export interface StoredEvent {
  eventId: string;
  eventType: string;
  userId?: string;
  sessionId?: string;
  timestamp: number;
  receivedAt: number;
  source?: string;
  browser?: string;
  os?: string;
  device?: string;
  country?: string;
  eventData?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
}

/** So many of the latest events are shown. */
export const LATEST_EVENTS = 25;

/** Their path: one, so that what asks for them at the same time asks once. */
export const LATEST = `/v1/analytics/events/recent?limit=${LATEST_EVENTS}`;

/** `GET /v1/analytics/events/recent` */
export interface Recent {
  events: StoredEvent[];
  nextCursor: string | null;
}

/** How often a name was counted. Names are anybody's: `constructor` may be one, and is none of an object's. */
export const countOf = (counts: Readonly<Record<string, number>>, name: string): number =>
  Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0;

/** A name and how often. */
export interface Counted {
  key: string;
  count: number;
}

/** `GET /v1/analytics/live` */
export interface Live {
  asOf: number;
  activeUsers: number;
  minutes: { minute: number; counts: Record<string, number> }[];
  topPages: Counted[];
  topFeatures: Counted[];
}

/** The figures of a range or a day, of `…/metrics/platform`. */
export interface PlatformFigures {
  activeUsers: number;
  anonymousUsers: number;
  totalUsers: number;
  newSignups24h: number;
  dailyActiveUsers: number;
  weeklyActiveUsers: number;
  monthlyActiveUsers: number;
  sessions: number;
  averageSessionDuration: number;
  featureUsage: Record<string, number>;
  contentCreated: { total: number; byType: Record<string, number> };
  aiUsage: { totalRequests: number; totalTokens: number; totalCost: number };
}

/** `GET /v1/analytics/metrics/platform` */
export interface Platform extends PlatformFigures {
  note: string;
  days: (PlatformFigures & { date: string })[];
}

/** `GET /v1/analytics/metrics/features` */
export interface Features {
  features: { feature: string; uses: number; users: number; averageDuration: number | null }[];
}

/** A row of `…/metrics/breakdown`. */
export interface BreakdownRow {
  key: string;
  events: number;
  users: number;
  share: number;
}

/** `GET /v1/analytics/metrics/breakdown` */
export interface Breakdown {
  by: string;
  total: number;
  note: string;
  rows: BreakdownRow[];
  nextCursor: string | null;
}
