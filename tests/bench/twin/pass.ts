// One pass over a batch: parsed, validated, sanitized and stamped, to lines of bytes and what live counts need of them.
import { pathOf } from '../typescript/privacy.ts';
import { cleanText, sanitize } from '../typescript/sanitize.ts';
import type { Facts } from '../typescript/stamp.ts';
import type { Result } from '../typescript/schema.ts';

/** What a batch adds to live counts. */
export interface Head {
  receivedAt: number;
  events: number;
  /** Type, page or feature, and how many of it. */
  counts: [string, string, number][];
  users: string[];
}

/** A batch as it goes into the log. */
export interface Pass {
  lines: Uint8Array;
  head: Head;
  results: Result[];
}

const TYPES = new Set([
  'page_view',
  'feature_use',
  'content_create',
  'ai_request',
  'error',
  'page_leave',
  'web_vital',
  'outbound',
  'download',
  'form',
  'custom',
  'identify',
]);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DAY_MS = 86_400_000;
const RETENTION_DAYS = 30;

const encoder = new TextEncoder();

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Why an event is refused. */
class Refusal {
  constructor(
    readonly code: string,
    readonly field: string,
  ) {}
}

function requiredText(value: unknown, field: string): string {
  if (value === undefined || value === null) throw new Refusal('missing_field', field);
  if (typeof value !== 'string') throw new Refusal('wrong_type', field);
  const text = cleanText(value);
  if (!text) throw new Refusal('empty_field', field);
  return text;
}

function timestampOf(value: unknown, now: number): number {
  if (value === undefined || value === null) return now;
  const at = typeof value === 'string' ? Date.parse(value) : value;
  if (typeof at !== 'number' || !Number.isFinite(at)) throw new Refusal('invalid_timestamp', 'timestamp');
  if (at > now + DAY_MS || at < now - RETENTION_DAYS * DAY_MS) throw new Refusal('timestamp_out_of_range', 'timestamp');
  return at;
}

/** The id of a batch or of an event: a UUID, where it is given. */
export function uuidOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !UUID.test(value)) throw new Refusal('invalid_event_id', 'eventId');
  return value.toLowerCase();
}

function line(
  event: unknown,
  { userAgent, ipAddress, ...facts }: Facts,
  found: (type: string, page: string, user: string) => void,
): string {
  if (!isObject(event)) throw new Refusal('wrong_type', '');
  const eventType = requiredText(event.eventType, 'eventType');
  if (!TYPES.has(eventType)) throw new Refusal('invalid_event_type', 'eventType');
  const userId = requiredText(event.userId, 'userId');
  const sessionId = requiredText(event.sessionId, 'sessionId');
  const eventId = uuidOf(event.eventId) ?? crypto.randomUUID();
  const timestamp = timestampOf(event.timestamp, facts.receivedAt);
  const raw = event.eventData ?? {};
  if (!isObject(raw)) throw new Refusal('wrong_type', 'eventData');
  if (!isObject(event.metadata)) throw new Refusal('missing_field', 'metadata');
  if (eventType === 'feature_use') requiredText(raw.feature, 'eventData.feature');
  requiredText(event.metadata.platform, 'metadata.platform');
  const eventData = sanitize(raw);
  const metadata = sanitize({ ...event.metadata, userAgent, ipAddress });
  const page =
    eventType === 'feature_use'
      ? String(eventData.feature)
      : eventType === 'page_view'
        ? pathOf(String(eventData.path ?? eventData.url ?? eventData.page ?? ''))
        : '';
  found(eventType, page, userId);
  // The id first: a reader finds it without parsing the line.
  return JSON.stringify({
    eventId,
    eventType,
    source: 'tracker',
    userId,
    sessionId,
    timestamp,
    schemaVersion: 1,
    ...facts,
    eventData,
    metadata,
  });
}

/** The events of a batch, as lines. */
export function pass(events: unknown[], facts: Facts): Pass {
  const counts = new Map<string, [string, string, number]>();
  const users = new Set<string>();
  const results: Result[] = [];
  let lines = '';
  events.forEach((event, index) => {
    try {
      lines += `${line(event, facts, (type, page, user) => {
        users.add(user);
        const key = `${type} ${page}`;
        const count = counts.get(key);
        if (count) count[2] += 1;
        else counts.set(key, [type, page, 1]);
      })}\n`;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      results.push({
        index,
        eventId: isObject(event) ? event.eventId : undefined,
        status: 'rejected',
        code: error.code,
        field: error.field,
      });
    }
  });
  const head = {
    receivedAt: facts.receivedAt,
    events: events.length - results.length,
    counts: [...counts.values()],
    users: [...users],
  };
  return { lines: encoder.encode(lines), head, results };
}
