// What wrangler.toml says, as far as these scripts need it: it stays the one place that says it.
import { readText } from './project.mjs';

/**
 * The bodies of all tables with this header.
 * @param {string} header for example `[triggers]` or `[[r2_buckets]]`
 */
function tables(header) {
  const sections = readText('wrangler.toml').split(/^(?=[ \t]*\[)/m);
  return sections.filter((section) => section.trimStart().startsWith(header));
}

/**
 * A string of a table.
 * @param {string} table
 * @param {string} key
 */
function stringIn(table, key) {
  return new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*["']([^"']*)["']`, 'm').exec(table)?.[1];
}

/**
 * The table of a binding.
 * @param {string} header
 * @param {string} binding
 */
function bound(header, binding) {
  const table = tables(header).find((body) => stringIn(body, 'binding') === binding);
  if (!table) throw new Error(`wrangler.toml has no ${header} with binding = "${binding}"`);
  return table;
}

/** The schedules of the cron triggers. */
export function crons() {
  const list = /^[ \t]*crons[ \t]*=[ \t]*\[([^\]]*)\]/m.exec(tables('[triggers]').join(''))?.[1] ?? '';
  const code = list.replace(/^\s*#.*$/gm, '');
  return [...code.matchAll(/["']([^"']+)["']/g)].map(([, cron]) => cron);
}

/** The name of the bucket that holds the lake. */
export const lakeBucket = () => stringIn(bound('[[r2_buckets]]', 'LAKE'), 'bucket_name') ?? 'LAKE';

/** The folder of the D1 migrations. */
export const migrationsDir = () => stringIn(bound('[[d1_databases]]', DATABASE), 'migrations_dir') ?? 'migrations';

/** The binding of the database, by which Wrangler's d1 commands know it too. */
export const DATABASE = 'DB';
