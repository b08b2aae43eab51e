// What the operator decides about a deployment, in production.json. It holds no secret.
import { Failure } from '../dev/base/process.mjs';

/**
 * @typedef {object} Settings
 * @property {string} [accountId] the account, where the login reaches several
 * @property {string} [domain] the host name at which the collector answers; without it, one of workers.dev
 * @property {string} [location] where database and bucket are made: a hint, of use before the first run alone
 * @property {'free' | 'paid'} plan the account's; the free one takes no limit of CPU
 * @property {Record<string, string>} vars variables of wrangler.toml that are others here
 */

/**
 * The files of a deployment, beside wrangler.toml, because paths in it count from where it lies. Who has
 * several, in accounts of their own, names each by SHORELINE_DEPLOYMENT.
 * @param {string} [name]
 */
export function filesOf(name = 'production') {
  if (!/^[a-z0-9-]{1,40}$/.test(name)) throw new Failure('SHORELINE_DEPLOYMENT must be 1 to 40 of a-z, 0-9 and -');
  return { settings: `${name}.json`, config: `wrangler.${name}.toml` };
}

/** The location hints that D1 and R2 both know: `wrangler d1 create --help`, `wrangler r2 bucket create --help`. */
export const LOCATIONS = ['weur', 'eeur', 'apac', 'oc', 'wnam', 'enam'];

/** What a variable's name is; the worker reads no others. */
const VARIABLE = /^[A-Z][A-Z0-9_]{0,63}$/;

/** A host name of at least two labels: what Cloudflare takes as a custom domain. */
const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/;

/** What belongs into secrets, wherever its name says so: anyone who may see the worker's settings reads a variable. */
const SECRET = /(^HASH_KEY|ADMIN_TOKEN_HASH|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|ALERT_WEBHOOK_URL)$/;

/**
 * Reads the settings; all of them may be missing.
 * @param {string | undefined} text of the file, if there is one
 * @param {string} file its name
 * @returns {Settings}
 */
export function readSettings(text, file) {
  const wrong = (/** @type {string} */ why) => new Failure(`${file}: ${why}`);
  let given;
  try {
    given = text === undefined ? {} : JSON.parse(text);
  } catch {
    throw wrong('is not JSON');
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrong('must be an object');
  const { accountId, domain, location, plan = 'paid', vars = {}, ...unknown } = given;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined)
    throw wrong(`knows no "${stranger}"; it may have accountId, domain, location, plan and vars`);
  if (accountId !== undefined && !isAccountId(accountId))
    throw wrong('accountId must be the 32 hex digits that npx wrangler whoami shows');
  if (domain !== undefined && !(typeof domain === 'string' && DOMAIN.test(domain)))
    throw wrong('domain must be a host name such as "collect.example.com"');
  if (location !== undefined && !LOCATIONS.includes(location))
    throw wrong(`location must be one of ${LOCATIONS.join(', ')}`);
  if (!['free', 'paid'].includes(plan)) throw wrong('plan must be free or paid');
  if (typeof vars !== 'object' || vars === null || Array.isArray(vars)) throw wrong('vars must be an object');
  for (const [name, value] of Object.entries(vars)) {
    if (!VARIABLE.test(name)) throw wrong(`vars has "${name}", which is no variable's name`);
    if (SECRET.test(name))
      throw wrong(`${name} is a secret: give it as SHORELINE_SECRET_${name} in the environment, not in vars`);
    if (typeof value !== 'string') throw wrong(`vars.${name} must be a text, as in wrangler.toml`);
  }
  return { accountId, domain, location, plan, vars };
}

/** @param {unknown} text */
export const isAccountId = (text) => typeof text === 'string' && /^[0-9a-f]{32}$/.test(text);
