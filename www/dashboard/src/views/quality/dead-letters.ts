// Dead letters: what could not be stored, why, and replaying it.
import { h, isFree } from '../../dom';
import { moment, number } from '../../format';
import { adminGate, isAdmin } from '../../ui/admin';
import { saveCsvButton } from '../../ui/csv';
import { ask } from '../../ui/dialog';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import { table } from '../../ui/table';
import { tabs } from '../../ui/tabs';
import type { Context } from '../../view';
import { type DeadLetter, type DeadLetters, type Selection, listPath, replay } from './replay';

/** So many are shown; the oldest. */
const SHOWN = 100;

/** Codes in a sentence. */
const CODES: Readonly<Record<string, string>> = {
  not_stored: 'The database refuses it',
  unreadable: 'Nobody can read it',
  too_old: 'Came after the lake forgot whether it has it',
  sink_refused: 'A sink of the lake refuses it',
};

const WHAT =
  'What can never be stored is kept apart, and can be replayed once its cause is gone. It needs the admin token.';

/** The panel, or the question for the token. */
export function deadLetters(context: Context): HTMLElement {
  if (!isAdmin()) return adminGate(context, 'Dead letters', WHAT);
  const everywhere = context.params.get('letters') === 'all';
  const site = everywhere ? undefined : context.site;
  const path = listPath(SHOWN, site);
  const progress = h('div', { class: 'replay', role: 'status' });
  const box = h('div', { class: 'dead-letters wide', tabindex: -1 });
  let shown: DeadLetter[] = [];
  const all = h('button', { type: 'button', id: 'replay-all', class: 'button small', disabled: true }, 'Replay all');
  const run = async (selection: Selection): Promise<void> => {
    all.disabled = true;
    await replay({ selection, site, place: progress, signal: context.signal });
    if (context.signal.aborted) return;
    // The button goes.
    if (isFree() || list.contains(document.activeElement)) box.focus();
    all.disabled = shown.length === 0;
    list.dispatchEvent(new Event('reload'));
  };
  all.addEventListener('click', () => void run(site === undefined ? { all: true } : { siteId: site }));
  const start = (letter: DeadLetter): void => {
    const selection: Selection = { siteId: letter.siteId, partIds: [letter.partId] };
    if (letter.code !== 'too_old') return void run(selection);
    void ask({
      title: 'Replay what is too old?',
      text: h(
        'p',
        null,
        'The lake has forgotten whether it has this part: it may then be there twice. Counts stay right.',
      ),
      verb: 'Replay it',
      signal: context.signal,
      run: async () => undefined,
    }).then((yes) => (yes ? run({ ...selection, force: true }) : undefined));
  };
  const list = panel<DeadLetters>(context, {
    title: 'Dead letters',
    lines: 7,
    live: true,
    note: 'Events that could not be stored, or that a sink refuses, oldest first. They are kept whole.',
    tools: [
      tabs('Sites', 'letters', everywhere ? 'all' : 'own', [
        ['own', 'This site'],
        ['all', 'All sites'],
      ]),
      all,
      saveCsvButton(
        'Dead letters',
        `${context.site}-dead-letters`,
        ['siteId', 'partId', 'code', 'detail', 'receivedAt', 'events', 'firstAt', 'lastAt', 'tries', 'objectKey'],
        () =>
          shown.map((one) => [
            one.siteId,
            one.partId,
            one.code,
            one.detail ?? '',
            one.receivedAt,
            one.events,
            one.firstAt,
            one.lastAt,
            one.tries,
            one.objectKey,
          ]),
      ),
    ],
    load: (get) => get<DeadLetters>(path),
    render: ({ deadLetters: letters, nextCursor }) => {
      shown = letters;
      all.disabled = letters.length === 0;
      if (letters.length === 0)
        return empty('No dead letters.', h('p', null, 'Everything that was taken could be stored.'));
      return [
        letterTable(letters, everywhere, start),
        nextCursor !== null &&
          h('p', { class: 'footnote' }, `There are more than ${number(SHOWN)}; “Replay all” takes all of them.`),
      ];
    },
  });
  box.append(list, progress);
  return box;
}

function letterTable(
  letters: readonly DeadLetter[],
  everywhere: boolean,
  start: (letter: DeadLetter) => void,
): HTMLElement {
  const button = (letter: DeadLetter): HTMLElement =>
    h(
      'button',
      {
        type: 'button',
        id: `replay-${letter.partId}`,
        class: 'button small',
        'aria-label': `Replay ${letter.partId}`,
        on: { click: () => start(letter) },
      },
      'Replay',
    );
  return table<DeadLetter>({
    caption: 'Dead letters',
    rows: letters,
    columns: [
      {
        name: 'Why',
        value: ({ code, detail }) => `${CODES[code] ?? code}${detail ? `: ${detail}` : ''}`,
        show: ({ code, detail }) => [CODES[code] ?? code, detail && [': ', h('span', { class: 'soft' }, detail)]],
      },
      ...(everywhere ? [{ name: 'Site', value: ({ siteId }: DeadLetter) => siteId }] : []),
      { name: 'Events', value: ({ events }) => events },
      {
        name: 'Received',
        value: ({ receivedAt }) => receivedAt,
        show: ({ receivedAt }) => moment(receivedAt),
        title: 'UTC',
        minor: true,
      },
      { name: 'Tries', value: ({ tries }) => tries, minor: true },
      { name: 'Replay', value: () => '', show: button },
    ],
  });
}
