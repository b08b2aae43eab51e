// `npm run deploy:setup`: makes on Cloudflare what a deployment needs and what is not there yet. Done
// again it makes nothing; cut off anywhere, the next run does what is left. docs/DEPLOY.md.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { secretPart, sha256 } from '../dev/setup/keys.mjs';
import { migrationsDir } from '../dev/base/config.mjs';
import { Failure, main, runShown, say } from '../dev/base/process.mjs';
import { at, packagesInstalled, readText, tools } from '../dev/base/project.mjs';
import { installPackages } from '../dev/setup/setup.mjs';
import { findAccount, lookAt, make, mustRun, namespacesFrom } from './account.mjs';
import { accountIn, namesIn, productionConfig } from './config.mjs';
import { planOf, planText } from './plan.mjs';
import { PREFIX, givenIn } from './secrets.mjs';
import { filesOf, isAccountId, readSettings } from './settings.mjs';

const USAGE = `usage: npm run deploy:setup [-- --dry-run] [-- --deploy] [-- --new-admin-token]

  --dry-run          print what would be done, and do nothing
  --deploy           then build and deploy the worker
  --new-admin-token  replace the admin token; the old one stops working`;

/** @param {string} path */
const textOf = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

function options() {
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  try {
    return parseArgs({ options: { 'dry-run': flag, deploy: flag, 'new-admin-token': flag } }).values;
  } catch {
    throw new Failure(USAGE);
  }
}

async function setUp() {
  if (process.argv.includes('--help')) return console.log(USAGE);
  const { 'dry-run': dryRun, deploy, 'new-admin-token': newAdminToken } = options();
  if (!packagesInstalled()) await installPackages();
  const files = filesOf(process.env.SHORELINE_DEPLOYMENT || undefined);
  const settings = readSettings(textOf(at(files.settings)), files.settings);
  const base = readText('wrangler.toml');
  const names = namesIn(base);
  const wanted = {
    ...names,
    config: files.config,
    vars: { ...names.vars, ...settings.vars },
    migrations: readdirSync(at(migrationsDir()))
      .filter((name) => name.endsWith('.sql'))
      .sort(),
    location: settings.location,
    given: givenIn(process.env),
    newAdminToken: newAdminToken === true,
    deploy: deploy === true,
  };
  say('looking at the account');
  const accountId = await chosenAccount(settings.accountId, files.config);
  const found = accountId ? await lookAt(accountId, names) : {};
  const plan = planOf(wanted, found);
  console.log(`\n${planText(plan, found)}\n`);
  if (dryRun) return say('nothing was done (--dry-run)');
  if (!accountId)
    throw new Failure('nobody is logged in: npx wrangler login, or set CLOUDFLARE_API_TOKEN (docs/DEPLOY.md)');
  await carryOut(plan, { accountId, base, settings, wanted });
}

/** @param {string | undefined} ofSettings @param {string} config */
async function chosenAccount(ofSettings, config) {
  const ofShell = process.env.CLOUDFLARE_ACCOUNT_ID;
  if (ofShell && !isAccountId(ofShell))
    throw new Failure('CLOUDFLARE_ACCOUNT_ID must be the 32 hex digits that npx wrangler whoami shows');
  const before = accountIn(textOf(at(config)));
  const accountId = await findAccount(ofShell ?? ofSettings ?? before);
  if (accountId && before && accountId !== before) {
    throw new Failure(
      `this checkout was set up for the account ${before}, and this is ${accountId}; to leave the other one, ` +
        `delete ${config}`,
    );
  }
  return accountId;
}

/**
 * @param {ReturnType<typeof planOf>} plan
 * @param {{
 *   accountId: string, base: string,
 *   settings: import('./settings.mjs').Settings, wanted: import('./plan.mjs').Wanted
 * }} how
 */
async function carryOut({ steps, ask }, { accountId, base, settings, wanted }) {
  // Asked before anything is made: who has no answer leaves nothing half done.
  const secrets = { ...wanted.given, ...(await askFor(ask)) };
  /** @type {string | undefined} */
  let adminToken;
  for (const { kind, what, args = [], names = [] } of steps) {
    if (kind !== 'deploy') say(what);
    if (kind === 'config') {
      const [databaseId, namespaceId] = await Promise.all([
        databaseOf(accountId, wanted.database),
        namespaceOf(accountId, wanted.namespace),
      ]);
      writeFileSync(at(wanted.config), productionConfig(base, { ...settings, accountId, databaseId, namespaceId }));
    } else if (kind === 'secrets') {
      if (names.includes('HASH_KEY')) secrets.HASH_KEY = randomBytes(32).toString('hex');
      if (names.includes('ADMIN_TOKEN_HASH')) secrets.ADMIN_TOKEN_HASH = sha256((adminToken = `sla_${secretPart()}`));
      await mustRun(what, args, { accountId, input: JSON.stringify(secrets) }).catch((error) => {
        // The answer may have been lost on its way back, and the token with it.
        if (adminToken)
          say('if the next run finds ADMIN_TOKEN_HASH there, its token was never shown: add --new-admin-token');
        throw error;
      });
      if (adminToken) console.log(`\n  Admin token, shown this once: keep it.\n\n  ${adminToken}\n`);
    } else if (kind === 'migrations') await mustRun(what, args, { accountId });
    else if (kind === 'deploy') await deployWorker(what, args);
    else await make(what, args, accountId);
  }
  console.log(`\n${nextSteps(wanted, settings.domain)}\n`);
}

/** @param {string} accountId @param {string} name */
async function databaseOf(accountId, name) {
  const list = JSON.parse(await mustRun('list the D1 databases', ['d1', 'list', '--json'], { accountId }));
  const database = list.find((/** @type {{ name: string }} */ one) => one.name === name);
  if (!database) throw new Failure(`the D1 database ${name} was made, and is not listed yet; run this again`);
  return database.uuid;
}

/** @param {string} accountId @param {string} name */
async function namespaceOf(accountId, name) {
  const out = await mustRun('list the KV namespaces', ['kv', 'namespace', 'list'], { accountId });
  const namespace = namespacesFrom({ code: 0, out, err: '' }).find((one) => one.name === name);
  if (!namespace) throw new Failure(`the KV namespace ${name} was made, and is not listed yet; run this again`);
  return namespace.id;
}

/**
 * In the foreground: it shows what it uploads, and a new account is asked for its workers.dev name.
 * @param {string} what
 * @param {string[]} args
 */
async function deployWorker(what, args) {
  say(what);
  const code = await runShown(tools.node, ['--no-warnings', tools.wrangler, ...args]);
  if (code !== 0) throw new Failure('the worker was not deployed; everything else is there, run this again');
}

/** @param {string[]} names @returns {Promise<Record<string, string>>} */
async function askFor(names) {
  if (names.length === 0) return {};
  if (!process.stdin.isTTY)
    throw new Failure(`SINKS needs ${names.join(' and ')}: set ${names.map((name) => PREFIX + name).join(' and ')}`);
  // What is typed is a secret, so the terminal shows none of it.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  /** @type {Record<string, string>} */
  const given = {};
  try {
    for (const name of names) {
      process.stdout.write(`${name} (not shown): `);
      given[name] = (await lines.question('')).trim();
      process.stdout.write('\n');
      if (!given[name]) throw new Failure(`${name} was not given`);
    }
  } finally {
    lines.close();
  }
  return given;
}

/** @param {import('./plan.mjs').Wanted} wanted @param {string | undefined} domain */
function nextSteps({ deploy, config }, domain) {
  if (!deploy)
    return (
      '  All is there. Next: npm run deploy:setup -- --deploy\n  which is this and: npx wrangler deploy --config ' +
      `${config}`
    );
  return (
    '  Deployed. Next, a site and its keys: docs/DEPLOY.md#the-first-site\n  curl ' +
    `${domain ? `https://${domain}` : 'https://…workers.dev'}/health`
  );
}

main(setUp);
