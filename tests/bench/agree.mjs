// Before anything is timed: all three must do the same work, or comparing them would say nothing.
import assert from 'node:assert/strict';
import { ORIGIN } from './run.mjs';
import { settle } from './systems.mjs';

const page = { userId: 'user-1', sessionId: 'session-1', metadata: { platform: 'web' } };

/** Two good events and one without a type. */
const batch = () => ({
  batchId: crypto.randomUUID(),
  events: [
    {
      ...page,
      eventId: crypto.randomUUID(),
      eventType: 'page_view',
      eventData: {
        url: 'https://shop.example/a?x=1&utm_source=news#top',
        password: 'p',
        title: ' a\u0007b ',
        deep: [{ token: 't', none: null }],
      },
    },
    { ...page, eventId: crypto.randomUUID(), eventType: 'feature_use', eventData: { feature: 'export' } },
    { ...page, eventId: crypto.randomUUID() },
  ],
});

/** What of the first event is stored. */
const STORED = {
  url: 'https://shop.example/a?utm_source=news',
  password: '[redacted]',
  title: 'ab',
  deep: [{ token: '[redacted]' }],
};

/** @param {import('./systems.mjs').System[]} systems */
export async function agree(systems) {
  for (const system of systems) {
    const {
      name,
      secrets: { browserKey },
    } = system;
    const one = batch();
    const text = JSON.stringify(one);
    const counts = { accepted: 2, duplicate: 0, rejected: 1, skipped: 0 };
    /** @type {[string, string, string, string, number, object?][]} */
    const calls = [
      ['judged', `key=${browserKey}&dryRun=1`, ORIGIN, text, 200, counts],
      ['taken', `key=${browserKey}`, ORIGIN, text, 202, counts],
      ['taken again', `key=${browserKey}`, ORIGIN, text, 202, { ...counts, accepted: 0, duplicate: 2 }],
      ['malformed', `key=${browserKey}`, ORIGIN, '{', 400],
      ['without a good event', `key=${browserKey}`, ORIGIN, JSON.stringify({ events: [{}] }), 422],
      ['of an unknown key', 'key=slb_demo_none', ORIGIN, text, 401],
      ['of a foreign page', `key=${browserKey}`, 'https://elsewhere.example', text, 403],
    ];
    for (const [what, query, origin, body, status, expected] of calls) {
      const headers = {
        origin,
        'content-type': 'text/plain',
        'user-agent': 'Mozilla/5.0 (load)',
        'cf-connecting-ip': '192.0.2.7',
      };
      const answer = await fetch(`${system.url}/v1/events?${query}`, { method: 'POST', headers, body });
      const told = /** @type {any} */ (await answer.json());
      assert.equal(answer.status, status, `${name}: a batch ${what}`);
      if (!expected) continue;
      const { accepted, duplicate, rejected, skipped, results } = told;
      assert.deepEqual({ accepted, duplicate, rejected, skipped }, expected, `${name}: a batch ${what}`);
      const refused = results.find((/** @type {any} */ { status: fate }) => fate === 'rejected');
      assert.equal(refused.index, 2);
      assert.equal(refused.field, 'eventType');
    }
    await settle(system);
    const stored = await storedEvent(system, one.events[0].eventId);
    if (stored) {
      // Shoreline adds what it reads of campaigns.
      const { url, password, title, deep } = stored.eventData;
      assert.deepEqual({ url, password, title, deep }, STORED, `${name}: what is stored`);
      assert.equal(stored.metadata.ipAddress, '192.0.2.0', `${name}: the address that is stored`);
    }
  }
}

/**
 * The event as it is stored, where D1 or the collector's own answer tells.
 * @param {import('./systems.mjs').System} system @param {string} id
 */
async function storedEvent({ name, url, secrets, miniflare }, id) {
  if (name === 'TypeScript') {
    const database = await miniflare.getD1Database('DB');
    const row = await database.prepare('SELECT event FROM events WHERE event_id = ?').bind(id).first('event');
    return JSON.parse(/** @type {string} */ (row));
  }
  if (name === 'twin') return undefined;
  const answer = await fetch(`${url}/v1/analytics/events/recent?limit=10`, {
    headers: { authorization: `Bearer ${secrets.readToken}` },
  });
  const { events } = /** @type {any} */ (await answer.json());
  return events.find((/** @type {any} */ { eventId }) => eventId === id);
}
