// The three that are compared: Shoreline's release build, the TypeScript worker, and the TypeScript twin of Shoreline's
// design.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startModules, startWorker } from '../../deploy/dev/bench/system.mjs';
import { loadSecrets, SITE, sha256 } from '../../deploy/dev/setup/keys.mjs';
import { Failure } from '../../deploy/dev/base/process.mjs';
import { at, readText } from '../../deploy/dev/base/project.mjs';
import { countedModules } from './counted/modules.mjs';
import { cpuSeconds } from './proc.mjs';

/**
 * @typedef {object} System
 * @property {string} name
 * @property {string} url
 * @property {string} pid workerd's
 * @property {import('../../deploy/dev/setup/keys.mjs').Secrets} secrets
 * @property {import('miniflare').Miniflare} miniflare
 * @property {() => Promise<boolean>} drained whether all that got a 202 is where it ends
 * @property {() => Promise<void>} stop
 */

/** A worker of tests/bench/. @typedef {{ name: string, folder: string, objects: Record<string, string> }} Peer */

/** @type {Peer[]} */
const PEERS = [
  { name: 'TypeScript', folder: 'typescript', objects: { COUNTS: 'Counts' } },
  { name: 'twin', folder: 'twin', objects: { LOG: 'Log', ARCHIVE: 'Archive' } },
];

export const OURS = 'Shoreline';
export const NAMES = [OURS, ...PEERS.map(({ name }) => name)];

/** Like Shoreline's own (wrangler.toml), so that messages wait as long. */
const CONSUMER = { maxBatchSize: 2, maxBatchTimeout: 1, maxConcurrency: 4 };

/** Settings as they are when deployed: locally objects are sealed sooner, which costs more. */
const DEPLOYED = { LAKE_SEAL_SECONDS: '60', OUTBOX_RESEND_SECONDS: '120' };

/** How long all may take until it has landed, ms: an object waits up to a minute for its seal. */
const SETTLE_MS = 180_000;
const LOOK_AGAIN_MS = 250;
const ASK_AGAIN_MS = 5_000;

/** A workerd that takes less than this share of a core has nothing left to do. */
const IDLE = 0.04;

/**
 * Starts all three, one after the other.
 * @param {{ counted?: boolean }} [options] counted: with counters around what costs money
 * @returns {Promise<System[]>}
 */
export async function startSystems({ counted = false } = {}) {
  /** @type {System[]} */
  const started = [];
  try {
    started.push(await startOurs(counted));
    for (const peer of PEERS) started.push(await startPeer(peer, counted));
    return started;
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

/** @param {System[]} systems */
export const stopAll = (systems) => Promise.all(systems.map(({ stop }) => stop()));

/** @param {boolean} counted @returns {Promise<System>} */
async function startOurs(counted) {
  const classes = [...readText('wrangler.toml').matchAll(/^class_name = "(\w+)"/gm)].map(([, name]) => name);
  const system = await startWorker(
    counted ? { before: countedModules(at('worker', 'build'), classes), settings: DEPLOYED } : {},
  );
  const authorization = `Bearer ${system.secrets.readToken}`;
  const drained = async () => {
    const answer = await fetch(`${system.url}/health`, { headers: { authorization } });
    const { backlog } = /** @type {any} */ (await answer.json());
    // No backlog is told while something does not answer.
    return backlog?.outbox.parts === 0 && backlog.lake.pendingEvents === 0;
  };
  return { name: OURS, ...system, drained };
}

/** @param {Peer} peer @param {boolean} counted @returns {Promise<System>} */
async function startPeer({ name, folder, objects }, counted) {
  const source = at('tests', 'bench', folder);
  const { build } = await import('esbuild');
  const made = at('dist', 'bench', folder);
  await build({
    entryPoints: [`${source}/index.ts`],
    outfile: `${made}/index.js`,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['cloudflare:*'],
    logLevel: 'silent',
  });
  const index = { type: 'ESModule', path: `${made}/index.js` };
  const secrets = loadSecrets();
  const sql = [readFileSync(`${source}/schema.sql`, 'utf8'), seedPeer(secrets)];
  const durableObjects = Object.fromEntries(
    Object.entries(objects).map(([binding, className]) => [binding, { className, useSQLite: true }]),
  );
  const system = await startModules(
    {
      name: folder,
      compatibilityDate: '2026-08-01',
      modulesRoot: made,
      modules: counted ? [...countedModules(made, Object.values(objects)), index] : [index],
      durableObjects,
      d1Databases: { DB: folder },
      queueProducers: { EVENTS: { queueName: `${folder}-events` } },
      queueConsumers: { [`${folder}-events`]: CONSUMER },
    },
    sql,
  );
  const drained = async () => /** @type {any} */ (await (await fetch(`${system.url}/state`)).json()).waiting === 0;
  return { name, ...system, secrets, drained };
}

/**
 * The site and its key, as the peers' databases have them.
 * @param {import('../../deploy/dev/setup/keys.mjs').Secrets} secrets
 */
const seedPeer = ({ browserKey }) =>
  `INSERT INTO sites VALUES ('${SITE}', '["http://localhost:*"]');\nINSERT INTO keys VALUES ` +
  `('${sha256(browserKey)}', '${SITE}', 'browser');`;

/**
 * Waits until all that was taken has landed, and workerd rests. Asking is work of the system too, and an object waits
 * up to a minute for its seal, so it is asked only when it rests, and seldom.
 * @param {System} system
 */
export async function settle({ name, drained, pid }) {
  const end = Date.now() + SETTLE_MS;
  do {
    await rest(name, pid, end);
    if (await drained()) return rest(name, pid, end);
    await delay(ASK_AGAIN_MS);
  } while (Date.now() < end);
  throw new Failure(`${name} does not come to an end with what it took`);
}

/** Waits until workerd rests. @param {string} name @param {string} pid @param {number} end */
async function rest(name, pid, end) {
  for (let before = cpuSeconds(pid), resting = 0; resting < 2; ) {
    if (Date.now() > end) throw new Failure(`${name} does not come to rest`);
    await delay(LOOK_AGAIN_MS);
    const now = cpuSeconds(pid);
    resting = (now - before) * 1000 <= LOOK_AGAIN_MS * IDLE ? resting + 1 : 0;
    before = now;
  }
}
