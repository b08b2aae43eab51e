// The table of a dimension: what, how many events and users, and which share.
import type { Breakdown, BreakdownRow } from '../answers';
import { h } from '../dom';
import { percent } from '../format';
import { href } from '../place';
import { rangeQuery } from '../range';
import type { Context } from '../view';
import { panel } from './panel';
import { table } from './table';

/** What a dimension is called, and what its events are. */
export const DIMENSIONS: Readonly<Record<string, readonly [title: string, one: string, events: string]>> = {
  page: ['Pages', 'Page', 'Views'],
  referrer: ['Referrers', 'Referrer', 'Views'],
  utm_source: ['Campaign sources', 'utm_source', 'Views'],
  utm_medium: ['Campaign media', 'utm_medium', 'Views'],
  utm_campaign: ['Campaigns', 'utm_campaign', 'Views'],
  country: ['Countries', 'Country', 'Events'],
  browser: ['Browsers', 'Browser', 'Events'],
  os: ['Operating systems', 'System', 'Events'],
  device: ['Devices', 'Device', 'Events'],
  platform: ['Platforms', 'Platform', 'Events'],
  source: ['Senders of events', 'Sender', 'Events'],
  feature: ['Features', 'Feature', 'Uses'],
  error: ['Errors', 'Error', 'Events'],
};

const countries = new Intl.DisplayNames(undefined, { type: 'region' });

/** A key as one reads it: countries by name. */
export function keyText(by: string, key: string): string {
  if (by !== 'country' || !/^[A-Z]{2}$/.test(key)) return key;
  return countries.of(key) ?? key;
}

/** The path of a breakdown. */
export const breakdownPath = (context: Pick<Context, 'range'>, by: string, limit: number, cursor?: string): string =>
  `/v1/analytics/metrics/breakdown?by=${by}&limit=${limit}&${rangeQuery(context.range)}` +
  (cursor ? `&cursor=${encodeURIComponent(cursor)}` : '');

/** A panel with the first rows of a dimension, and the way to all of them. */
export function breakdownPanel(context: Context, { by, limit }: { by: string; limit: number }): HTMLElement {
  const [title] = DIMENSIONS[by] ?? [by];
  const path = breakdownPath(context, by, limit);
  return panel<Breakdown>(context, {
    title,
    lines: limit * 1.6 + 3.5,
    csv: breakdownPath(context, by, 500),
    load: (get) => get<Breakdown>(path),
    render: ({ rows, nextCursor }) => [
      breakdownTable(by, rows, (row) =>
        href(by === 'feature' ? { view: 'features', feature: row.key } : { view: 'pages', by, key: row.key }),
      ),
      nextCursor !== null &&
        h(
          'p',
          { class: 'more' },
          h(
            'a',
            { href: href(by === 'feature' ? { view: 'features' } : { view: 'pages', by }) },
            `All ${title.toLowerCase()}`,
          ),
        ),
    ],
  });
}

/** The table itself. */
export function breakdownTable(
  by: string,
  rows: readonly BreakdownRow[],
  link?: (row: BreakdownRow) => string,
  current?: (row: BreakdownRow) => boolean,
): HTMLElement {
  const [title, one, events] = DIMENSIONS[by] ?? [by, by, 'Events'];
  const most = Math.max(...rows.map((row) => row.events), 1);
  return table<BreakdownRow>({
    caption: title,
    rows,
    columns: [
      { name: one, value: (row) => keyText(by, row.key) },
      { name: events, value: (row) => row.events },
      { name: 'Users', value: (row) => row.users, title: 'Distinct users over the range' },
      {
        name: 'Share',
        value: (row) => row.share,
        show: (row) => percent(row.share),
        title: `Share of all ${events.toLowerCase()} that tell it`,
        minor: true,
      },
    ],
    bar: (row) => row.events / most,
    none: 'Nothing in these days.',
    ...(link && { link }),
    ...(current && { current }),
  });
}
