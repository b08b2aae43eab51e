// How far an import has come. It needs the site's source key, which is kept nowhere.
import { call } from '../../api';
import { fill, h } from '../../dom';
import { bytes, moment, number } from '../../format';
import { form, input, secret } from '../../ui/form';
import { failure, progressBar } from '../../ui/states';
import { table } from '../../ui/table';
import type { Context } from '../../view';

/** `GET /v1/imports/{id}` */
interface Import {
  importId: string;
  status: 'open' | 'processing' | 'finished' | 'failed';
  received: number;
  processed: number;
  duplicate: number;
  rejected: number;
  skipped: number;
  failed: number;
  startedAt: number;
  finishedAt: number | null;
  parts: { declared: number | null; received: number; processed: number };
  bytes: { received: number; processed: number };
  rejectedLines: { part: number; line: number; code: string; field: string }[];
}

/** How often one that goes on is asked, milliseconds. */
const LOOK_MS = 2_000;

const STATES = {
  open: 'Takes parts',
  processing: 'Is being read',
  finished: 'Finished',
  failed: 'Finished, with parts that were lost',
} as const;

/** The panel. */
export function importsPanel(context: Context): HTMLElement {
  const { signal } = context;
  const id = input(
    { name: 'import-id', label: 'Import id', hint: 'As the answer of POST /v1/imports says.' },
    { required: true, maxlength: 100 },
  );
  const key = secret({ name: 'source-key', label: 'Source key', hint: 'Begins with sls_. It stays in this field.' });
  const place = h('div', { class: 'import', role: 'group', 'aria-label': 'Progress of the import' });
  // One is watched at a time: a new question ends the one before.
  let watched = new AbortController();
  signal.addEventListener('abort', () => watched.abort(), { once: true });
  const look = async (importId: string, source: string, until: AbortSignal): Promise<void> => {
    const found = await call<Import>(`/v1/imports/${encodeURIComponent(importId)}`, { key: source, signal: until });
    fill(place, progress(found));
    if (found.status === 'finished' || found.status === 'failed') return;
    const timer = setTimeout(() => void lookOn(importId, source, until), LOOK_MS);
    until.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };
  const lookOn = async (importId: string, source: string, until: AbortSignal): Promise<void> => {
    try {
      await look(importId, source, until);
    } catch (error) {
      if (!until.aborted)
        fill(
          place,
          failure(error, () => void lookOn(importId, source, until)),
        );
    }
  };
  const run = async (): Promise<null> => {
    watched.abort();
    watched = new AbortController();
    fill(place);
    await look(id.control.value.trim(), key.control.value.trim(), watched.signal);
    return null;
  };
  return h(
    'section',
    { class: 'panel wide imports', 'aria-label': 'Imports' },
    h('header', { class: 'panel-head' }, h('h2', null, 'Imports')),
    h(
      'p',
      { class: 'panel-note' },
      'Files of events of any size and age. They are sent with a source key; here one sees how far they are.',
    ),
    form({ label: 'Imports', fields: [id, key], verb: 'Show progress', run }),
    place,
  );
}

function progress(found: Import): HTMLElement {
  const { parts, rejectedLines } = found;
  const all = parts.declared ?? parts.received;
  const counts = [
    ['Lines', found.received],
    ['Taken', found.processed],
    ['Duplicates', found.duplicate],
    ['Rejected', found.rejected],
    ['Left out', found.skipped],
    ['Lost parts', found.failed],
  ] as const;
  return h(
    'div',
    { class: 'import-progress' },
    h(
      'p',
      { class: 'verdict', role: 'status' },
      h('b', null, STATES[found.status] ?? found.status),
      ` · began ${moment(found.startedAt)} UTC`,
      found.finishedAt !== null && ` · ended ${moment(found.finishedAt)} UTC`,
    ),
    progressBar(
      'Parts uploaded',
      parts.received,
      all,
      `${number(parts.received)} of ${parts.declared === null ? 'any number' : number(parts.declared)}`,
    ),
    progressBar('Parts read', parts.processed, all, `${number(parts.processed)} of ${number(all)}`),
    progressBar(
      'Bytes read',
      found.bytes.processed,
      found.bytes.received,
      `${bytes(found.bytes.processed)} of ${bytes(found.bytes.received)}`,
    ),
    h(
      'dl',
      { class: 'services' },
      counts.map(([name, n]) => h('div', null, h('dt', null, name), h('dd', null, number(n)))),
    ),
    rejectedLines.length > 0 &&
      table<Import['rejectedLines'][number]>({
        caption: 'Lines that were not taken',
        rows: rejectedLines,
        columns: [
          { name: 'Why', value: ({ code }) => code },
          { name: 'Field', value: ({ field }) => field },
          { name: 'Part', value: ({ part }) => part },
          { name: 'Line', value: ({ line }) => line },
        ],
      }),
  );
}
