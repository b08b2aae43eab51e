// The names and types of what events hold, as `GET /v1/analytics/properties` tells them.
import { rangeWord } from '../../query';
import type { Context } from '../../view';

/** A property. */
export interface Property {
  /** Nested by dots. */
  name: string;
  /** What it is in some event: text, number, true or false. */
  types: string[];
  /** In so many events. */
  count: number;
}

/** `GET /v1/analytics/properties` */
export interface Discovered {
  events: {
    eventType: string;
    event?: string;
    events: number;
    properties: { name: string; texts: number; numbers: number; booleans: number }[];
  }[];
  otherProperties: number;
}

/** What the call is asked for events of a type. */
export function discovery({ range, zone }: Context, eventType: string): string {
  const word = rangeWord(range);
  const asked = new URLSearchParams({
    eventType,
    range: typeof word === 'string' ? word : word.join(','),
    timeZone: zone,
  });
  return `/v1/analytics/properties?${asked}`;
}

/** Those of the events of a name, of custom ones, and how many there are. */
export function propertiesOf({ events }: Discovered, name: string | undefined): { rows: Property[]; events: number } {
  const found = events.find((one) => one.event === name);
  const rows = (found?.properties ?? []).map(({ name: property, texts, numbers, booleans }) => ({
    name: property,
    types: [texts > 0 && 'text', numbers > 0 && 'number', booleans > 0 && 'true or false'].filter(
      (one) => one !== false,
    ),
    count: texts + numbers + booleans,
  }));
  return { rows, events: found?.events ?? 0 };
}
