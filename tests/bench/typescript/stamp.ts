// A valid event in the form in which it is stored.
import { cleanText, sanitize } from './sanitize.ts';
import type { ValidEvent } from './schema.ts';

/** What the edge knows of a request. */
export interface Facts {
  siteId: string;
  receivedAt: number;
  batchId?: string;
  userAgent: string;
  ipAddress: string;
  country?: string;
  region?: string;
}

export type StoredEvent = ReturnType<typeof stamp>;

const SCHEMA_VERSION = 1;

export function stamp(event: ValidEvent, { userAgent, ipAddress, ...facts }: Facts) {
  return {
    eventId: event.eventId ?? crypto.randomUUID(),
    eventType: event.eventType,
    source: 'tracker',
    userId: cleanText(event.userId),
    sessionId: cleanText(event.sessionId),
    timestamp: event.timestamp ?? facts.receivedAt,
    schemaVersion: SCHEMA_VERSION,
    ...facts,
    eventData: sanitize(event.eventData ?? {}),
    metadata: sanitize({ ...event.metadata, userAgent, ipAddress }),
  };
}
