// The account, by Wrangler's own commands: they know the login, refresh it, and are what one would type.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Failure } from '../dev/base/process.mjs';
import { root, tools } from '../dev/base/project.mjs';
import { command, wranglerEnv } from '../dev/run/wrangler.mjs';

/** @typedef {{ code: number, out: string, err: string }} Said */

/** The end of what a command said, for an error message, lines. */
const SHOWN_LINES = 12;

/**
 * Runs a Wrangler command that asks nothing, as its input is no terminal.
 * @param {string[]} args
 * @param {{ accountId?: string, input?: string }} [options] `input` is how secrets go: no list of processes shows it
 * @returns {Promise<Said>}
 */
export function run(args, { accountId, input } = {}) {
  const env = { ...wranglerEnv(), ...(accountId && { CLOUDFLARE_ACCOUNT_ID: accountId }) };
  const child = spawn(tools.node, command(args), { cwd: root, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) =>
      done({ code: code ?? 1, out: stripVTControlCharacters(out), err: stripVTControlCharacters(err) }),
    );
  });
}

/**
 * The same, for a command that must succeed.
 * @param {string} task what is done, as in "could not …"
 * @param {string[]} args
 * @param {{ accountId?: string, input?: string }} [options]
 */
export async function mustRun(task, args, options) {
  const said = await run(args, options);
  if (said.code !== 0) throw failure(task, said);
  return said.out;
}

/** @param {string} task @param {Said} said */
function failure(task, { out, err }) {
  const text = `${out}\n${err}`
    .trim()
    .split('\n')
    .filter((line) => line.trim())
    .slice(-SHOWN_LINES)
    .join('\n');
  return new Failure(`could not ${task}; Wrangler says:\n${text}`);
}

/**
 * The account that a run is about; undefined if nobody is logged in.
 * @param {string | undefined} chosen by environment or settings
 * @returns {Promise<string | undefined>}
 */
export async function findAccount(chosen) {
  const said = await run(['whoami', '--json']);
  const user = parsed(said.out);
  if (user?.loggedIn === false) return undefined;
  // A token may lack the permission to say who it is, and still do the work.
  if (chosen) return chosen;
  if (said.code !== 0 || !Array.isArray(user?.accounts))
    throw failure('see which account this is; set CLOUDFLARE_ACCOUNT_ID', said);
  const [only, ...others] = user.accounts;
  if (!only) throw new Failure('this login reaches no account');
  if (others.length === 0) return only.id;
  const list = user.accounts
    .map((/** @type {{ id: string, name: string }} */ { id, name }) => `  ${id}  ${name}`)
    .join('\n');
  throw new Failure(
    'this login reaches several accounts; choose one with CLOUDFLARE_ACCOUNT_ID, or accountId in the ' +
      `deployment's settings:\n${list}`,
  );
}

/**
 * Looks at what is there, and changes nothing.
 * @param {string} accountId
 * @param {{ worker: string, database: string, namespace: string, queues: string[], buckets: string[] }} names
 * @returns {Promise<import('./plan.mjs').Found>}
 */
export async function lookAt(accountId, { worker, database, queues }) {
  // Wrangler takes names from the configuration it finds; here they are only names.
  const folder = mkdtempSync(join(tmpdir(), 'shoreline-'));
  try {
    const config = join(folder, 'wrangler.toml');
    writeFileSync(config, `name = "${worker}"\n`);
    const ask = (/** @type {string[]} */ args) => run([...args, '--config', config], { accountId });
    // A Wrangler takes a second to start: not one after the other.
    const [list, namespaces, info, buckets, secrets] = await Promise.all([
      ask(['d1', 'list', '--json']),
      ask(['kv', 'namespace', 'list']),
      Promise.all(queues.map(async (name) => ({ name, said: await ask(['queues', 'info', name]) }))),
      ask(['r2', 'bucket', 'list']),
      ask(['secret', 'list', '--name', worker, '--format', 'json']),
    ]);
    const databases = databasesFrom(list);
    const has = databases.some(({ name }) => name === database);
    const applied =
      has &&
      (await ask([
        'd1',
        'execute',
        database,
        '--remote',
        '--json',
        '--command',
        'SELECT name FROM d1_migrations ORDER BY id',
      ]));
    return {
      accountId,
      databases,
      namespaces: namespacesFrom(namespaces),
      queues: queuesFrom(info),
      buckets: bucketsFrom(buckets),
      secrets: secretsFrom(secrets),
      migrations: applied ? migrationsFrom(applied) : [],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Said} said */
function databasesFrom(said) {
  const list = parsed(said.out);
  if (said.code !== 0 || !Array.isArray(list)) throw failure('list the D1 databases', said);
  return list.map(({ name, uuid }) => ({ name, id: uuid }));
}

/** @param {Said} said */
export function namespacesFrom(said) {
  const list = parsed(said.out);
  if (said.code !== 0 || !Array.isArray(list)) throw failure('list the KV namespaces', said);
  return list.map(({ title, id }) => ({ name: title, id }));
}

/** @param {{ name: string, said: Said }[]} info */
function queuesFrom(info) {
  const there = [];
  for (const { name, said } of info) {
    if (said.code === 0 && said.out.includes(`Queue Name: ${name}\n`)) there.push(name);
    else if (!`${said.out}${said.err}`.includes(`Queue "${name}" does not exist`))
      throw failure(`look for the queue ${name}`, said);
  }
  return there;
}

/** The first page of a list; a bucket on a later one is met when it is to be made (`isThere`). @param {Said} said */
function bucketsFrom(said) {
  if (said.code !== 0) throw failure('list the R2 buckets', said);
  return [...said.out.matchAll(/^name:\s+(\S+)\s*$/gm)].map(([, name]) => name);
}

/** A worker that is not there yet has none. @param {Said} said */
function secretsFrom(said) {
  if (said.code !== 0 && /Worker "[^"]+" not found/.test(`${said.out}${said.err}`)) return [];
  const list = parsed(said.out);
  if (said.code !== 0 || !Array.isArray(list)) throw failure("list the worker's secrets", said);
  return list.map(({ name }) => name);
}

/** @param {Said} said */
function migrationsFrom(said) {
  if (said.code !== 0 && `${said.out}${said.err}`.includes('no such table: d1_migrations')) return [];
  const [answer] = parsed(said.out) ?? [];
  if (said.code !== 0 || !Array.isArray(answer?.results)) throw failure('read which migrations were applied', said);
  return answer.results.map((/** @type {{ name: string }} */ { name }) => name);
}

/** @param {string} text @returns {any} undefined if it is not JSON */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Makes something, unless it turns out to be there: a list may show only its first page, and an answer
 * that was lost may have been a success.
 * @param {string} task
 * @param {string[]} args
 * @param {string} accountId
 */
export async function make(task, args, accountId) {
  const said = await run(args, { accountId });
  if (said.code !== 0 && !isThere(said)) throw failure(task, said);
}

/** D1: 7502; R2: 10004, your own; queues: 11009; of KV Wrangler tells it in words. @param {Said} said */
const isThere = ({ out, err }) =>
  /\[code: (7502|10004|11009)\]|A KV namespace with the title "[^"]+" already exists/.test(`${out}${err}`);
