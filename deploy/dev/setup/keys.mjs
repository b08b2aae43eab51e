// The keys of local development: made once per checkout, never committed.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../base/process.mjs';
import { at, devDir } from '../base/project.mjs';

/** The site that the demo page belongs to. */
export const SITE = 'demo';

/** Where the demo site's pages may be: any port of this machine. */
const ORIGINS = ['http://localhost:*', 'http://127.0.0.1:*'];

/** Only the owner may read what holds a secret. */
const PRIVATE = 0o600;

/**
 * @typedef {{ browserKey: string, sourceKey: string, readToken: string, adminToken: string, hashKey: string }} Secrets
 */

/** 26 characters of 5 bits each: 130 bits. */
export const secretPart = () =>
  Array.from(randomBytes(26), (byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]).join('');

/** @returns {Secrets} */
const newSecrets = () => ({
  browserKey: `slb_${SITE}_${secretPart()}`,
  sourceKey: `sls_${SITE}_${secretPart()}`,
  readToken: `slr_${SITE}_${secretPart()}`,
  adminToken: `sla_${secretPart()}`,
  hashKey: randomBytes(32).toString('hex'),
});

/** The checkout's secrets; the first call makes them. @returns {Secrets} */
export function loadSecrets() {
  const path = join(devDir, 'secrets.json');
  if (!existsSync(path)) makeOnce(path, JSON.stringify(newSecrets(), null, 2));
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new Failure(`${path} is not JSON; delete it, and new development keys are made`);
  }
}

/**
 * Writes a whole file, or leaves the one that another process wrote first.
 * @param {string} path
 * @param {string} content
 */
function makeOnce(path, content) {
  const draft = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(draft, content, { mode: PRIVATE });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}

/** In lowercase hex, as keys are stored. @param {string} text */
export const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/**
 * Settings of wrangler.toml that are others here: shorter, so that a click is in the lake within
 * seconds, and so high that a load test on one machine, which is one visitor, is not refused.
 */
const LOCAL_SETTINGS = { LAKE_SEAL_SECONDS: '5', OUTBOX_RESEND_SECONDS: '10', VISITOR_EVENTS_PER_MINUTE: '1000000000' };

/**
 * Gives the worker its secrets and local settings, by the file from which Wrangler reads them.
 * @param {Secrets} secrets
 */
export function writeDevVars(secrets) {
  const path = at('.dev.vars');
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const vars = { ADMIN_TOKEN_HASH: sha256(secrets.adminToken), HASH_KEY: secrets.hashKey, ...LOCAL_SETTINGS };
  const others = old.split('\n').filter((line) => line && !(line.split('=')[0].trim() in vars));
  const lines = [...others, ...Object.entries(vars).map(([name, value]) => `${name}=${value}`), ''].join('\n');
  // Wrangler restarts the worker when this file changes.
  if (lines !== old) writeFileSync(path, lines, { mode: PRIVATE });
}

/**
 * The SQL that makes the demo site and its keys, as often as it is run.
 * @param {Secrets} secrets
 */
export function seedSql({ browserKey, sourceKey, readToken }) {
  const keys = [
    ['browser', browserKey],
    ['source', sourceKey],
    ['read', readToken],
  ];
  return [
    // It keeps the events of bots: curl and headless browsers are how one tries things out.
    'INSERT OR IGNORE INTO sites (site_id, name, origins, domain, keep_bots, created_at) ' +
      `VALUES ('${SITE}', 'Demo', '${JSON.stringify(ORIGINS)}', 'localhost', 1, unixepoch() * 1000);`,
    ...keys.map(
      ([kind, key]) =>
        'INSERT OR IGNORE INTO keys (key_hash, site_id, kind, created_at) ' +
        `VALUES ('${sha256(key)}', '${SITE}', '${kind}', unixepoch() * 1000);`,
    ),
    '',
  ].join('\n');
}

/**
 * The HTML that a page of the demo site pastes.
 * @param {string} url where Shoreline runs; empty for its own pages
 * @param {string} key
 */
export const snippet = (url, key) =>
  '<script>typeof shoreline=="function"||(window.shoreline=function(){arguments.t=Date.now();' +
  '(shoreline.q=shoreline.q||[]).push(arguments)})</script>\n' +
  `<script defer src="${url}/shoreline.js" data-key="${key}" data-include-local></script>`;

/**
 * Writes what scripts need in order to talk to the running system.
 * @param {string} path
 * @param {string} url
 * @param {Secrets} secrets
 */
export function writeKeysFile(path, url, { browserKey, sourceKey, readToken, adminToken }) {
  const keys = { url, site: SITE, browserKey, sourceKey, readToken, adminToken, snippet: snippet(url, browserKey) };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(keys, null, 2)}\n`, { mode: PRIVATE });
}
