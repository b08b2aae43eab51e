// What a view is, and which there are.
import type { Get } from './reads';
import type { Filter } from './filters';
import type { Compare, Interval, Range } from './range';

/** What a view is given each time it is shown: on every change of the URL it is shown anew. */
export interface Context {
  /** Empty; the view puts its panels here. */
  root: HTMLElement;
  /** The parameters of the URL; links to others are made by `href` of `place.ts`. */
  params: URLSearchParams;
  /** The days that the URL asks for. */
  range: Range;
  /** Whose clocks they are of. */
  zone: string;
  /** What charts count by. */
  interval: Interval;
  compare: Compare;
  /** What everything is narrowed to: all of them must hold. */
  filters: readonly Filter[];
  /** Whether the collector's sums by days of UTC answer: no filter, and no other zone. */
  plain: boolean;
  /** The site of the read token. */
  site: string;
  /** Whether a shared link is looked at, which shows no single events and users, and changes nothing. */
  shared: boolean;
  /** Reads the API. */
  get: Get;
  /** Ends when the view is left: give it to whatever would go on (`call`, listeners, timers). */
  signal: AbortSignal;
}

/** A page of the dashboard. */
export interface View {
  /** Fills `context.root` at once, with skeletons where data is yet to come. */
  show(context: Context): void;
}

/** How the shell knows a view. */
export interface Entry {
  /** In the URL: `?view=name`. */
  name: string;
  title: string;
  /** Whether the choice of days, and of filters, is shown. */
  ranged: boolean;
  /** What the filters of the place do not narrow here, where there is such. */
  unfiltered?: string;
  /** Whether it has something to show before the first event. */
  early?: true;
  /** The path of its 20×20 icon. */
  icon: string;
  load: () => Promise<{ view: View }>;
}

/** In the order of the navigation. The first is shown where the URL names none. */
export const VIEWS: readonly [Entry, ...Entry[]] = [
  {
    name: 'overview',
    title: 'Overview',
    ranged: true,
    icon: 'M3 14l4-5 4 3 6-8M3 17h14',
    load: () => import('./views/overview'),
  },
  {
    name: 'now',
    title: 'Now',
    ranged: false,
    unfiltered: 'Filters narrow the top pages and features; they do not narrow the counts and the latest events.',
    icon:
      'M10 10h.01M6.500 13.500a5 5 0 010-7M13.500 6.500a5 5 0 010 7M4 16a8.500 8.500 0 010-12M16 4a8.500 8.500 0 ' +
      '010 12',
    load: () => import('./views/now'),
  },
  {
    name: 'pages',
    title: 'Pages & sources',
    ranged: true,
    icon: 'M5 3h7l4 4v10H5zM8 10h5M8 13h5',
    load: () => import('./views/pages'),
  },
  {
    name: 'features',
    title: 'Features',
    ranged: true,
    icon: 'M4 4h5v5H4zM11 4h5v5h-5zM4 11h5v5H4zM11 11h5v5h-5z',
    load: () => import('./views/features'),
  },
  {
    name: 'content',
    title: 'Content & AI',
    ranged: true,
    icon: 'M10 3l1.800 5.200L17 10l-5.200 1.800L10 17l-1.800-5.200L3 10l5.200-1.800z',
    load: () => import('./views/content'),
  },
  {
    name: 'funnels',
    title: 'Funnels, retention, journeys',
    ranged: true,
    icon: 'M3 4h14l-5 6v6l-4-2v-4z',
    load: () => import('./views/funnels'),
  },
  {
    name: 'goals',
    title: 'Goals',
    ranged: true,
    icon: 'M10 2a8 8 0 110 16 8 8 0 010-16zM10 6a4 4 0 110 8 4 4 0 010-8zM10 10h.01',
    load: () => import('./views/goals'),
  },
  {
    name: 'properties',
    title: 'Properties',
    ranged: true,
    icon: 'M4 5h.01M8 5h8M4 10h.01M8 10h8M4 15h.01M8 15h8',
    load: () => import('./views/properties'),
  },
  {
    name: 'ask',
    title: 'Ask',
    ranged: true,
    icon: 'M7 7.500a3 3 0 115 2.300c-1.200.9-2 1.400-2 2.700M10 15.500v.5M10 2a8 8 0 110 16 8 8 0 010-16z',
    load: () => import('./views/ask'),
  },
  {
    name: 'errors',
    title: 'Errors & web vitals',
    ranged: true,
    icon: 'M10 3l8 14H2zM10 8v4M10 14.500v.5',
    load: () => import('./views/errors'),
  },
  {
    name: 'quality',
    title: 'Data quality',
    ranged: false,
    early: true,
    icon: 'M4 10l4 4 8-9',
    load: () => import('./views/quality'),
  },
  {
    name: 'settings',
    title: 'Settings',
    ranged: false,
    early: true,
    icon: 'M3 6h8M15 6h2M13 4v4M3 14h2M9 14h8M7 12v4',
    load: () => import('./views/settings'),
  },
];
