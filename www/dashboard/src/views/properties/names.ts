// The names and types of what events hold.
import type { StoredEvent } from '../../answers';

/** So many of the newest events are looked at; the API gives no more a call. */
export const LOOKED_AT = 500;

/** So many names are shown, and so deep they go. */
const MOST_NAMES = 200;
const DEEPEST = 5;

/** A property. */
export interface Property {
  /** Nested by dots. */
  name: string;
  /** What it is in some event: text, number, true or false. */
  types: string[];
  /** In so many events. */
  count: number;
}

const TYPES: Readonly<Record<string, string>> = { string: 'text', number: 'number', boolean: 'true or false' };

/** Those of some events, by name. */
export function propertiesOf(events: readonly StoredEvent[]): Property[] {
  const found = new Map<string, Property>();
  const note = (name: string, type: string): void => {
    const known = found.get(name) ?? { name, types: [], count: 0 };
    known.count += 1;
    if (!known.types.includes(type)) known.types.push(type);
    if (found.size < MOST_NAMES) found.set(name, known);
  };
  const walk = (data: object, before: string, depth: number): void => {
    for (const [key, value] of Object.entries(data) as [string, unknown][]) {
      const type = TYPES[typeof value];
      if (type !== undefined) note(before + key, type);
      else if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < DEEPEST)
        walk(value, `${before}${key}.`, depth + 1);
    }
  };
  for (const { eventData } of events) if (eventData) walk(eventData, '', 1);
  return [...found.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}
