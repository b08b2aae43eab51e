// What is to be done, decided from what is there. Nothing here touches anything.
import { Failure } from '../dev/base/process.mjs';
import { missingFor, toMake } from './secrets.mjs';

/**
 * What an account has. Whatever is undefined could not be looked at: nobody is logged in yet.
 * @typedef {object} Found
 * @property {string} [accountId]
 * @property {{ name: string, id: string }[]} [databases]
 * @property {{ name: string, id: string }[]} [namespaces] of KV
 * @property {string[]} [queues]
 * @property {string[]} [buckets]
 * @property {string[]} [secrets] names
 * @property {string[]} [migrations] names of those that were applied
 */

/**
 * @typedef {object} Wanted
 * @property {string} worker
 * @property {string} config the name of the deployment's configuration
 * @property {string} database
 * @property {string} namespace of KV
 * @property {string[]} queues
 * @property {string[]} buckets
 * @property {string[]} migrations names, in order
 * @property {Record<string, string>} vars those of wrangler.toml, with the operator's over them
 * @property {string} [location]
 * @property {Record<string, string>} given secrets of the operator
 * @property {boolean} newAdminToken
 * @property {boolean} deploy
 */

/**
 * A step. `args` are Wrangler's; a secret is never among them.
 * @typedef {{ kind: 'database' | 'namespace' | 'queue' | 'bucket' | 'config' | 'migrations' | 'secrets' | 'deploy',
 *   what: string, args?: string[], names?: string[] }} Step
 */

/**
 * The steps that are left, in their order: each needs only what those before it made.
 * @param {Wanted} wanted
 * @param {Found} found
 * @returns {{ there: string[], steps: Step[], ask: string[] }} what is there already, what is to be done, and
 *   which secrets nobody gave
 */
export function planOf(wanted, found) {
  /** @type {string[]} */
  const there = [];
  /** @type {Step[]} */
  const steps = [];
  /** @param {string} what @param {boolean | undefined} isThere @param {Step} step */
  const need = (what, isThere, step) => void (isThere ? there.push(what) : steps.push(step));
  const where = wanted.location ? ['--location', wanted.location] : [];

  const database = found.databases?.find(({ name }) => name === wanted.database);
  need(`D1 database ${wanted.database}${database ? ` (${database.id})` : ''}`, database !== undefined, {
    kind: 'database',
    what: `make the D1 database ${wanted.database}`,
    args: ['d1', 'create', wanted.database, ...where, '--update-config=false'],
  });
  const namespace = found.namespaces?.find(({ name }) => name === wanted.namespace);
  need(`KV namespace ${wanted.namespace}${namespace ? ` (${namespace.id})` : ''}`, namespace !== undefined, {
    kind: 'namespace',
    what: `make the KV namespace ${wanted.namespace}`,
    args: ['kv', 'namespace', 'create', wanted.namespace, '--update-config=false'],
  });
  for (const name of wanted.queues) {
    need(`queue ${name}`, found.queues?.includes(name), {
      kind: 'queue',
      what: `make the queue ${name}`,
      args: ['queues', 'create', name],
    });
  }
  for (const name of wanted.buckets) {
    need(`R2 bucket ${name}`, found.buckets?.includes(name), {
      kind: 'bucket',
      what: `make the R2 bucket ${name}`,
      args: ['r2', 'bucket', 'create', name, ...where, '--update-config=false'],
    });
  }
  steps.push({ kind: 'config', what: `write ${wanted.config}: wrangler.toml with this account's ids` });

  const left = migrationsLeft(wanted.migrations, database ? found.migrations : []);
  need(`all ${wanted.migrations.length} migrations`, left.length === 0, {
    kind: 'migrations',
    what: `apply migrations: ${left.join(', ')}`,
    args: ['d1', 'migrations', 'apply', 'DB', '--remote', '--config', wanted.config],
  });

  const made = toMake(found.secrets, wanted.newAdminToken);
  const given = Object.keys(wanted.given);
  const ask = missingFor(wanted.vars.SINKS ?? 'r2', [...(found.secrets ?? []), ...given]);
  for (const name of found.secrets ?? []) if (![...made, ...given].includes(name)) there.push(`secret ${name}`);
  const names = [...made, ...given, ...ask];
  if (names.length > 0) {
    const parts = [
      made.length > 0 && `${made.join(', ')} made at random`,
      given.length > 0 && `${given.join(', ')} from the environment`,
      ask.length > 0 && `${ask.join(', ')} asked for`,
    ];
    steps.push({
      kind: 'secrets',
      what: `set secrets: ${parts.filter(Boolean).join('; ')}`,
      args: ['secret', 'bulk', '--config', wanted.config],
      names,
    });
  }
  if (wanted.deploy)
    steps.push({
      kind: 'deploy',
      what: `build and deploy the worker ${wanted.worker}`,
      args: ['deploy', '--config', wanted.config],
    });
  return { there, steps, ask };
}

/**
 * The migrations that were not applied yet.
 * @param {string[]} all in order
 * @param {string[] | undefined} applied undefined: nobody could look
 */
export function migrationsLeft(all, applied = []) {
  const unknown = applied.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    throw new Failure(
      `the database has migrations that this checkout does not know (${unknown.join(', ')}): it was set up by a ` +
        'newer version; check that one out',
    );
  }
  return all.filter((name) => !applied.includes(name));
}

/**
 * The plan, as text.
 * @param {{ there: string[], steps: Step[] }} plan
 * @param {Found} found
 */
export function planText({ there, steps }, found) {
  const seen = found.accountId
    ? [`Account ${found.accountId}`, '']
    : [
        'Not logged in (npx wrangler login): what is there already could not be looked at, and would not be made ' +
          'again.',
        '',
      ];
  const has = there.length > 0 ? ['There already:', ...there.map((what) => `  ${what}`), ''] : [];
  const lines = steps.flatMap(({ what, args }, index) => [
    `  ${index + 1}. ${what}`,
    ...(args ? [`     npx wrangler ${args.join(' ')}`] : []),
  ]);
  return [...seen, ...has, 'To do:', ...lines].join('\n');
}
