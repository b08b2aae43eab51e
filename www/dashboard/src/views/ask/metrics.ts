// What can be asked for, and how it is shown.
import { DIMENSIONS, dimensionOf } from '../../dimensions';
import { duration, number, percent } from '../../format';

/** Metrics without a property. */
export const METRICS: readonly (readonly [name: string, label: string])[] = [
  ['users', 'Users'],
  ['events', 'Events'],
  ['views', 'Page views'],
  ['sessions', 'Sessions'],
  ['viewsPerSession', 'Views a session'],
  ['bounceRate', 'Bounce rate'],
  ['sessionDuration', 'Session duration'],
  ['engagedTime', 'Engaged time'],
  ['scrollDepth', 'Scroll depth'],
];

/** Metrics of a property. */
export const OF_PROPERTY: readonly (readonly [name: string, label: string])[] = [
  ['sum', 'Sum of'],
  ['avg', 'Mean of'],
  ['min', 'Least'],
  ['max', 'Most'],
  ['p50', 'Median of'],
  ['p75', '75th percentile of'],
  ['p95', '95th percentile of'],
  ['p99', '99th percentile of'],
  ['count', 'Events with'],
];

const PARTS = /^(\w+)\(data\.(.+)\)$/;

/** `sum(data.x)` as its parts; undefined of a metric without a property. */
export function partsOf(metric: string): [name: string, property: string] | undefined {
  const [, name, property] = PARTS.exec(metric) ?? [];
  return name === undefined || property === undefined ? undefined : [name, property];
}

/** A metric as one reads it. */
export function metricText(metric: string): string {
  const parts = partsOf(metric);
  if (!parts) return METRICS.find(([name]) => name === metric)?.[1] ?? metric;
  return `${OF_PROPERTY.find(([name]) => name === parts[0])?.[1] ?? parts[0]} ${parts[1]}`;
}

/** Times, from the finest. */
export const TIMES: readonly (readonly [name: string, label: string])[] = [
  ['time:minute', 'Minute'],
  ['time:hour', 'Hour'],
  ['time:day', 'Day'],
  ['time:week', 'Week'],
  ['time:month', 'Month'],
];

/** All dimensions but properties. */
export const ALL_DIMENSIONS: readonly (readonly [name: string, label: string])[] = [
  ...TIMES,
  ...Object.entries(DIMENSIONS).map(([name, { one }]) => [name, one] as const),
];

/** A dimension as one reads it. */
export const dimensionText = (by: string): string => TIMES.find(([name]) => name === by)?.[1] ?? dimensionOf(by).one;

/** A figure as one reads it; of several currencies each. */
export function figureText(metric: string, value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([currency, amount]) => `${number(Number(amount))} ${currency}`)
      .join(', ');
  if (typeof value !== 'number') return String(value);
  if (metric === 'bounceRate' || metric === 'conversionRate') return percent(value);
  if (metric === 'sessionDuration' || metric === 'engagedTime') return duration(value);
  return number(value);
}
