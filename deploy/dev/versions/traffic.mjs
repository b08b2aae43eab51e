// Pages that send without rest, and a reader that asks, whichever version of the worker answers.
import { setTimeout as delay } from 'node:timers/promises';
import { fetchText } from '../base/fetch.mjs';

/** Pages that send at once. */
const PAGES = 4;

/** How long a page waits between two batches, and before it sends one again: what is sent must also be stored. */
const PACE_MS = 50;

/** How long the reader waits between two rounds. */
const READ_PACE_MS = 300;

/** How long an answer may take. A version that is stopped gives none. */
const ANSWER_MS = 20_000;

/** Every line of the events is read for it, and both parts of a segment. */
const QUESTION = {
  metrics: ['events', 'users', 'sessions', 'sum(data.duration)'],
  dimensions: ['data.feature'],
  range: '24h',
};

/** What an answer is called that says that it lacks segments. */
export const UNREADABLE = 'unreadable segments';

/** @typedef {{ url: string, site: string, browserKey: string, readToken: string, adminToken: string }} Keys */

/**
 * What happened while one version answered.
 * @typedef {object} Stage
 * @property {string} name of the version
 * @property {number} taken batches that were answered 202
 * @property {number} unanswered tries that had no answer
 * @property {Record<string, number>} refused statuses of the other tries
 * @property {number} questions that were answered
 * @property {number} folds that were asked for
 * @property {Record<string, number>} failed statuses of the other calls, with the call
 */

/** @param {string} name @returns {Stage} */
export const newStage = (name) => ({ name, taken: 0, unanswered: 0, refused: {}, questions: 0, folds: 0, failed: {} });

/** @param {Record<string, number>} counts @param {string | number} key */
const count = (counts, key) => (counts[key] = (counts[key] ?? 0) + 1);

let made = 0;

/** An id of the form that trackers make: UUIDv7. */
function uuid() {
  made += 1;
  const hex = Date.now().toString(16).padStart(12, '0') + made.toString(16).padStart(20, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** A batch of a page. @param {string} user */
function newBatch(user) {
  const head = (/** @type {string} */ eventType) => ({
    eventId: uuid(),
    eventType,
    userId: user,
    sessionId: `s-${user}`,
    metadata: { platform: 'web' },
  });
  const view = (/** @type {string} */ path) => ({
    ...head('page_view'),
    eventData: { url: `https://shop.example${path}`, title: 'A page' },
  });
  const use = { ...head('feature_use'), eventData: { feature: 'search', duration: 2.5 } };
  return { batchId: uuid(), sentAt: null, events: [view('/'), view('/b'), use] };
}

/** Traffic on the demo site of whatever listens on a port. */
export class Traffic {
  /** Ids of the events that were answered 202. @type {string[]} */
  ids = [];

  /** The most events that a question found. What was found once is there for good. */
  found = 0;

  /** What must not be, in words. @type {string[]} */
  wrong = [];

  /** @type {Promise<void>[]} */
  #senders = [];
  /** @type {Promise<void>[]} */
  #readers = [];
  #isOver = false;

  /** @param {Keys} keys @param {Stage} stage the one that is on now */
  constructor(keys, stage) {
    this.keys = keys;
    this.stage = stage;
  }

  start() {
    this.#senders = Array.from({ length: PAGES }, (_, page) => this.#send(page));
    this.#readers = [this.#read()];
  }

  /** Lets each page finish its batch. */
  async end() {
    this.#isOver = true;
    await Promise.all([...this.#senders, ...this.#readers]);
  }

  /**
   * A call of the API; undefined if there is no answer.
   * @param {string} path
   * @param {RequestInit & { token?: string }} [request]
   */
  async call(path, { token = this.keys.readToken, ...request } = {}) {
    const headers = { authorization: `Bearer ${token}` };
    return fetchText(`${this.keys.url}${path}`, ANSWER_MS, { headers, ...request }).catch(() => undefined);
  }

  /** Posts batches, each again and again until it is taken, as the tracker does. @param {number} page */
  async #send(page) {
    const { url, browserKey } = this.keys;
    const headers = { origin: url, 'user-agent': 'Mozilla/5.0 (test)', 'content-type': 'text/plain' };
    for (let batches = 0; !this.#isOver; batches += 1) {
      const batch = newBatch(`u${page}-${batches % 7}`);
      const body = JSON.stringify(batch);
      while (!(await this.#taken(`${url}/v1/events?key=${browserKey}`, { method: 'POST', headers, body })))
        await delay(PACE_MS);
      this.ids.push(...batch.events.map(({ eventId }) => eventId));
      await delay(PACE_MS);
    }
  }

  /** @param {string} url @param {RequestInit} request */
  async #taken(url, request) {
    const answer = await fetchText(url, ANSWER_MS, request).catch(() => undefined);
    if (answer === undefined) this.stage.unanswered += 1;
    else if (answer.status === 202) this.stage.taken += 1;
    else count(this.stage.refused, answer.status);
    return answer?.status === 202;
  }

  /** Asks for what the archive has, and has it fold. */
  async #read() {
    for (; !this.#isOver; await delay(READ_PACE_MS)) {
      const body = JSON.stringify(QUESTION);
      const answer = await this.#asked('question', '/v1/analytics/query', { method: 'POST', body });
      if (answer !== undefined) {
        const { totals, unreadableSegments } = JSON.parse(answer);
        const events = totals[0];
        if (unreadableSegments) count(this.stage.failed, UNREADABLE);
        if (events < this.found) this.wrong.push(`${this.stage.name} found ${events} events, after ${this.found}`);
        this.found = Math.max(this.found, events);
        this.stage.questions += 1;
      }
      const recent = await this.#asked('events', '/v1/analytics/events/recent?limit=50', {});
      if (recent !== undefined && JSON.parse(recent).unreadableSegments) count(this.stage.failed, UNREADABLE);
      // Before a user is forgotten the archive folds; nobody has this name.
      const { site, adminToken } = this.keys;
      const nobody = `/v1/analytics/users/${uuid()}?siteId=${site}`;
      if (await this.#asked('fold', nobody, { method: 'DELETE', token: adminToken })) this.stage.folds += 1;
      await this.#asked('cron', '/cdn-cgi/local/scheduled?cron=*+*+*+*+*', {});
    }
  }

  /**
   * The text of an answer of 200; any other is counted.
   * @param {string} what
   * @param {string} path
   * @param {RequestInit & { token?: string }} request
   */
  async #asked(what, path, request) {
    const { stage } = this;
    const answer = await this.call(path, request);
    if (answer?.status === 200) return answer.text;
    // One that was under way when the versions changed has no answer, and that is no fault.
    if (answer !== undefined) count(stage.failed, `${what} ${answer.status}`);
    return undefined;
  }
}
