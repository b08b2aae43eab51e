// Which secrets a deployment has: those that Shoreline makes, and those that the operator gives.
import { Failure } from '../dev/base/process.mjs';

/** What the sinks that sign their requests are called in SINKS, and before the names of their own keys. */
const SIGNED = ['s3', 'firehose', 'eventbridge', 'sqs'];

const PARTS = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN'];

/** What the operator may give: docs/OPERATIONS.md. */
export const GIVEN = [
  ...['aws', ...SIGNED].flatMap((of) => PARTS.map((part) => `${of.toUpperCase()}_${part}`)),
  'ALERT_WEBHOOK_URL',
];

/**
 * Before a secret's name in the environment. The plain names would take whatever keys this shell has for
 * other work, often an administrator's, to the edge.
 */
export const PREFIX = 'SHORELINE_SECRET_';

/**
 * What the environment gives.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<string, string>}
 */
export function givenIn(env) {
  const names = Object.keys(env).filter((name) => name.startsWith(PREFIX) && env[name]);
  const known = names.map((name) => name.slice(PREFIX.length));
  const stranger = known.find((name) => !GIVEN.includes(name));
  if (stranger !== undefined)
    throw new Failure(`${PREFIX}${stranger}: there is no such secret to give; there are ${GIVEN.join(', ')}`);
  return Object.fromEntries(known.map((name) => [name, env[PREFIX + name] ?? '']));
}

/**
 * What the sinks need and nobody has given: to be asked for.
 * @param {string} sinks SINKS
 * @param {string[]} there secrets that the worker has, or is about to get
 * @returns {string[]} names
 */
export function missingFor(sinks, there) {
  const has = (/** @type {string} */ of) =>
    there.includes(`${of}_ACCESS_KEY_ID`) && there.includes(`${of}_SECRET_ACCESS_KEY`);
  const signed = sinks
    .split(',')
    .map((name) => name.trim())
    .filter((name) => SIGNED.includes(name));
  if (has('AWS') || signed.every((name) => has(name.toUpperCase()))) return [];
  return ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].filter((name) => !there.includes(name));
}

/**
 * What Shoreline makes by itself. A HASH_KEY that is there is never replaced: with another, every user
 * would be a new one.
 * @param {string[] | undefined} there secrets of the worker; undefined where nobody could look
 * @param {boolean} newAdminToken
 * @returns {('HASH_KEY' | 'ADMIN_TOKEN_HASH')[]}
 */
export function toMake(there, newAdminToken) {
  /** @type {('HASH_KEY' | 'ADMIN_TOKEN_HASH')[]} */
  const made = ['HASH_KEY', 'ADMIN_TOKEN_HASH'];
  return made.filter((name) => !there?.includes(name) || (newAdminToken && name === 'ADMIN_TOKEN_HASH'));
}
