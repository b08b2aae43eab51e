// The paths that sessions begin with, or that begin or end with a page: as a flow, and as a table.
import { question } from '../../api';
import { h } from '../../dom';
import { number, percent } from '../../format';
import { go, href } from '../../place';
import { whenOf } from '../../query';
import { saveCsvButton } from '../../ui/csv';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import { table } from '../../ui/table';
import type { Context } from '../../view';
import { flow } from './flow';
import { type Path, pathText } from './path';
import { type Step, changesOf } from './steps';

/** `POST /v1/analytics/query/journeys` */
interface Journeys {
  sessions: number;
  paths: Path[];
}

const DEFAULT_DEPTH = 5;
const MAX_DEPTH = 10;
/** So many paths are shown. */
const SHOWN = 50;

function depthOf(params: URLSearchParams): number {
  const depth = Number(params.get('depth') ?? DEFAULT_DEPTH);
  return Number.isInteger(depth) && depth >= 1 && depth <= MAX_DEPTH ? depth : DEFAULT_DEPTH;
}

const asSteps = ({ steps }: Path): Step[] =>
  steps.map(([kind, key]) =>
    kind === 'page' ? { eventType: 'page_view', page: key } : { eventType: 'feature_use', feature: key },
  );

/** Where paths begin or end, as the API takes it, and the choice. */
const ENDS = [
  ['', 'From the start of a session'],
  ['from', 'From the page'],
  ['to', 'To the page'],
] as const;

/** The end that the URL asks for. */
function endOf(params: URLSearchParams): Record<string, string> {
  const page = params.get('endpage');
  const [end] = ENDS.find(([name]) => name && name === params.get('end')) ?? [''];
  return end && page ? { [end]: page } : {};
}

/** The flow and the table of paths. */
export function showJourneys(context: Context): void {
  const { range, params } = context;
  const depth = depthOf(params);
  const asked = question('/v1/analytics/query/journeys', {
    ...whenOf(context),
    ...endOf(params),
    depth,
    limit: SHOWN,
  });
  let shown: Path[] = [];
  context.root.append(
    panel<Journeys>(context, {
      title: 'Journeys',
      class: 'wide journeys',
      lines: 20,
      note: 'Pages and features of sessions, in order. A path leads to its funnel, a page of the flow to what follows.',
      tools: [
        endChoice(params),
        depthChoice(depth),
        saveCsvButton(
          'Journeys',
          `${context.site}-journeys-${range.start}-${range.end}`,
          ['path', 'sessions', 'share'],
          () => shown.map((path) => [pathText(path), path.sessions, path.share]),
        ),
      ],
      load: (get) => get<Journeys>(asked),
      render: ({ sessions, paths }) => {
        shown = paths;
        if (paths.length === 0) return empty('No session has a page or a feature in these days.');
        const most = Math.max(...paths.map((path) => path.sessions), 1);
        return [
          h('p', { class: 'footnote journeys-sum' }, `${number(sessions)} sessions in all.`),
          h('div', { class: 'table-scroll' }, flow(paths)),
          table<Path>({
            caption: 'Journeys',
            rows: paths,
            columns: [
              { name: 'Path', value: pathText, show: crumbs },
              { name: 'Sessions', value: (path) => path.sessions },
              {
                name: 'Share',
                value: (path) => path.share,
                show: (path) => percent(path.share),
                title: 'Of all sessions that have a page or a feature',
                minor: true,
              },
            ],
            link: (path) =>
              href({
                tab: undefined,
                depth: undefined,
                end: undefined,
                endpage: undefined,
                ...changesOf(asSteps(path)),
              }),
            bar: (path) => path.sessions / most,
          }),
        ];
      },
    }),
  );
}

function endChoice(params: URLSearchParams): HTMLElement {
  const [chosen = ''] = Object.keys(endOf(params));
  const end = h(
    'select',
    { id: 'journey-end', 'aria-label': 'Paths go' },
    ENDS.map(([name, text]) => h('option', { value: name, selected: name === chosen }, text)),
  );
  const page = h('input', {
    id: 'journey-page',
    class: 'journey-page',
    value: params.get('endpage') ?? '/',
    'aria-label': 'Page',
    maxlength: 1000,
    autocomplete: 'off',
    spellcheck: 'false',
    hidden: chosen === '',
  });
  const show = (): void => {
    const text = page.value.trim();
    go({ end: end.value || undefined, endpage: end.value ? text || undefined : undefined });
  };
  end.addEventListener('change', () => {
    page.hidden = end.value === '';
    if (page.hidden) show();
    else page.focus();
  });
  page.addEventListener('change', show);
  return h('span', { class: 'journey-end' }, end, page);
}

function depthChoice(depth: number): HTMLElement {
  const all = Array.from({ length: MAX_DEPTH }, (_, n) => n + 1);
  const list = h(
    'select',
    { id: 'depth', 'aria-label': 'Steps of a path at most' },
    all.map((n) => h('option', { value: n, selected: n === depth }, n === 1 ? '1 step' : `${n} steps`)),
  );
  list.addEventListener('change', () => go({ depth: Number(list.value) === DEFAULT_DEPTH ? undefined : list.value }));
  return list;
}

const crumbs = ({ steps }: Path): HTMLElement =>
  h(
    'span',
    { class: 'path' },
    steps.map(([kind, key], n) => [
      n > 0 && h('span', { class: 'arrow', 'aria-hidden': 'true' }, '→'),
      h(
        'span',
        { class: `crumb crumb-${kind === 'feature' ? 'feature' : 'page'}` },
        kind === 'feature' ? h('span', { class: 'unseen' }, 'feature ') : null,
        key,
      ),
    ]),
  );
