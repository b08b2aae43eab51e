// Shoreline's own design in TypeScript: what of a difference is the design's, and what is Rust's.
import { allows, grantOf } from '../typescript/grants.ts';
import type { Facts } from '../typescript/stamp.ts';
import type { Archive } from './archive.ts';
import { uuidBytes } from './ids.ts';
import type { Log } from './log.ts';
import { read } from './message.ts';
import { pass, uuidOf } from './pass.ts';

export { Archive } from './archive.ts';
export { Log } from './log.ts';

export interface Env {
  LOG: DurableObjectNamespace<Log>;
  ARCHIVE: DurableObjectNamespace<Archive>;
  DB: D1Database;
  EVENTS: Queue;
}

const MAX_BYTES = 512 * 1024;
const MAX_EVENTS = 100;

/** The object of the one site there is. */
const SITE = 'demo';

const CORS = { 'Access-Control-Expose-Headers': 'Retry-After', Vary: 'Origin' };

function answer(status: number, body: object, origin: string) {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': origin, ...CORS },
  });
}

function preflight(origin: string) {
  return new Response(null, {
    status: 204,
    headers: {
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': 'Content-Type, Authorization',
      'Access-Control-Max-Age': '86400',
      ...CORS,
    },
  });
}

async function ingest(request: Request, query: URLSearchParams, env: Env): Promise<Response> {
  const { headers } = request;
  const origin = headers.get('Origin') ?? '';
  const problem = (status: number, code: string, more: object = {}) =>
    answer(status, { type: 'about:blank', status, code, ...more }, origin);
  const grant = await grantOf(query.get('key') ?? '', env.DB);
  if (!grant) return problem(401, 'unknown_key');
  if (!allows(grant, origin)) return problem(403, 'origin_not_allowed');
  if (Number(headers.get('Content-Length')) > MAX_BYTES) return problem(413, 'payload_too_large');
  let batch: { batchId?: unknown; events?: unknown } | null;
  let batchId: string | undefined;
  try {
    batch = JSON.parse(await request.text());
    batchId = uuidOf(batch?.batchId);
  } catch {
    return problem(400, 'malformed_json');
  }
  const events = batch?.events;
  if (!Array.isArray(events) || events.length === 0 || events.length > MAX_EVENTS)
    return problem(400, 'malformed_json');
  const facts: Facts = {
    siteId: grant.siteId,
    receivedAt: Date.now(),
    batchId,
    userAgent: headers.get('User-Agent') ?? '',
    ipAddress: headers.get('CF-Connecting-IP') ?? '0.0.0.0',
    country: request.cf?.country as string | undefined,
    region: request.cf?.region as string | undefined,
  };
  const { lines, head, results } = pass(events, facts);
  if (head.events === 0) return problem(422, 'no_valid_event', { results });
  const counts = { accepted: head.events, duplicate: 0, rejected: results.length, skipped: 0, results };
  if (query.has('dryRun')) return answer(200, counts, origin);
  try {
    const { duplicate } = await env.LOG.getByName(SITE).commit(batchId ? uuidBytes(batchId) : undefined, lines, head);
    if (duplicate) Object.assign(counts, { accepted: 0, duplicate: head.events });
  } catch (error) {
    console.error(error);
    return problem(503, 'unavailable');
  }
  return answer(202, counts, origin);
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const origin = request.headers.get('Origin') ?? '';
    if (pathname === '/state') return answer(200, await env.LOG.getByName(SITE).state(), origin);
    if (pathname !== '/v1/events') return answer(404, { code: 'not_found' }, origin);
    if (request.method === 'OPTIONS') return preflight(origin);
    if (request.method !== 'POST') return answer(405, { code: 'method_not_allowed' }, origin);
    return ingest(request, searchParams, env);
  },
  async queue(batch, env) {
    const messages = batch.messages.map(({ body }) => read(body));
    for (const { lines, ...range } of messages) await env.ARCHIVE.getByName(SITE).append(range, lines);
    await env.LOG.getByName(SITE).confirm(messages.map(({ from, to }) => ({ from, to })));
    batch.ackAll();
  },
} satisfies ExportedHandler<Env, ArrayBuffer>;
