// The two steps that happen at the collector, asked of its own API with a read token: counted (the event
// is stored, and every metric has it) and landed (the hour's lake holds it).
import { fetchDirectly } from './wire.js';
import { end, journeys, mark } from './journey.js';
import { $, count, say } from './rows.js';

/** How often the API is asked while something is on its way, milliseconds. */
const EVERY_MS = 1_000;

/** How long an event is asked for: outboxes try again after two minutes. */
const PATIENCE_MS = 180_000;

const HOUR_MS = 3_600_000;

/** Under this the tab keeps a token that was typed in. */
const TOKEN = 'inspector.token';

/** The one of the local demo site is in the page; a deployed page has none. */
const token = () =>
  document.querySelector('meta[name="shoreline-read-token"]')?.getAttribute('content') || sessionStorage.getItem(TOKEN);

/** @param {string} path @returns {Promise<any>} undefined where it could not be had */
async function ask(path) {
  try {
    const answer = await fetchDirectly(path, { headers: { authorization: `Bearer ${token()}` } });
    if (answer.status === 401) {
      sessionStorage.removeItem(TOKEN);
      showForm('This read token is not known.');
    }
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

const waiting = () => [...journeys.values()].filter(({ state }) => state === 'taken' || state === 'counted');

let running = false;

/** Asks for as long as something is on its way. */
export async function watch() {
  if (running || !token()) return;
  running = true;
  for (let left; (left = waiting()).length > 0 && token(); ) {
    if (!document.hidden) await look(left);
    for (const journey of left) {
      const late = performance.now() - journey.madeAt > PATIENCE_MS;
      if (late && journey.state !== 'over')
        end(journey, journey.state === 'taken' ? 'counted' : 'landed', 'not seen in 3 min');
    }
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
  running = false;
}

/** @param {import('./journey.js').Journey[]} left */
async function look(left) {
  if (left.some(({ state }) => state === 'taken')) await lookForCounted(left);
  if (left.some(({ state }) => state === 'counted')) await lookForLanded(left);
}

/**
 * An event that recent events list is stored; the same transaction counted it.
 * @param {import('./journey.js').Journey[]} left
 */
async function lookForCounted(left) {
  const { events = [] } = (await ask('/v1/analytics/events/recent?limit=500')) ?? {};
  const stored = new Map(events.map((/** @type {any} */ event) => [event.eventId, event]));
  for (const journey of left) {
    const event = stored.get(journey.id);
    if (!event || journey.state !== 'taken') continue;
    mark(journey, 'counted', 'done');
    // On a private visit the edge stores it under another name than the page gave it.
    if (event.userId !== journey.userId) {
      journey.steps.counted.append(` as ${event.userId.slice(0, 9)}…`);
      journey.steps.counted.title = `stored as ${event.userId}`;
    }
    Object.assign(journey, { state: 'counted', hour: event.receivedAt - (event.receivedAt % HOUR_MS) });
    count('counted', 1);
  }
}

/**
 * Reconciliation tells of an hour how many events were received, and how many have landed. When as many
 * have landed as were received by the time that this one was counted, this one is among them: a shard's
 * events land in the order in which they came, and where an hour has nothing pending all have.
 * @param {import('./journey.js').Journey[]} left
 */
async function lookForLanded(left) {
  const { hours = [] } = (await ask('/v1/analytics/reconciliation?hours=2')) ?? {};
  const rows = new Map(hours.map((/** @type {any} */ row) => [row.hour, row]));
  for (const journey of left) {
    const row = rows.get(journey.hour);
    if (!row || journey.state !== 'counted') continue;
    journey.received ??= row.received;
    if (row.landed < journey.received && (row.pending > 0 || row.difference !== 0)) continue;
    mark(journey, 'landed', 'done');
    journey.state = 'over';
    count('landed', 1);
  }
}

/** @param {string} [why] */
function showForm(why) {
  if (why) say(why);
  $('token-form').hidden = Boolean(token());
}

$('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, /** @type {HTMLInputElement} */ ($('token')).value.trim());
  /** @type {HTMLInputElement} */ ($('token')).value = '';
  say('');
  showForm();
  watch();
});
showForm();
