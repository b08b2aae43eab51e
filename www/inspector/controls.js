// The buttons: what goes wrong or is refused elsewhere, done here on purpose.
import { forgotten } from './journey.js';
import { $, WITHDRAWN, clock, element, more, putFirst, say } from './rows.js';
import { fetchDirectly, line, ownGpc, playGpc, playsGpc } from './wire.js';

/** @param {string} id @param {boolean} on */
const press = (id, on) => $(id).setAttribute('aria-pressed', String(on));

$('offline').addEventListener('click', () => {
  line.cut = !line.cut;
  press('offline', line.cut);
  say(
    line.cut
      ? 'The line is cut: requests of this page fail. Events are kept in this browser until it is back.'
      : 'The line is back: what was kept goes out, under the ids it had.',
  );
  // As the browser says it when a network comes back.
  if (!line.cut) dispatchEvent(new Event('online'));
});

$('gpc').addEventListener('click', () => {
  playGpc(!playsGpc());
  location.reload();
});
press('gpc', ownGpc || playsGpc());
if (ownGpc) /** @type {HTMLButtonElement} */ ($('gpc')).disabled = true;
if (ownGpc || playsGpc())
  say(
    'With Global Privacy Control: nothing is kept in this browser, and the ids become a hash that is good for today.',
  );

let denied = false;
$('consent').addEventListener('click', () => {
  denied = !denied;
  press('consent', denied);
  window.shoreline?.('consent', denied ? 'denied' : 'granted');
  if (denied) forgotten('no consent');
  say(denied ? WITHDRAWN : 'Consent is given: it counts from now on, beginning with this page.');
});

const key = document.querySelector('script[data-key]')?.getAttribute('data-key') ?? '';

/** What nobody should send, by what is wrong with it. @type {{ what: string, body: string, key?: string }[]} */
const GARBAGE = [
  { what: 'not JSON', body: 'click click click' },
  {
    what: 'an event without a user',
    body: '{"events":[{"eventType":"page_view","sessionId":"s","metadata":{"platform":"web"}}]}',
  },
  {
    what: 'an event of a type that does not exist',
    body: '{"events":[{"eventType":"no such type","userId":"u","sessionId":"s","metadata":{"platform":"web"}}]}',
  },
  {
    what: 'a time before the browser was invented',
    body:
      '{"events":[{"eventType":"page_view","userId":"u","sessionId":"s","timestamp":0,' +
      '"metadata":{"platform":"web"}}]}',
  },
  { what: 'a key that nobody has', body: '{"events":[]}', key: 'slb_demo_aaaaaaaaaaaaaaaaaaaaaaaaaa' },
];
let turn = 0;

$('garbage').addEventListener('click', async () => {
  const { what, body, key: other = key } = GARBAGE[turn++ % GARBAGE.length];
  const row = element(
    'li',
    '',
    '',
    element('div', 'line', '', element('span', '', `Garbage: ${what}`), element('time', '', clock(Date.now()))),
  );
  row.dataset.garbage = what;
  let said = 'No answer';
  try {
    if (line.cut) throw new TypeError('The demo has cut the line.');
    const answer = await fetchDirectly(`/v1/events?key=${encodeURIComponent(other)}`, { method: 'POST', body });
    const problem = await answer.json().catch(() => null);
    // Of a batch with nothing good in it, each event has its own code.
    const code = problem?.results?.[0]?.code ?? problem?.code ?? '';
    said = `${answer.status}: refused (${code})`;
    row.append(more('Sent', body), more('Answer', problem));
    Object.assign(row.dataset, { status: String(answer.status), code });
  } catch {
    // It is told below.
  }
  const outcome = element('span', 'result', said);
  outcome.dataset.kind = 'rejected';
  row.insertBefore(outcome, row.children[1] ?? null);
  putFirst('batches', row);
});
