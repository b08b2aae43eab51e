// The question of the URL: what the form or the JSON says, over what the place says.
import { type Filter, filterChange, partsOf } from '../../filters';
import type { Changes } from '../../place';
import { bodyOf, rangeChange, rangeWord } from '../../query';
import { COMPARES, rangeOf } from '../../range';
import { QUERY } from '../../reads';
import type { Context } from '../../view';
import { known } from '../../zone';

/** A body of the call, of which nothing is known for sure: who writes JSON may write anything. */
export type Body = Record<string, unknown>;

/** What is asked where the URL says nothing. */
const FIRST = { metrics: ['users', 'views'], dimensions: ['page'] } as const;

/** What the URL says beside the place; undefined where it cannot be read. */
export function givenOf(params: URLSearchParams): Body | undefined {
  const text = params.get('ask');
  if (!text) return { ...FIRST };
  try {
    const given: unknown = JSON.parse(text);
    return typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Body) : undefined;
  } catch {
    return undefined;
  }
}

/** The body that is sent: what is asked for stands first. */
export function askedBody(context: Context, given: Body): Body {
  const { metrics, dimensions, ...rest } = given;
  const { metrics: _, ...place } = bodyOf(context, { metrics: [], compare: true });
  return {
    ...(metrics !== undefined && { metrics }),
    ...(dimensions !== undefined && { dimensions }),
    ...place,
    ...rest,
  };
}

/** What the place says, as the API calls it. */
const PLACES = ['filters', 'range', 'timeZone', 'compare'];

/** What of the place a question says itself, so that the choices above do not count. */
export const overridden = (given: Body): string[] => PLACES.filter((name) => Object.hasOwn(given, name));

/** What the URL says for a body: of the place what it can say, and the others as they are. */
export function changesOf(body: Body): Changes {
  const { filters, range, timeZone, compare, ...rest } = body;
  const changes: Changes = { tz: undefined, compare: 'none', range: undefined, from: undefined, to: undefined };
  Object.assign(changes, filterChange(partsOf(filters)));
  const ofRange = range === undefined ? {} : rangeChange(range);
  // What the dashboard has no choice for stays with the question.
  if (ofRange) Object.assign(changes, ofRange);
  const isDays = !Array.isArray(range) || JSON.stringify(rangeOfUrl(changes)) === JSON.stringify(range);
  if (!ofRange || !isDays) rest['range'] = range;
  const zone = typeof timeZone === 'string' ? known(timeZone) : 'UTC';
  if (zone === undefined) rest['timeZone'] = timeZone;
  else changes['tz'] = zone;
  if (COMPARES.some(([name]) => name === compare && name !== 'none'))
    changes['compare'] = compare === COMPARES[0][0] ? undefined : String(compare);
  else if (compare !== undefined && compare !== null) rest['compare'] = compare;
  changes['ask'] = JSON.stringify(rest);
  return changes;
}

/** The days that the URL would say. */
function rangeOfUrl(changes: Changes): unknown {
  const params = new URLSearchParams({ from: changes['from'] ?? '', to: changes['to'] ?? '' });
  return rangeWord(rangeOf(params, Date.now(), 'UTC'));
}

/** As a command for a shell. The token is a variable: it has no place in a text that is copied on. */
export const curlOf = (body: Body): string =>
  `curl -s -H "Authorization: Bearer $TOKEN" ${location.origin}${QUERY} \\\n` +
  `  -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`;

/** JSON with a field a line. */
export function jsonOf(body: Body): string {
  const lines = Object.entries(body).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return `{\n${lines.join(',\n')}\n}`;
}

/** The texts of a field that should be a list of them. */
export const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

/** The order of a question, as far as the form knows it. */
export function orderOf(given: Body): [string, string] | undefined {
  const first: unknown = Array.isArray(given['orderBy']) ? given['orderBy'][0] : undefined;
  return Array.isArray(first) && typeof first[0] === 'string' ? [first[0], String(first[1])] : undefined;
}

/** Narrowed to a row: every dimension that is no time. */
export const ofRow = (
  dimensions: readonly string[],
  keys: readonly unknown[],
  of: (by: string, key: never) => Filter,
) => dimensions.flatMap((by, n) => (by.startsWith('time:') ? [] : [of(by, keys[n] as never)]));
