// What events are told apart by: titles, names, and how each is counted.

/** How a dimension's table is counted. */
export interface Dimension {
  /** Of its table. */
  title: string;
  /** Of one of its keys. */
  one: string;
  /** What is counted by it, and as which metric of a question. */
  events: string;
  metric: 'views' | 'events' | 'sessions';
  /** Whether the collector sums it up by days (`metrics/breakdown`). */
  summed: boolean;
}

const views = (title: string, one: string, summed = true): Dimension => ({
  title,
  one,
  events: 'Views',
  metric: 'views',
  summed,
});
const events = (title: string, one: string, summed = true, counted = 'Events'): Dimension => ({
  title,
  one,
  events: counted,
  metric: 'events',
  summed,
});
const sessions = (title: string, one: string): Dimension => ({
  title,
  one,
  events: 'Sessions',
  metric: 'sessions',
  summed: false,
});

export const DIMENSIONS: Readonly<Record<string, Dimension>> = {
  page: views('Pages', 'Page'),
  entry_page: sessions('Entry pages', 'Entry page'),
  exit_page: sessions('Exit pages', 'Exit page'),
  referrer: views('Referrers', 'Referrer'),
  utm_source: views('Campaign sources', 'utm_source'),
  utm_medium: views('Campaign media', 'utm_medium'),
  utm_campaign: views('Campaigns', 'utm_campaign'),
  utm_term: views('Campaign terms', 'utm_term', false),
  utm_content: views('Campaign contents', 'utm_content', false),
  country: events('Countries', 'Country'),
  region: events('Regions', 'Region', false),
  browser: events('Browsers', 'Browser'),
  os: events('Operating systems', 'System'),
  device: events('Devices', 'Device'),
  platform: events('Platforms', 'Platform'),
  source: events('Senders of events', 'Sender'),
  feature: events('Features', 'Feature', true, 'Uses'),
  error: events('Errors', 'Error'),
  outbound: events('Outbound links', 'Outbound link', false, 'Clicks'),
  download: events('Downloads', 'Download', false),
  custom: events('Custom events', 'Custom event', false),
  eventType: events('Event types', 'Event type', false),
  day_of_week: events('Days of the week', 'Day of the week', false),
  hour_of_day: events('Hours of the day', 'Hour of the day', false),
};

/** A dimension, also one that is not in the list: a property. */
export const dimensionOf = (by: string): Dimension => DIMENSIONS[by] ?? events(nameOf(by), nameOf(by), false);

/** What a key of it is called: `data.plan` is plan. */
export const nameOf = (by: string): string => DIMENSIONS[by]?.one ?? by.replace(/^data\./, '');

const countries = new Intl.DisplayNames(undefined, { type: 'region' });
const weekdays = new Intl.DateTimeFormat(undefined, { weekday: 'long', timeZone: 'UTC' });

/** A weekday (1 is Monday) by name: 1 January 2024 was a Monday. */
export const weekday = (day: number): string => weekdays.format(Date.UTC(2024, 0, day));

/** A key as one reads it: countries and days by name. */
export function valueText(by: string, key: string): string {
  if (by === 'country' && /^[A-Z]{2}$/.test(key)) return countries.of(key) ?? key;
  if (by === 'day_of_week' && /^[1-7]$/.test(key)) return weekday(Number(key));
  if (by === 'hour_of_day') return `${key}:00`;
  return key;
}
