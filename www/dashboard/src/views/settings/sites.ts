// The sites of this deployment.
import { h } from '../../dom';
import { href } from '../../place';
import { panel } from '../../ui/panel';
import { table } from '../../ui/table';
import type { Context } from '../../view';

/** A site, as the admin API has it; what a newer collector adds is kept as it is. */
export interface Site {
  siteId: string;
  name: string;
  origins: string[];
  hashRouting: boolean;
  domain?: string;
  timeZone?: string;
  visitorPerMinute?: number;
  hourlyQuota?: number;
  keepBots: boolean;
  /** Not offered by every collector. */
  retentionDays?: number;
}

/** `GET /v1/sites` */
export interface Sites {
  sites: Site[];
}

/** The list. */
export function sitesPanel(context: Context, site: string): HTMLElement {
  return panel<Sites>(context, {
    title: 'Sites',
    lines: 12,
    class: 'half',
    live: false,
    tools: h('a', { id: 'new-site', class: 'button small', href: href({ new: '1' }) }, 'New site'),
    load: (get) => get<Sites>('/v1/sites'),
    render: ({ sites }) =>
      table<Site>({
        caption: 'Sites',
        rows: sites,
        columns: [
          { name: 'Site', value: ({ siteId }) => siteId },
          { name: 'Name', value: ({ name }) => name, minor: true },
          { name: 'Origins', value: ({ origins }) => origins.length },
        ],
        link: ({ siteId }) => href({ site: siteId === context.site ? undefined : siteId, new: undefined }),
        current: ({ siteId }) => siteId === site && !context.params.has('new'),
        none: 'There are no sites yet.',
      }),
  });
}
