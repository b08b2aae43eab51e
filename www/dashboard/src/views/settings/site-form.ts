// A site: makes one, or changes one.
import { Problem, call } from '../../api';
import { announce, h } from '../../dom';
import { go, href } from '../../place';
import { type Field, field, form, input, tick } from '../../ui/form';
import { panel } from '../../ui/panel';
import { empty } from '../../ui/states';
import type { Context } from '../../view';
import type { Site, Sites } from './sites';

/** As the admin API has it; a pattern is read with the flag v, which wants the hyphen escaped. */
const SITE_ID = '[a-z0-9\\-]{1,40}';

/** The form of `site`, or of a new one. */
export function sitePanel(context: Context, site: string): HTMLElement {
  const isNew = context.params.has('new');
  return panel<Sites>(context, {
    title: isNew ? 'New site' : `Site ${site}`,
    lines: 20,
    class: 'half',
    live: false,
    load: (get) => get<Sites>('/v1/sites'),
    render: ({ sites }) => {
      if (isNew) return siteForm(context, undefined);
      const found = sites.find(({ siteId }) => siteId === site);
      return found
        ? siteForm(context, found)
        : empty(
            'There is no such site.',
            h('p', null, h('a', { href: href({ site: undefined }) }, 'Back to your own')),
          );
    },
  });
}

/** What the API takes as an origin, near enough to find the line that it does not. */
const ORIGIN = /^https?:\/\/((\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:(\d{1,5}|\*))?$/i;

/** Says of which lines the API's complaint is, and shows the first. */
function inLines(error: unknown, area: HTMLTextAreaElement): unknown {
  if (!(error instanceof Problem) || error.field !== 'origins') return error;
  const wrong = area.value.split('\n').flatMap((line, n) =>
    line.trim() &&
    !line
      .trim()
      .split(/\s+/)
      .every((one) => ORIGIN.test(one))
      ? [{ line, n }]
      : [],
  );
  const [first] = wrong;
  if (!first) return error;
  const start = area.value.split('\n').slice(0, first.n).join('\n').length + (first.n > 0 ? 1 : 0);
  area.setSelectionRange(start, start + first.line.length);
  return new Problem(
    error.status,
    error.code,
    `${wrong.map(({ line, n }) => `Line ${n + 1}, ${line.trim()}`).join('; ')}: ${error.message}`,
    error.field,
  );
}

function siteForm(context: Context, site: Site | undefined): HTMLElement {
  const id = input(
    { name: 'siteId', label: 'Id', hint: 'At most 40 of a-z, 0-9 and -. It is in every key, and stays.' },
    { required: true, pattern: SITE_ID, maxlength: 40 },
  );
  const name = input({ name: 'name', label: 'Name' }, { value: site?.name ?? '', maxlength: 100 });
  const origins = field({
    name: 'origins',
    label: 'Origins of its pages',
    hint:
      'One a line: https://shop.example, https://*.shop.example for any subdomain, http://localhost:* for any ' +
      'port. Browser keys work from nowhere else.',
    control: h('textarea', { rows: 4, spellcheck: 'false', autocomplete: 'off' }, site?.origins.join('\n') ?? ''),
  });
  const domain = input(
    {
      name: 'domain',
      label: 'Domain for Plausible’s script',
      hint: 'What its data-domain says; empty where it is not used.',
    },
    { value: site?.domain ?? '', maxlength: 253 },
  );
  const zone = input(
    { name: 'timeZone', label: 'Time zone', hint: 'Of questions that name none, such as Europe/Berlin. Empty: UTC.' },
    { value: site?.timeZone ?? '', maxlength: 64 },
  );
  const limits = LIMITS.map(({ key, label, hint, max }) => ({
    key,
    field: input(
      { name: key, label, hint },
      { type: 'number', min: 1, max, step: 1, inputmode: 'numeric', value: site?.[key] ?? '' },
    ),
  }));
  const hash = tick(
    'hash-routing',
    'Hash routing',
    site?.hashRouting ?? false,
    'Fragments of URLs are routes, and are kept.',
  );
  const bots = tick(
    'keep-bots',
    'Keep bots',
    site?.keepBots ?? false,
    'Stores the events of bots, which are otherwise counted and left out.',
  );
  const body = (): Record<string, unknown> => {
    const number = (one: Field<HTMLInputElement>): number | undefined =>
      one.control.value === '' ? undefined : Number(one.control.value);
    return {
      ...site,
      siteId: site?.siteId ?? id.control.value.trim(),
      name: name.control.value.trim() || undefined,
      origins: origins.control.value.split(/\s+/).filter(Boolean),
      domain: domain.control.value.trim() || undefined,
      timeZone: zone.control.value.trim() || undefined,
      hashRouting: hash.control.checked,
      keepBots: bots.control.checked,
      ...Object.fromEntries(limits.map(({ key, field: one }) => [key, number(one)])),
    };
  };
  return form({
    label: site ? `Site ${site.siteId}` : 'New site',
    fields: [...(site ? [] : [id]), name, origins, domain, zone, ...limits.map((one) => one.field)],
    more: [hash.element, bots.element],
    verb: site ? 'Save' : 'Create site',
    run: async () => {
      const { signal } = context;
      const located = (error: unknown): never => {
        throw inLines(error, origins.control);
      };
      if (site) {
        const sent = body();
        const saved = await call<Site>(`/v1/sites/${encodeURIComponent(site.siteId)}`, {
          admin: true,
          method: 'PUT',
          body: sent,
          signal,
        }).catch(located);
        const unknown = unknownTo(sent, saved);
        Object.assign(site, saved);
        if (unknown.length > 0)
          return h('p', { class: 'warn' }, `Saved, but this collector does not know: ${unknown.join(', ')}.`);
        return h('p', { class: 'good' }, 'Saved. It is in force within a minute.');
      }
      try {
        const made = await call<Site>('/v1/sites', { admin: true, body: body(), signal }).catch(located);
        announce(`The site ${made.siteId} is made. It needs keys.`);
        go({ site: made.siteId, new: undefined, part: 'keys' });
      } catch (error) {
        if (error instanceof Problem && error.code === 'already_exists')
          throw new Problem(error.status, error.code, `${error.message} Or another site has its domain.`, 'siteId');
        throw error;
      }
      return null;
    },
  });
}

const EMPTY = 'Empty: the deployment’s default.';

/** Numbers of a site's own; left empty, the deployment's are in force. */
const LIMITS = [
  { key: 'visitorPerMinute', label: 'A visitor’s events a minute', hint: EMPTY, max: 1_000_000_000 },
  { key: 'hourlyQuota', label: 'The site’s events an hour', hint: EMPTY, max: 4_000_000_000 },
  { key: 'retentionDays', label: 'Days events are kept', hint: `Counts and the lake stay. ${EMPTY}`, max: 90 },
] as const;

/** Limits that were sent and are not in the answer: an older collector does not know them. */
const unknownTo = (sent: Record<string, unknown>, saved: Site): string[] =>
  LIMITS.filter(({ key }) => sent[key] !== undefined && saved[key] === undefined).map(({ label }) => label);
