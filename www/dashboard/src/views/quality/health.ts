// How the parts of the collector do, and what waits.
import { h } from '../../dom';
import { bytes, number } from '../../format';
import { panel } from '../../ui/panel';
import type { Context } from '../../view';

/** `GET /health` with a read token. */
interface Health {
  status: string;
  services?: Record<string, { status: string; detail?: string }>;
  backlog?: { outbox: { parts: number; events: number }; lake: { pendingEvents: number; pendingObjects: number } };
  databaseBytes?: number | null;
}

/** What each part is for. */
const SERVICES: Readonly<Record<string, string>> = {
  d1: 'Database',
  site_do: 'Live counts and outbox',
  events_queue: 'Queue',
  archive_do: 'Archive, and delivery to the lake',
  r2: 'Bucket',
};

const CONDITIONS: Readonly<Record<string, readonly [kind: string, text: string]>> = {
  healthy: ['good', 'Healthy'],
  degraded: ['warn', 'Degraded'],
  unhealthy: ['bad', 'Unhealthy'],
};

function condition(status: string): HTMLElement {
  const [kind, text] = CONDITIONS[status] ?? ['soft', status];
  return h('span', { class: `condition ${kind}` }, text);
}

/** The panel. */
export function healthPanel(context: Context): HTMLElement {
  return panel<Health>(context, {
    title: 'Services',
    class: 'wide health',
    lines: 12,
    live: true,
    load: (get) => get<Health>('/health'),
    render: ({ status, services, backlog, databaseBytes }) => [
      h('p', { class: 'verdict' }, 'All in all: ', condition(status)),
      h(
        'dl',
        { class: 'services' },
        Object.entries(services ?? {}).map(([name, service]) =>
          h(
            'div',
            null,
            h('dt', null, SERVICES[name] ?? name),
            h(
              'dd',
              null,
              condition(service.status),
              service.detail !== undefined && h('p', { class: 'soft' }, service.detail),
            ),
          ),
        ),
      ),
      backlog &&
        h(
          'dl',
          { class: 'services' },
          [
            ['Events on their way to the database', number(backlog.outbox.events)],
            ['Events on their way to the lake', number(backlog.lake.pendingEvents)],
            ['Size of the database', typeof databaseBytes === 'number' ? bytes(databaseBytes) : 'not told'],
          ].map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))),
        ),
    ],
  });
}
