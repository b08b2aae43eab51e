// The command itself, with the real Wrangler, against a stand-in for Cloudflare's API.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { at, root, tools } from '../../dev/base/project.mjs';
import { ACCOUNT, Cloudflare, TOKEN } from './fake.mjs';

const DEPLOYMENT = `test-${process.pid}`;
const config = at(`wrangler.${DEPLOYMENT}.toml`);
const settings = at(`${DEPLOYMENT}.json`);
const forget = () => [config, settings].forEach((file) => rmSync(file, { force: true }));

/** What a whole set-up leaves. */
const WHOLE = [
  'bucket shoreline-lake',
  'database shoreline',
  'namespace shoreline-grants',
  'queue shoreline-dead-letters',
  'queue shoreline-events',
  'secret shoreline ADMIN_TOKEN_HASH',
  'secret shoreline HASH_KEY',
];

let cloudflare = new Cloudflare();
beforeEach(async () => {
  cloudflare.stop();
  forget();
  cloudflare = new Cloudflare();
  await cloudflare.start();
});
after(() => {
  cloudflare.stop();
  forget();
});
before(() => forget());

/**
 * Runs the command; what it said.
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [own]
 */
function run(args, own) {
  const env = {
    ...process.env,
    CLOUDFLARE_ACCOUNT_ID: '',
    CLOUDFLARE_API_BASE_URL: cloudflare.url,
    CLOUDFLARE_API_TOKEN: TOKEN,
    SHORELINE_DEPLOYMENT: DEPLOYMENT,
    ...own,
  };
  const child = spawn(tools.node, ['deploy/cloudflare/setup.mjs', ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk) => (said += chunk));
  return new Promise((done) => child.once('close', (code) => done({ code, said })));
}

const tablesOf = () => {
  const { sql } = cloudflare.databases.get('shoreline');
  return sql
    .prepare("SELECT count(*) AS n FROM sqlite_master WHERE name IN ('sites', 'imports', 'd1_migrations')")
    .get().n;
};

test('from an empty account to everything, and the second run makes nothing', async () => {
  const plan = await run(['--dry-run']);
  assert.equal(plan.code, 0, plan.said);
  assert.deepEqual([cloudflare.changes, existsSync(config)], [[], false], 'a dry run touches nothing');
  assert.match(plan.said, /npx wrangler queues create shoreline-dead-letters/);

  const first = await run([]);
  assert.equal(first.code, 0, first.said);
  assert.deepEqual(cloudflare.held, WHOLE);
  assert.equal(tablesOf(), 3, 'the migrations ran');
  const made = readFileSync(config, 'utf8');
  assert.ok(made.includes(`account_id = "${ACCOUNT}"`) && made.includes(cloudflare.databases.get('shoreline').uuid));
  assert.ok(made.includes(`id = "${cloudflare.namespaces.get('shoreline-grants')}"`));
  const secrets = cloudflare.workers.get('shoreline');
  const [token] = /sla_[a-z2-7]{26}/.exec(first.said) ?? [];
  assert.equal(
    createHash('sha256')
      .update(token ?? '')
      .digest('hex'),
    secrets?.get('ADMIN_TOKEN_HASH'),
  );
  assert.match(secrets?.get('HASH_KEY') ?? '', /^[0-9a-f]{64}$/);
  assert.ok(
    !first.said.includes(secrets?.get('HASH_KEY') ?? '?') &&
      !first.said.includes(secrets?.get('ADMIN_TOKEN_HASH') ?? '?'),
  );

  cloudflare.changes = [];
  const before = new Map(secrets);
  const second = await run([]);
  assert.equal(second.code, 0, second.said);
  assert.deepEqual(cloudflare.changes, []);
  assert.deepEqual(cloudflare.workers.get('shoreline'), before);
  assert.doesNotMatch(second.said, /sla_/);
});

test('cut off at a change, before or after its effect, the next run does the rest', async () => {
  /** @type {[RegExp, 'before' | 'after'][]} */
  const points = [
    [/d1\/database$/, 'after'],
    [/kv\/namespaces$/, 'after'],
    [/query$/, 'before'],
    [/secrets/, 'after'],
  ];
  for (const [point, when] of points) {
    cloudflare.stop();
    forget();
    cloudflare = new Cloudflare();
    await cloudflare.start();
    let failed = 0;
    cloudflare.failure = ({ method, path }) =>
      method !== 'GET' && point.test(path) && (failed += 1) ? when : undefined;
    const broken = await run([]);
    assert.equal(broken.code, 1, `${point} ${when}: ${broken.said}`);
    assert.ok(failed > 0 && broken.said.includes('Wrangler says'), `${point} ${when}: ${broken.said}`);
    assert.doesNotMatch(broken.said, /sla_/);
    cloudflare.failure = undefined;
    // What is not listed yet is made again, and turns out to be there.
    cloudflare.unlisted = 1;
    const again = await run([]);
    assert.equal(again.code, 0, `${point} ${when}: ${again.said}`);
    assert.deepEqual([cloudflare.held, tablesOf()], [WHOLE, 3], `${point} ${when}`);
  }
});

test("the operator's settings and secrets", async () => {
  writeFileSync(
    settings,
    JSON.stringify({
      domain: 'collect.example.com',
      vars: { SINKS: 'r2,s3', AWS_REGION: 'eu-central-1', S3_BUCKET: 'lake' },
    }),
  );
  const without = await run([]);
  assert.deepEqual([without.code, cloudflare.changes], [1, []], without.said);
  assert.match(without.said, /SHORELINE_SECRET_AWS_ACCESS_KEY_ID and SHORELINE_SECRET_AWS_SECRET_ACCESS_KEY/);
  const secrets = {
    SHORELINE_SECRET_AWS_ACCESS_KEY_ID: 'the-id',
    SHORELINE_SECRET_AWS_SECRET_ACCESS_KEY: 'the-secret',
  };
  const done = await run([], secrets);
  assert.equal(done.code, 0, done.said);
  assert.equal(cloudflare.workers.get('shoreline')?.get('AWS_SECRET_ACCESS_KEY'), 'the-secret');
  assert.doesNotMatch(done.said, /the-secret|the-id/);
  const { unstable_readConfig: readConfig } = await import('wrangler');
  const read = readConfig({ config });
  assert.deepEqual(JSON.parse(JSON.stringify(read.routes)), [{ pattern: 'collect.example.com', custom_domain: true }]);
  assert.deepEqual([read.vars.SINKS, read.account_id], ['r2,s3', ACCOUNT]);
});

test('--deploy uploads the built worker with everything it needs', async () => {
  writeFileSync(settings, JSON.stringify({ vars: { SITE_SHARDS: '4' } }));
  const done = await run(['--deploy']);
  assert.equal(done.code, 0, done.said);
  const { bindings, migrations } = cloudflare.uploaded;
  const named = Object.fromEntries(bindings.map((/** @type {any} */ one) => [one.name, one]));
  assert.equal(named.DB.id ?? named.DB.database_id, cloudflare.databases.get('shoreline').uuid);
  assert.deepEqual(
    [named.GRANTS.type, named.GRANTS.namespace_id],
    ['kv_namespace', cloudflare.namespaces.get('shoreline-grants')],
  );
  assert.deepEqual(
    [named.EVENTS_QUEUE.queue_name, named.LAKE.bucket_name, named.SITE_SHARDS.text],
    ['shoreline-events', 'shoreline-lake', '4'],
  );
  assert.deepEqual(
    ['SITE_DO', 'ARCHIVE_DO', 'PRIVACY_DO', 'IMPORT_DO'].map((name) => named[name].type),
    Array(4).fill('durable_object_namespace'),
  );
  assert.deepEqual([migrations.new_tag, migrations.steps.length], ['v1', 1]);
  assert.deepEqual(cloudflare.held, WHOLE, 'the secrets stay');
  assert.deepEqual(cloudflare.triggers.schedules, [{ cron: '* * * * *' }]);
  assert.equal(cloudflare.triggers['consumer shoreline-events'].dead_letter_queue, 'shoreline-dead-letters');
  assert.ok(cloudflare.triggers['consumer shoreline-dead-letters']);
  assert.match(done.said, /Deployed/);
});

test('a login that is missing, wrong, or reaches several accounts', async () => {
  const nobody = await run(['--dry-run'], {
    CLOUDFLARE_API_TOKEN: '',
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
  });
  assert.equal(nobody.code, 0, nobody.said);
  assert.match(nobody.said, /Not logged in/);
  const wrong = await run([], { CLOUDFLARE_API_TOKEN: 'another' });
  assert.equal(wrong.code, 1, wrong.said);
  cloudflare.accounts.push({ id: 'f'.repeat(32), name: 'Another' });
  const several = await run([]);
  assert.equal(several.code, 1);
  assert.match(several.said, /CLOUDFLARE_ACCOUNT_ID[^]*Another/);
  const chosen = await run([], { CLOUDFLARE_ACCOUNT_ID: ACCOUNT });
  assert.equal(chosen.code, 0, chosen.said);
  const moved = await run([], { CLOUDFLARE_ACCOUNT_ID: 'f'.repeat(32) });
  assert.equal(moved.code, 1);
  assert.match(moved.said, /was set up for the account/);
});
