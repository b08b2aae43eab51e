// One event's way: made, batched, answered, counted, landed. A step is shown as done when it was seen to be,
// and by nothing else: what was not seen is not shown.
import { count, element, more, clock, putFirst } from './rows.js';

const STEPS = /** @type {const} */ (['made', 'batched', 'answered', 'counted', 'landed']);

/** @typedef {(typeof STEPS)[number]} Step */

/**
 * What is known of an event. `received` is the hour's count that the lake must reach (`watch.js`).
 * @typedef {{ id: string, userId: string, madeAt: number, steps: Record<Step, HTMLElement>, state: 'made' | 'batched' |
 *   'taken' | 'counted' | 'over', hour?: number, received?: number }} Journey
 */

/** Events that are on their way, by id; those whose row gave way are forgotten. @type {Map<string, Journey>} */
export const journeys = new Map();

/** Milliseconds since an event was made, in few digits. @param {number} ms */
export const ago = (ms) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);

/** @param {{ eventType: string, eventData: any }} event what it is about, in a word or two */
function subject({ eventType, eventData }) {
  if (eventType === 'page_view') return new URL(eventData.url).pathname;
  return eventData.feature ?? eventData.contentType ?? eventData.model ?? '';
}

/** @param {any} event */
export function begin(event) {
  count('made', 1);
  const steps = /** @type {Record<Step, HTMLElement>} */ (
    Object.fromEntries(
      STEPS.map((step) => {
        const item = element('li', '', '', element('span', '', step), element('b', '', '…'));
        item.dataset.step = step;
        item.dataset.state = 'waiting';
        return [step, item];
      }),
    )
  );
  const row = element(
    'li',
    '',
    '',
    element(
      'div',
      'line',
      '',
      element('span', '', `${event.eventType} ${subject(event)}`),
      element('time', '', clock(event.timestamp)),
    ),
    element('ol', 'steps', '', ...Object.values(steps)),
    more('Event', event),
  );
  Object.assign(row.dataset, { event: event.eventId, type: event.eventType });
  /** @type {Journey} */
  const journey = { id: event.eventId, userId: event.userId, madeAt: performance.now(), steps, state: 'made' };
  journeys.set(event.eventId, journey);
  mark(journey, 'made', 'done', clock(event.timestamp));
  putFirst('events', row, (gone) => journeys.delete(gone.dataset.event ?? ''));
}

/**
 * @param {Journey} journey
 * @param {Step} step
 * @param {'waiting' | 'done' | 'failed'} state
 * @param {string} [text] else the time since the event was made
 */
export function mark(journey, step, state, text = `+${ago(performance.now() - journey.madeAt)}`) {
  const item = journey.steps[step];
  item.dataset.state = state;
  /** @type {HTMLElement} */ (item.lastElementChild).textContent = text;
}

/** It goes no further, and why. @param {Journey} journey @param {Step} step @param {string} why */
export function end(journey, step, why) {
  mark(journey, step, 'failed', why);
  journey.state = 'over';
  for (const later of STEPS.slice(STEPS.indexOf(step) + 1)) mark(journey, later, 'failed', '–');
}

/** A batch is on the wire. @param {{ ids: string[] }} batch */
export function batched({ ids }) {
  for (const journey of known(ids)) {
    if (journey.state === 'made') mark(journey, 'batched', 'done');
    journey.state = 'batched';
  }
}

/** @param {{ ids: string[] }} batch @param {number} status 0: no answer @param {any} answer */
export function answered({ ids }, status, answer) {
  ids.forEach((id, index) => {
    const journey = journeys.get(id);
    if (!journey || journey.state !== 'batched') return;
    const waits = status === 0 || status === 429 || status >= 500;
    if (waits) return mark(journey, 'answered', 'waiting', `${status || 'no answer'}: again later`);
    const result = answer?.results?.find((/** @type {any} */ one) => one.index === index);
    if (status !== 202) return end(journey, 'answered', `${status} ${answer?.code ?? ''}`);
    if (result && result.status !== 'duplicate') return end(journey, 'answered', `${result.status}: ${result.code}`);
    mark(journey, 'answered', 'done');
    journey.state = 'taken';
  });
}

/** Nothing of what is pending will be sent. @param {string} why */
export function forgotten(why) {
  for (const journey of journeys.values())
    if (journey.state === 'made' || journey.state === 'batched') end(journey, 'batched', why);
}

/** @param {string[]} ids */
const known = (ids) => ids.flatMap((id) => journeys.get(id) ?? []);
