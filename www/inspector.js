// The panel beside the demo: every event made, every batch sent, and what came back. All it knows it
// is told by `shoreline.on`, and all it shows is set as text.

/** Rows kept of each list; a page left open for a day must not grow without end. */
const ROWS = 200;

const $ = (/** @type {string} */ id) => document.getElementById(id);
const counts = { made: 0, sent: 0, accepted: 0 };

/** @param {'made' | 'sent' | 'accepted'} name @param {number} more */
function count(name, more) {
  counts[name] += more;
  $(name).textContent = String(counts[name]);
}

/**
 * An element with a class, a text and children.
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 * @param {Node[]} children
 */
function element(tag, className, text = '', ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  made.append(...children);
  return made;
}

const clock = (/** @type {number} */ ms) => new Date(ms).toLocaleTimeString('en-GB');

/** What lies under a row, for who wants to see all of it. @param {string} title @param {unknown} value */
const more = (title, value) => element('details', '', '', element('summary', '', title), element('pre', '', JSON.stringify(value, null, 2)));

/** @param {string} list @param {HTMLElement} row */
function putFirst(list, row) {
  $(list).prepend(row);
  while ($(list).children.length > ROWS) $(list).lastElementChild.remove();
}

/** What an event is about, in a word or two. */
function subject({ eventType, eventData }) {
  if (eventType === 'page_view') return new URL(eventData.url).pathname;
  return eventData.feature ?? eventData.contentType ?? eventData.model ?? '';
}

function showEvent(event) {
  count('made', 1);
  const row = element('li', '', '',
    element('div', 'line', '', element('span', '', `${event.eventType} ${subject(event)}`), element('time', '', clock(event.timestamp))),
    more('Event', event));
  row.dataset.event = event.eventId;
  row.dataset.type = event.eventType;
  putFirst('events', row);
}

/** What came back for a batch, in words. */
function result(kind, { status, answer }) {
  const said = status ? `${status}` : 'No answer';
  if (kind === 'retry') return `${said}: will be sent again`;
  if (kind === 'rejected') return `${said}: refused${answer?.code ? ` (${answer.code})` : ''}`;
  // A beacon: the browser took it and does not say more.
  if (!answer) return 'Handed to the browser';
  const parts = ['accepted', 'duplicate', 'rejected', 'skipped'].filter((name) => answer[name] > 0).map((name) => `${answer[name]} ${name}`);
  return `${said}: ${parts.join(', ') || 'nothing taken'}`;
}

/** One row a batch, however often it is tried: a batch sent again is the same batch. */
function showBatch(kind, report) {
  const { batchId, events, answer } = report;
  if (kind === 'sent') {
    count('sent', events);
    count('accepted', answer?.accepted ?? 0);
  }
  const old = document.querySelector(`[data-batch="${CSS.escape(batchId)}"]`);
  const tries = Number(old?.dataset.tries ?? 0) + 1;
  old?.remove();
  const outcome = element('span', 'result', result(kind, report));
  outcome.dataset.kind = kind;
  const row = element('li', '', '',
    element('div', 'line', '', element('span', '', `${events} ${events === 1 ? 'event' : 'events'}${tries > 1 ? `, try ${tries}` : ''}`), element('time', '', clock(Date.now()))),
    outcome,
    element('span', 'id', batchId));
  if (answer) row.append(more('Answer', answer));
  Object.assign(row.dataset, { batch: batchId, kind, status: String(report.status), tries: String(tries) });
  putFirst('batches', row);
}

const REASONS = {
  ignored: 'Nothing is counted: this browser asked not to be (shoreline.ignore).',
  local: 'Nothing is counted: this page runs on your own machine. The attribute data-include-local makes it count.',
  automated: 'Nothing is counted: this browser is driven by a program. The attribute data-include-local makes it count.',
  no_key: 'Nothing is counted: the script tag has no data-key.',
  unavailable: 'Nothing is counted: the tracker could not be loaded.',
  denied: 'The visitor did not agree to be counted; what was pending is forgotten.',
  no_room: 'Old events gave way: the collector has not answered for long.',
};

const say = (/** @type {string} */ text) => void ($('state').textContent = text);

if (window.shoreline) {
  // Works before the tracker has loaded, too: the snippet keeps calls until then.
  shoreline('on', 'event', showEvent);
  for (const kind of ['sent', 'retry', 'rejected']) shoreline('on', kind, (report) => showBatch(kind, report));
  const explain = (/** @type {string} */ reason) => say(REASONS[reason] ?? `Not counted: ${reason}.`);
  shoreline('on', 'dropped', ({ reason }) => explain(reason));
  // Known already, or the script itself did not load.
  if (shoreline.silent) explain(shoreline.silent);
  addEventListener('load', () => shoreline.on || explain('unavailable'));
} else {
  say('This page is not measured: make a browser key with POST /v1/sites/{id}/keys and put its snippet where index.html says shoreline:snippet.');
}

$('flush').addEventListener('click', async () => {
  const outcome = await window.shoreline?.flush?.();
  if (outcome?.pending) say(`${outcome.pending} still to be sent.`);
  else if (outcome) say('');
});
