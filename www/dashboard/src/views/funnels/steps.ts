// The steps of a funnel as the URL has them: `s1=page_view&p1=/pricing&s2=feature_use&f2=export`.
import { typeName } from '../../format';
import type { Changes } from '../../place';

/** The API takes so many steps. */
export const MAX_STEPS = 10;

/** A step, as the API takes it. */
export interface Step {
  eventType: string;
  page?: string;
  feature?: string;
}

/** What is asked where the URL says nothing. */
const FIRST: readonly Step[] = [{ eventType: 'page_view' }, { eventType: 'feature_use' }];

/** Reads them; a gap ends them. */
export function stepsOf(params: URLSearchParams): Step[] {
  const steps: Step[] = [];
  for (let n = 1; n <= MAX_STEPS; n += 1) {
    const eventType = params.get(`s${n}`);
    if (!eventType) break;
    const [page, feature] = [params.get(`p${n}`), params.get(`f${n}`)];
    steps.push({ eventType, ...(page && { page }), ...(feature && { feature }) });
  }
  return steps.length > 0 ? steps : [...FIRST];
}

/** Writes them. */
export function changesOf(steps: readonly Step[]): Changes {
  const changes: Changes = {};
  for (let n = 1; n <= MAX_STEPS; n += 1) {
    const step = steps[n - 1];
    changes[`s${n}`] = step?.eventType;
    changes[`p${n}`] = step?.page;
    changes[`f${n}`] = step?.feature;
  }
  return changes;
}

/** A step as one reads it. */
export const stepText = ({ eventType, page, feature }: Step): string =>
  [typeName(eventType), page, feature].filter(Boolean).join(' ');

/** Hours, as the API takes them, and the choice. */
export const WINDOWS: readonly (readonly [hours: number, label: string])[] = [
  [1, '1 hour'],
  [24, '1 day'],
  [168, '7 days'],
  [336, '14 days'],
  [720, '30 days'],
  [2160, '90 days'],
];
const DEFAULT_WINDOW = 168;
const MAX_WINDOW = 2160;

/** The window that the URL asks for, hours. */
export function windowOf(params: URLSearchParams): number {
  const hours = Number(params.get('window') ?? DEFAULT_WINDOW);
  return Number.isInteger(hours) && hours >= 1 && hours <= MAX_WINDOW ? hours : DEFAULT_WINDOW;
}

/** As the URL has it: the default is not written. */
export const windowChange = (hours: number): Changes => ({
  window: hours === DEFAULT_WINDOW ? undefined : String(hours),
});

/** What users are told apart by, as the URL has it: a dimension, or nothing. */
export const byOf = (params: URLSearchParams): string | undefined => params.get('by') || undefined;

/** After which step those left who are listed; undefined where nobody is. */
export function leftOf(params: URLSearchParams, steps: number): number | undefined {
  const after = Number(params.get('left'));
  return Number.isInteger(after) && after >= 1 && after < steps ? after : undefined;
}

/** In what order steps count, as the API takes it, and the choice; the first is not written. */
export const ORDERS = [
  ['sequence', 'in this order'],
  ['strict', 'in this order, nothing between'],
  ['any', 'in any order'],
] as const;

/** The order that the URL asks for. */
export const orderOf = (params: URLSearchParams): string =>
  ORDERS.find(([name]) => name === params.get('order'))?.[0] ?? ORDERS[0][0];

/** As the URL has it. */
export const orderChange = (order: string): Changes => ({ order: order === ORDERS[0][0] ? undefined : order });
