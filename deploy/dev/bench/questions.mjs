// `npm run bench -- questions`: how long questions take that are answered from the archive, on workerd, with
// 1,000,000 events of 31 days behind them (BENCH_EVENTS), one archive; and how long pages wait meanwhile.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { buildFill, fill, timed, usersOf } from './fill.mjs';
import { withWorker } from './system.mjs';
import { Failure } from '../base/process.mjs';

const EVENTS = Number(process.env.BENCH_EVENTS ?? 1_000_000);
const DAYS = 31;

/** Of each question, the first ones not counted. */
const [WARM_UP, CALLS] = [2, 15];

/** Between two batches that are sent while questions are answered, ms. */
const BATCH_EVERY_MS = 50;

/** Segments are cut by the hour of receipt, and are all received now: so the range of the days is that of events. */
const day = (/** @type {number} */ ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);

/**
 * What is asked, with the goal of its median in ms.
 * @typedef {{ what: string, goal: number | undefined, path: string, body?: object }} Asked
 */

/** For these sessions are looked at as a whole, in two passes, and kept. */
const OF_VISITS = ['bounceRate', 'sessionDuration'];

/** @returns {Asked[]} */
function questions() {
  const range = [day(DAYS - 1), day(0)];
  const dates = { startDate: range[0], endDate: range[1] };
  /** @param {string} what @param {number | undefined} goal @param {object} body @returns {Asked} */
  const query = (what, goal, body) => ({ what, goal, path: 'query', body: { range, ...body } });
  const two = ['and', ['is', 'country', ['DE', 'FR']], ['is_not', 'browser', ['Safari']]];
  const one = ['is', 'country', ['DE']];
  const steps = [{ eventType: 'page_view' }, { eventType: 'feature_use' }, { eventType: 'order.placed' }];
  const filtered = [
    ['and', ['is', 'eventType', 'page_view'], ['contains', 'page', ['/']]],
    ['exists', 'feature'],
    ['is', 'eventType', ['order.placed']],
  ];
  // As the dashboard asks for its overview, narrowed to a country and a browser.
  const headline = ['users', 'views', 'sessions', 'viewsPerSession', 'bounceRate', 'sessionDuration', 'events'];
  /** @param {string} by @param {string} counted */
  const list = (by, counted) => ({ metrics: [counted, 'users'], dimensions: [by], filters: ['exists', by], limit: 8 });
  const lists = [
    list('page', 'views'),
    list('referrer', 'views'),
    list('feature', 'events'),
    list('country', 'events'),
  ];
  return [
    ...[headline, headline.filter((metric) => !OF_VISITS.includes(metric))].map((metrics) => ({
      what: `all panels of the overview, two filters, in one call${metrics === headline ? '' : ', nothing of visits'}`,
      goal: 250,
      path: 'query/panels',
      body: { range, filters: two, panels: [{ metrics, dimensions: ['time:day'] }, ...lists] },
    })),
    query('users and events of 31 days, no filter, today included', 15, { metrics: ['users', 'events'] }),
    {
      what: 'funnel of 3 filtered steps',
      goal: 200,
      path: 'query/funnel',
      body: { range, filters: one, steps: filtered },
    },
    query('breakdown by page, two filters, with users', 80, {
      metrics: ['users', 'events'],
      dimensions: ['page'],
      filters: two,
    }),
    query('views by hour of 31 days, one filter', 80, {
      metrics: ['views'],
      dimensions: ['time:hour'],
      filters: one,
    }),
    query('events and users by a property', 150, { metrics: ['events', 'users'], dimensions: ['data.feature'] }),
    query('sum and p95 of a property by another', 200, {
      metrics: ['sum(data.duration)', 'p95(data.duration)'],
      dimensions: ['data.feature'],
    }),
    query('users, views and sessions of all', undefined, { metrics: ['users', 'views', 'sessions'] }),
    { what: 'funnel of 3 steps', goal: 200, path: 'query/funnel', body: { ...dates, steps } },
    { what: 'journeys', goal: 400, path: 'query/journeys', body: dates },
    { what: 'retention, by weeks', goal: 400, path: 'query/retention', body: { ...dates, period: 'week', periods: 5 } },
    { what: 'first page of recent events', goal: 15, path: 'events/recent?limit=50' },
    { what: "first page of a user's events", goal: 60, path: 'users/user-7/events?limit=50' },
    {
      what: 'platform metrics of 31 days',
      goal: 10,
      path: `metrics/platform?startDate=${range[0]}&endDate=${range[1]}`,
    },
  ];
}

/** Measures it, and prints the table. @param {string} origin of the pages */
export async function benchQuestions(origin) {
  await buildFill();
  await withWorker((system) => measure(system, origin));
}

/** @param {import('./system.mjs').System} system @param {string} origin */
async function measure(system, origin) {
  await fill(system, EVENTS, usersOf(EVENTS), DAYS);
  const headers = { authorization: `Bearer ${system.secrets.readToken}` };
  console.log(`\n${EVENTS} events of ${usersOf(EVENTS)} users in ${DAYS} days\n`);
  console.log('| question | p50, ms | most, ms | goal of p50 | most that a batch waited for its 202, ms |');
  console.log('|---|--:|--:|--:|--:|');
  /** @type {number[]} */
  const waits = [];
  for (const { what, goal, path, body } of questions()) {
    const init = body ? { method: 'POST', body: JSON.stringify(body) } : {};
    const ask = () => fetch(`${system.url}/v1/analytics/${path}`, { ...init, headers });
    const refused = await refusal(ask);
    if (refused) {
      console.log(`| ${what} | ${refused} | | ${goal ?? ''} | |`);
      continue;
    }
    const { at } = await timed(WARM_UP, CALLS, ask);
    const waited = await waitsDuring(system, origin, () => timed(0, CALLS, ask));
    waits.push(...waited);
    console.log(
      `| ${what} | ${at(0.5)} | ${at(1 - 1 / CALLS)} | ${goal ?? ''} | ${Math.max(...waited, 0).toFixed(1)} |`,
    );
  }
  waits.sort((a, b) => a - b);
  const p99 = waits[Math.min(waits.length - 1, Math.floor(waits.length * 0.99))] ?? 0;
  console.log(`\n${waits.length} batches waited ${p99.toFixed(1)} ms at the 99th percentile, of 20`);
}

/** Why a question is refused, where it is: too large a one is an answer like others. */
async function refusal(/** @type {() => Promise<Response>} */ ask) {
  const answer = await ask();
  const text = await answer.text();
  return answer.status === 422 ? JSON.parse(text).code : undefined;
}

/**
 * How long pages wait for their 202 while this is done, ms each. Locally one thread has all objects; on the platform a
 * batch does not wait for the archive at all.
 * @param {import('./system.mjs').System} system
 * @param {string} origin
 * @param {() => Promise<unknown>} work
 */
async function waitsDuring({ url, secrets }, origin, work) {
  /** @type {number[]} */
  const waits = [];
  let done = false;
  const working = work().finally(() => {
    done = true;
  });
  // Whatever comes of a batch, the questions are waited for: the worker is stopped behind this.
  await Promise.allSettled([working, sendBatches()]).then((all) => {
    for (const one of all) if (one.status === 'rejected') throw one.reason;
  });
  return waits;

  async function sendBatches() {
    while (!done) waits.push(await sendBatch(url, secrets.browserKey, origin));
  }
}

/** Sends a batch of one event, and waits a while; how long its 202 took, ms. */
async function sendBatch(/** @type {string} */ url, /** @type {string} */ key, /** @type {string} */ origin) {
  const start = performance.now();
  const view = {
    eventId: randomUUID(),
    eventType: 'page_view',
    userId: 'bench',
    sessionId: 'bench',
    timestamp: Date.now(),
    eventData: { path: '/bench' },
    metadata: { platform: 'web' },
  };
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', origin },
    body: JSON.stringify({ batchId: randomUUID(), events: [view] }),
  });
  const text = await answer.text();
  if (answer.status !== 202) throw new Failure(`a batch was refused: ${answer.status} ${text}`);
  const took = performance.now() - start;
  await delay(BATCH_EVERY_MS);
  return took;
}
