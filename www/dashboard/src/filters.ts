// What everything is narrowed to: `filters` of the URL, in the form of the API (docs/API.md, "Any question").
import { nameOf, valueText } from './dimensions';
import type { Changes } from './place';

/** `[operator, …]`, as `POST /v1/analytics/query` takes it. */
export type Filter = readonly [string, ...unknown[]];

const isFilter = (value: unknown): value is Filter => Array.isArray(value) && typeof value[0] === 'string';

/** The filters of a URL, all of which hold. What cannot be read is one that the API refuses by name. */
export function filtersOf(params: URLSearchParams): Filter[] {
  const text = params.get('filters');
  if (!text) return [];
  try {
    return partsOf(JSON.parse(text));
  } catch {
    return [[text]];
  }
}

/** The parts that all must hold. */
export function partsOf(whole: unknown): Filter[] {
  if (whole === null || whole === undefined) return [];
  if (!isFilter(whole)) return [[JSON.stringify(whole)]];
  const [operator, ...inner] = whole;
  return operator === 'and' && inner.every(isFilter) ? inner : [whole];
}

/** As one filter; undefined where there is none. */
export const whole = (filters: readonly Filter[]): Filter | undefined =>
  filters.length > 1 ? ['and', ...filters] : filters[0];

/** As the URL has them. */
export const filterChange = (filters: readonly Filter[]): Changes => {
  const one = whole(filters);
  return { filters: one && JSON.stringify(one) };
};

export const isSame = (a: Filter, b: Filter): boolean => JSON.stringify(a) === JSON.stringify(b);

/** With one more, or without it where it is there. */
export const toggled = (filters: readonly Filter[], filter: Filter): Filter[] =>
  filters.some((one) => isSame(one, filter)) ? without(filters, filter) : [...filters, filter];

export const without = (filters: readonly Filter[], filter: Filter): Filter[] =>
  filters.filter((one) => !isSame(one, filter));

const OPPOSITES: readonly (readonly [string, string])[] = [
  ['is', 'is_not'],
  ['contains', 'not_contains'],
  ['did', 'did_not'],
];

/** What passes exactly where the filter does not. */
export function negated(filter: Filter): Filter {
  const [operator, ...rest] = filter;
  if (operator === 'not' && isFilter(rest[0])) return rest[0];
  for (const [yes, no] of OPPOSITES) {
    if (operator === yes) return [no, ...rest];
    if (operator === no) return [yes, ...rest];
  }
  return ['not', filter];
}

/** A key of a breakdown at most, characters; a longer one is cut there and ends with a hash. */
const CUT_AT = 119;

/** What a row of a dimension stands for. */
export function ofKey(by: string, key: string | number | null): Filter {
  if (key === null) return ['not', ['exists', by]];
  if (typeof key === 'string' && /^.{119}….{8}$/su.test(key))
    return ['starts_with', by, [[...key].slice(0, CUT_AT).join('')]];
  return ['is', by, [key]];
}

/** The operators as one reads them. */
export const OPERATORS: Readonly<Record<string, string>> = {
  is: 'is',
  is_not: 'is not',
  contains: 'contains',
  not_contains: 'does not contain',
  starts_with: 'begins with',
  exists: 'is there',
  gt: '>',
  gte: '≥',
  lt: '<',
  lte: '≤',
};

/** A filter as one reads it. */
export function words(filter: Filter): string {
  const [operator, first, second] = filter;
  const inner = filter.slice(1).filter(isFilter);
  if (operator === 'not' && inner[0]) {
    const [one] = inner;
    return one[0] === 'exists' ? `${nameOf(String(one[1]))} is not there` : `not (${words(one)})`;
  }
  if (operator === 'and' || operator === 'or')
    return inner
      .map((one) => (one[0] === 'and' || one[0] === 'or' ? `(${words(one)})` : words(one)))
      .join(` ${operator} `);
  if ((operator === 'did' || operator === 'did_not') && inner[0])
    return `users ${operator === 'did' ? 'with' : 'without'}: ${words(inner[0])}`;
  const by = String(first);
  const values = (Array.isArray(second) ? second : [second]).map((value) => valueText(by, String(value)));
  const told = OPERATORS[operator];
  if (told === undefined) return `not readable: ${operator}`;
  return [nameOf(by), told, operator === 'exists' ? '' : values.join(' or ')].filter(Boolean).join(' ');
}
