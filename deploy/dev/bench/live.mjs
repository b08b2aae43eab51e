// `npm run bench -- live`: how long after its 202 an event is in a frame of the live stream.
//
// BENCH_SAMPLES events (100 unless set), each sent at another moment between two frames, with one stream open and with
// 200. All the while BENCH_USERS users (10,000 unless set) are active.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { withWorker } from './system.mjs';
import { Failure } from '../base/process.mjs';

const SAMPLES = Number(process.env.BENCH_SAMPLES ?? 100);
const USERS = Number(process.env.BENCH_USERS ?? 10_000);
/** Events in a batch at most. */
const BATCH = 100;
const STREAMS = [1, 200];
/** A stream is sent frames for as long as it pings. */
const PING_MS = 30_000;
const POLL_MS = 500;

/**
 * @typedef {{ total: number, socket: WebSocket, seen: () => void }} Stream what a stream has shown, and whom it tells
 */

/**
 * Prints the delays.
 * @param {string} origin of the pages that send
 */
export const benchLive = (origin) =>
  withWorker(async ({ url, secrets }) => {
    let sent = 0;
    const send = async (/** @type {number[]} */ users) => {
      const metadata = { platform: 'web' };
      const events = users.map((n) => ({
        eventId: randomUUID(),
        eventType: 'page_view',
        userId: `u${n}`,
        sessionId: 's',
        eventData: { url: `https://shop.example/${n}` },
        metadata,
      }));
      const headers = { origin, 'user-agent': 'Mozilla/5.0 (bench)', 'content-type': 'text/plain' };
      const answer = await fetch(`${url}/v1/events?key=${secrets.browserKey}`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ events }),
      });
      await answer.text();
      if (answer.status !== 202) throw new Failure(`events were answered ${answer.status}`);
      sent += users.length;
    };
    const authorization = `Bearer ${secrets.readToken}`;
    /** Waits until the consumer rests: locally it shares a thread with what is measured. */
    const settled = async () => {
      for (;;) {
        const health = /** @type {any} */ (await (await fetch(`${url}/health`, { headers: { authorization } })).json());
        if (health.backlog.outbox.parts === 0) return;
        await delay(POLL_MS);
      }
    };
    console.log('| users | streams | events | p50 ms | p95 ms | most ms |\n|--:|--:|--:|--:|--:|--:|');
    for (const count of STREAMS) {
      const streams = await Promise.all(Array.from({ length: count }, () => open(url, authorization)));
      const pings = setInterval(() => streams.forEach(({ socket }) => socket.send('ping')), PING_MS);
      // Anew for each: a user is active for five minutes.
      for (let n = 0; n < USERS; n += BATCH)
        await send(Array.from({ length: Math.min(BATCH, USERS - n) }, (_, i) => n + i));
      await settled();
      /** @type {number[]} */
      const delays = [];
      for (let n = 0; n < SAMPLES; n += 1) {
        await delay((n * 379) % 1000);
        await send([0]);
        const start = performance.now();
        await Promise.all(streams.map((stream) => shown(stream, sent)));
        delays.push(performance.now() - start);
      }
      clearInterval(pings);
      await Promise.all(
        streams.map(
          ({ socket }) =>
            new Promise((done) => {
              socket.addEventListener('close', done);
              socket.close();
            }),
        ),
      );
      delays.sort((a, b) => a - b);
      const at = (/** @type {number} */ share) => Math.round(delays[Math.ceil(share * delays.length) - 1]);
      console.log(`| ${USERS} | ${count} | ${SAMPLES} | ${at(0.5)} | ${at(0.95)} | ${at(1)} |`);
    }
  });

/**
 * Opens a stream and waits for its state.
 * @param {string} url
 * @param {string} authorization
 * @returns {Promise<Stream>}
 */
async function open(url, authorization) {
  const answer = await fetch(`${url}/v1/analytics/live/ticket`, { method: 'POST', headers: { authorization } });
  const { ticket } = /** @type {{ ticket: string }} */ (await answer.json());
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/analytics/live/stream?ticket=${ticket}`);
  /** @type {Map<number, number>} */
  const minutes = new Map();
  const stream = { total: -1, socket, seen: () => {} };
  socket.onmessage = ({ data }) => {
    if (data === 'pong') return;
    for (const { minute, counts } of JSON.parse(data).data.minutes ?? []) minutes.set(minute, counts.page_view ?? 0);
    stream.total = [...minutes.values()].reduce((sum, count) => sum + count, 0);
    stream.seen();
  };
  socket.onclose = ({ code, reason }) => {
    if (code !== 1000) console.error(`a stream was closed: ${code} ${reason}`);
  };
  await shown(stream, 0);
  return stream;
}

/**
 * Waits until a stream shows so many events.
 * @param {Stream} stream
 * @param {number} wanted
 */
const shown = (stream, wanted) =>
  new Promise((/** @type {(done: void) => void} */ done) => {
    stream.seen = () => {
      if (stream.total >= wanted) done();
    };
    stream.seen();
  });
