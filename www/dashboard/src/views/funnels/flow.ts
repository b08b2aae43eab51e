// Journeys as a flow: a column for each step, a bar for each page or feature, a band for each way between two of them.
import { s } from '../../dom';
import { number } from '../../format';
import { href } from '../../place';
import type { Path } from './path';

/** So many bars a column has; what is left is one more. */
const MOST = 7;

/** Of the drawing, in its own units. */
const [WIDTH, HEIGHT, BAR, GAP] = [900, 320, 8, 14] as const;
const LABEL = 22;

interface Bar {
  /** The page or feature; undefined for all others together. */
  step: readonly [kind: string, key: string] | undefined;
  sessions: number;
  y: number;
  height: number;
  /** How much of its sides is taken by bands. */
  out: number;
  in: number;
}

interface Band {
  from: string;
  to: string;
  sessions: number;
}

const OTHERS = '';
const nameOf = ([kind, key]: readonly [string, string]): string => `${kind}\n${key}`;

/** The bars of a column, the most travelled first. */
function barsOf(paths: readonly Path[], column: number): Map<string, Bar> {
  const sums = new Map<string, { step: readonly [string, string]; sessions: number }>();
  for (const { steps, sessions } of paths) {
    const step = steps[column];
    if (!step) continue;
    const known = sums.get(nameOf(step)) ?? { step, sessions: 0 };
    known.sessions += sessions;
    sums.set(nameOf(step), known);
  }
  const all = [...sums].sort(([, a], [, b]) => b.sessions - a.sessions);
  const bars = new Map<string, Bar>();
  const bar = (step: Bar['step'], sessions: number): Bar => ({ step, sessions, y: 0, height: 0, out: 0, in: 0 });
  for (const [name, { step, sessions }] of all.slice(0, MOST)) bars.set(name, bar(step, sessions));
  const others = all.slice(MOST).reduce((sum, [, { sessions }]) => sum + sessions, 0);
  if (others > 0) bars.set(OTHERS, bar(undefined, others));
  return bars;
}

/** The ways between two columns. */
function bandsOf(paths: readonly Path[], column: number, columns: readonly Map<string, Bar>[]): Band[] {
  const sums = new Map<string, Band>();
  for (const { steps, sessions } of paths) {
    const [one, next] = [steps[column], steps[column + 1]];
    if (!one || !next) continue;
    const place = (step: readonly [string, string], at: number): string =>
      columns[at]?.has(nameOf(step)) ? nameOf(step) : OTHERS;
    const [from, to] = [place(one, column), place(next, column + 1)];
    const known = sums.get(`${from}\n${to}`) ?? { from, to, sessions: 0 };
    known.sessions += sessions;
    sums.set(`${from}\n${to}`, known);
  }
  return [...sums.values()].sort((a, b) => b.sessions - a.sessions);
}

const textOf = (bar: Bar): string => bar.step?.[1] ?? 'others';

function drawn(bar: Bar, x: number, n: number, room: number): SVGElement {
  const told = `Step ${n + 1}: ${textOf(bar)}, ${number(bar.sessions)} sessions`;
  const text = textOf(bar);
  const letters = Math.max(4, Math.floor(room / 7));
  const parts = [
    s('title', null, told),
    s('rect', { x, y: bar.y, width: BAR, height: bar.height, rx: 2 }),
    s(
      'text',
      { x: x + BAR + 6, y: bar.y + Math.min(bar.height / 2 + 4, bar.height + 10) },
      text.length > letters ? `${text.slice(0, letters - 1)}…` : text,
    ),
  ];
  if (bar.step?.[0] !== 'page') return s('g', { class: 'flow-bar', role: 'img', 'aria-label': told }, parts);
  return s('a', { class: 'flow-bar', href: href({ end: 'from', endpage: text }), 'aria-label': told }, parts);
}

/** The drawing; the table beside it has all paths. Undefined where nobody did two things. */
export function flow(paths: readonly Path[]): SVGElement | undefined {
  const count = Math.max(...paths.map(({ steps }) => steps.length), 0);
  if (count < 2) return undefined;
  const columns = Array.from({ length: count }, (_, n) => barsOf(paths, n));
  const most = Math.max(...columns.map((bars) => [...bars.values()].reduce((sum, bar) => sum + bar.sessions, 0)));
  const unit = (HEIGHT - MOST * (GAP + 4)) / most;
  const pitch = (WIDTH - BAR) / count;
  for (const bars of columns) {
    let y = LABEL;
    for (const bar of bars.values()) {
      bar.y = y;
      bar.height = Math.max(bar.sessions * unit, 2);
      y += bar.height + GAP;
    }
  }
  const bands = columns.slice(0, -1).flatMap((bars, n) =>
    bandsOf(paths, n, columns).map(({ from, to, sessions }) => {
      const [left, right] = [bars.get(from), columns[n + 1]?.get(to)];
      if (!left || !right) return null;
      const width = Math.max(sessions * unit, 1);
      const [y1, y2] = [left.y + left.out + width / 2, right.y + right.in + width / 2];
      left.out += width;
      right.in += width;
      const [x1, x2] = [n * pitch + BAR, (n + 1) * pitch];
      const middle = (x1 + x2) / 2;
      return s(
        'path',
        { class: 'flow-band', d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, 'stroke-width': width },
        s('title', null, `${textOf(left)} → ${textOf(right)}: ${number(sessions)} sessions`),
      );
    }),
  );
  return s(
    'svg',
    { class: 'flow', viewBox: `0 0 ${WIDTH} ${HEIGHT + LABEL}`, role: 'group', 'aria-label': 'Flow of sessions' },
    bands,
    columns.map((bars, n) => [...bars.values()].map((bar) => drawn(bar, n * pitch, n, pitch - BAR - 12))),
  );
}
