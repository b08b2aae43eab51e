// The configuration of a deployment: wrangler.toml with what is this account's own. Made anew by every run, so that
// an upgrade of wrangler.toml is not missed, and not committed.
import { Failure } from '../dev/base/process.mjs';

/** The ids that stand in wrangler.toml for a database and a KV namespace of one's own. */
const NO_DATABASE = '"00000000-0000-0000-0000-000000000000"';
const NO_NAMESPACE = '"00000000000000000000000000000000"';

const HEADER =
  '# Made by `npm run deploy:setup` from wrangler.toml and the settings of this deployment: change those, not this.\n';

/** A basic string of TOML, which takes all that JSON's strings do. @param {string} text */
const quoted = (text) => JSON.stringify(text);

/**
 * The production configuration.
 * @param {string} base wrangler.toml
 * @param {{
 *   accountId: string, databaseId: string, namespaceId: string, domain?: string, plan?: 'free' | 'paid',
 *   vars: Record<string, string>
 * }} own
 */
export function productionConfig(base, { accountId, databaseId, namespaceId, domain, plan, vars }) {
  const top = [`account_id = ${quoted(accountId)}`];
  if (domain) top.push(`routes = [{ pattern = ${quoted(domain)}, custom_domain = true }]`);
  for (const [id, what] of [
    [NO_DATABASE, 'database_id'],
    [NO_NAMESPACE, 'id of a KV namespace'],
  ]) {
    if (base.split(id).length !== 2) throw new Failure(`wrangler.toml must have one ${what}, of zeros`);
  }
  const text = base.replace(NO_DATABASE, quoted(databaseId)).replace(NO_NAMESPACE, quoted(namespaceId));
  // What stands before the first table is the worker's own.
  const ofPlan = plan === 'free' ? withoutLimits(text) : text;
  return `${HEADER}${top.join('\n')}\n${withVars(ofPlan, vars)}`;
}

/** Without the limit of CPU, with which Cloudflare takes no worker on its free plan. @param {string} text */
function withoutLimits(text) {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.trim() === '[limits]');
  if (start < 0) throw new Failure('wrangler.toml has no [limits]');
  lines.splice(start, endOf(lines, start) - start);
  return lines.join('\n');
}

/**
 * With other values of variables; what is not there yet is added.
 * @param {string} text
 * @param {Record<string, string>} vars
 */
function withVars(text, vars) {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.trim() === '[vars]');
  if (start < 0) throw new Failure('wrangler.toml has no [vars]');
  for (const [name, value] of Object.entries(vars)) {
    const line = `${name} = ${quoted(value)}`;
    const at = lines.findIndex((other, index) => index > start && other.startsWith(`${name} = `));
    if (at > start && at < endOf(lines, start)) lines[at] = line;
    else lines.splice(start + 1, 0, line);
  }
  return lines.join('\n');
}

/** The line of the next table. @param {string[]} lines @param {number} start */
function endOf(lines, start) {
  const end = lines.findIndex((line, index) => index > start && line.startsWith('['));
  return end < 0 ? lines.length : end;
}

/**
 * What wrangler.toml names, and what has to be there before it can be deployed.
 * @param {string} base wrangler.toml
 */
export function namesIn(base) {
  const one = (/** @type {string} */ key) => all(key)[0];
  const all = (/** @type {string} */ key) =>
    [...base.matchAll(new RegExp(`^${key} = "([^"]+)"`, 'gm'))].map(([, name]) => name);
  const vars = Object.fromEntries(
    [...tableIn(base, '[vars]').matchAll(/^([A-Z][A-Z0-9_]*) = "([^"]*)"/gm)].map(([, name, value]) => [name, value]),
  );
  return {
    worker: one('name'),
    database: one('database_name'),
    // Wrangler's configuration has no name of a namespace, only its id.
    namespace: `${one('name')}-grants`,
    queues: [...new Set([...all('queue'), ...all('dead_letter_queue')])],
    buckets: all('bucket_name'),
    vars,
  };
}

/** @param {string} base @param {string} header */
function tableIn(base, header) {
  const lines = base.split('\n');
  const start = lines.findIndex((line) => line.trim() === header);
  return start < 0 ? '' : lines.slice(start, endOf(lines, start)).join('\n');
}

/** The account of a configuration that an earlier run made. @param {string | undefined} text */
export const accountIn = (text) => /^account_id = "([0-9a-f]{32})"/m.exec(text ?? '')?.[1];
