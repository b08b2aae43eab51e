// The panel beside the demo: every event made, its way through Shoreline, every batch, and what came back.
// It is told by `shoreline.on`, hears the page's own requests, and asks the API for what is behind them.
import { batched, answered, begin } from './inspector/journey.js';
import { $, WITHDRAWN, clock, count, element, more, putFirst, say } from './inspector/rows.js';
import { listen } from './inspector/wire.js';
import { watch } from './inspector/watch.js';
import './inspector/controls.js';

/** What came back for a batch, in words. */
function result(kind, { status, answer }) {
  const said = status ? `${status}` : 'No answer';
  if (kind === 'retry') return `${said}: will be sent again`;
  if (kind === 'rejected') return `${said}: refused${answer?.code ? ` (${answer.code})` : ''}`;
  // A beacon: the browser took it and does not say more.
  if (!answer) return 'Handed to the browser';
  const parts = ['accepted', 'duplicate', 'rejected', 'skipped']
    .filter((name) => answer[name] > 0)
    .map((name) => `${answer[name]} ${name}`);
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
  const row = element(
    'li',
    '',
    '',
    element(
      'div',
      'line',
      '',
      element('span', '', `${events} ${events === 1 ? 'event' : 'events'}${tries > 1 ? `, try ${tries}` : ''}`),
      element('time', '', clock(Date.now())),
    ),
    outcome,
    element('span', 'id', batchId),
  );
  if (answer) row.append(more('Answer', answer));
  Object.assign(row.dataset, { batch: batchId, kind, status: String(report.status), tries: String(tries) });
  putFirst('batches', row);
}

const REASONS = {
  ignored: 'Nothing is counted: this browser asked not to be (shoreline.ignore).',
  local: 'Nothing is counted: this page runs on your own machine. The attribute data-include-local makes it count.',
  automated:
    'Nothing is counted: this browser is driven by a program. The attribute data-include-local makes it count.',
  no_key: 'Nothing is counted: the script tag has no data-key.',
  unavailable: 'Nothing is counted: the tracker could not be loaded.',
  denied: WITHDRAWN,
  no_room: 'Old events gave way: the collector has not answered for long.',
};

if (window.shoreline) {
  listen({ sent: batched, answered: (batch, status, answer) => (answered(batch, status, answer), watch()) });
  // Works before the tracker has loaded, too: the snippet keeps calls until then.
  shoreline('on', 'event', begin);
  for (const kind of ['sent', 'retry', 'rejected']) shoreline('on', kind, (report) => showBatch(kind, report));
  const explain = (/** @type {string} */ reason) => say(REASONS[reason] ?? `Not counted: ${reason}.`);
  shoreline('on', 'dropped', ({ reason }) => explain(reason));
  // Known already, or the script itself did not load.
  if (shoreline.silent) explain(shoreline.silent);
  addEventListener('load', () => shoreline.on || explain('unavailable'));
} else {
  say(
    'This page is not measured: make a browser key with POST /v1/sites/{id}/keys and put its snippet where ' +
      'index.html says shoreline:snippet.',
  );
}

$('flush').addEventListener('click', async () => {
  const outcome = await window.shoreline?.flush?.();
  if (outcome?.pending) say(`${outcome.pending} still to be sent.`);
  else if (outcome) say('');
});
