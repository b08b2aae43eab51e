// What one would write instead of Shoreline's way in: Hono and zod, counts in a Durable Object, events in D1, a queue
// for what follows.
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { additionOf, type Counts } from './counts.ts';
import { allows, grantOf } from './grants.ts';
import { batchSchema, eventSchema, rejection, type Result } from './schema.ts';
import { type Facts, stamp, type StoredEvent } from './stamp.ts';

export { Counts } from './counts.ts';

interface Env {
  COUNTS: DurableObjectNamespace<Counts>;
  DB: D1Database;
  EVENTS: Queue<StoredEvent[]>;
}

const MAX_BYTES = 512 * 1024;

/** Events of a message: 25 of the usual size are a tenth of the 128 KB that one may have. */
const MESSAGE_EVENTS = 25;

/** Sent and not acknowledged yet: how a measurement knows that all is done. */
let waiting = 0;

const app = new Hono<{ Bindings: Env }>();

app.use(
  '/v1/*',
  cors({
    origin: (origin) => origin,
    allowHeaders: ['Content-Type', 'Authorization'],
    exposeHeaders: ['Retry-After'],
    maxAge: 86_400,
  }),
);

app.get('/state', (c) => c.json({ waiting }));

app.post('/v1/events', async (c) => {
  const grant = await grantOf(c.req.query('key') ?? '', c.env.DB);
  if (!grant) return problem(401, 'unknown_key');
  if (!allows(grant, c.req.header('Origin') ?? '')) return problem(403, 'origin_not_allowed');
  if (Number(c.req.header('Content-Length')) > MAX_BYTES) return problem(413, 'payload_too_large');
  const body = await c.req.json<unknown>().catch(() => undefined);
  const batch = batchSchema.safeParse(body);
  if (!batch.success) return problem(400, 'malformed_json');

  const receivedAt = Date.now();
  const batchId = batch.data.batchId ?? undefined;
  const facts: Facts = {
    siteId: grant.siteId,
    receivedAt,
    batchId,
    userAgent: c.req.header('User-Agent') ?? '',
    ipAddress: c.req.header('CF-Connecting-IP') ?? '0.0.0.0',
    country: c.req.raw.cf?.country as string | undefined,
    region: c.req.raw.cf?.region as string | undefined,
  };
  const accepted: StoredEvent[] = [];
  const results: Result[] = [];
  batch.data.events.forEach((event, index) => {
    const valid = eventSchema.safeParse(event);
    if (valid.success) accepted.push(stamp(valid.data, facts));
    else results.push(rejection(index, event, valid.error));
  });
  const answer = { accepted: accepted.length, duplicate: 0, rejected: results.length, skipped: 0, results };
  if (accepted.length === 0) return problem(422, 'no_valid_event', { results });
  if (c.req.query('dryRun')) return c.json(answer, 200);

  try {
    // Each of the three may be done again without harm, so that a page that got no answer can send again.
    const [{ duplicate }] = await Promise.all([
      c.env.COUNTS.getByName(grant.siteId).commit(additionOf(accepted, receivedAt, batchId)),
      insert(c.env.DB, accepted),
      enqueue(c.env.EVENTS, accepted),
    ]);
    if (duplicate) Object.assign(answer, { accepted: 0, duplicate: accepted.length });
  } catch (error) {
    console.error(error);
    return problem(503, 'unavailable');
  }
  return c.json(answer, 202);
});

function problem(status: number, code: string, more: object = {}) {
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json',
    ...(status === 503 && { 'Retry-After': '5' }),
  };
  return new Response(JSON.stringify({ type: 'about:blank', status, code, ...more }), { status, headers });
}

function insert(db: D1Database, events: StoredEvent[]) {
  const statement = db.prepare('INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)');
  return db.batch(
    events.map((event) =>
      statement.bind(
        event.eventId,
        event.siteId,
        event.eventType,
        event.userId,
        event.sessionId,
        event.receivedAt,
        JSON.stringify(event),
      ),
    ),
  );
}

async function enqueue(queue: Queue<StoredEvent[]>, events: StoredEvent[]) {
  for (let at = 0; at < events.length; at += MESSAGE_EVENTS) {
    waiting += 1;
    await queue.send(events.slice(at, at + MESSAGE_EVENTS));
  }
}

export default {
  fetch: app.fetch,
  async queue(batch) {
    batch.ackAll();
    waiting -= batch.messages.length;
  },
} satisfies ExportedHandler<Env, StoredEvent[]>;
