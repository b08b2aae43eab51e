// A chart of days.
import { day, fullDay, tiny } from '../format';
import { type Series, chart } from './chart';

const DAY_MS = 86_400_000;

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** A chart of a value for each day; `axisY` is `show` where nothing else is said. */
export function dayChart(options: {
  label: string;
  dates: readonly string[];
  series: readonly Series[];
  show: (value: number) => string;
  axisY?: (value: number) => string;
  signal: AbortSignal;
}): HTMLElement {
  const { label, dates, series, show, axisY, signal } = options;
  return chart(
    {
      label,
      step: DAY_MS,
      formatX: (ms) => fullDay(dateOf(ms)),
      axisX: (ms) => day(dateOf(ms)),
      formatY: show,
      axisY: axisY ?? tiny,
      height: 17,
    },
    { x: dates.map((date) => Date.parse(date)), series },
    signal,
  ).element;
}

/** A series and the same of the period before; bars where there is but one day. */
export function compared(name: string, now: readonly number[], before: readonly (number | undefined)[]): Series[] {
  if (now.length < 2) return [{ name, kind: 'bars', color: 1, values: now }];
  return [
    { name, kind: 'line', color: 1, values: now },
    { name: 'Period before', kind: 'dashed', color: 6, values: now.map((_, n) => before[n] ?? null) },
  ];
}
