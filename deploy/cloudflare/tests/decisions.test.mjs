// What is decided, without an account: settings, configuration, secrets, plan.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText } from '../../dev/base/project.mjs';
import { accountIn, namesIn, productionConfig } from '../config.mjs';
import { migrationsLeft, planOf, planText } from '../plan.mjs';
import { givenIn, missingFor, toMake } from '../secrets.mjs';
import { filesOf, readSettings } from '../settings.mjs';

const ACCOUNT = 'a'.repeat(32);
const DATABASE = '11111111-2222-3333-4444-555555555555';
const NAMESPACE = 'b'.repeat(32);
const base = readText('wrangler.toml');
const names = namesIn(base);

/** @param {Partial<import('../plan.mjs').Wanted>} [own] @returns {import('../plan.mjs').Wanted} */
const wanted = (own) => ({
  ...names,
  config: 'wrangler.production.toml',
  migrations: ['0001_a.sql', '0002_b.sql'],
  given: {},
  newAdminToken: false,
  deploy: false,
  ...own,
});

/** @type {import('../plan.mjs').Found} */
const all = {
  accountId: ACCOUNT,
  databases: [{ name: 'shoreline', id: DATABASE }],
  namespaces: [{ name: 'shoreline-grants', id: NAMESPACE }],
  queues: ['shoreline-events', 'shoreline-dead-letters'],
  buckets: ['shoreline-lake'],
  secrets: ['HASH_KEY', 'ADMIN_TOKEN_HASH'],
  migrations: ['0001_a.sql', '0002_b.sql'],
};

/** @param {ReturnType<typeof planOf>} plan */
const kinds = ({ steps }) => steps.map(({ kind }) => kind);

test('wrangler.toml names what is to be made', () => {
  assert.deepEqual(
    { ...names, vars: names.vars.SINKS },
    {
      worker: 'shoreline',
      database: 'shoreline',
      namespace: 'shoreline-grants',
      queues: ['shoreline-events', 'shoreline-dead-letters'],
      buckets: ['shoreline-lake'],
      vars: 'r2',
    },
  );
});

test('an empty account gets everything, a full one only its configuration', () => {
  const none = {
    accountId: ACCOUNT,
    databases: [],
    namespaces: [],
    queues: [],
    buckets: [],
    secrets: [],
    migrations: [],
  };
  assert.deepEqual(kinds(planOf(wanted(), none)), [
    'database',
    'namespace',
    'queue',
    'queue',
    'bucket',
    'config',
    'migrations',
    'secrets',
  ]);
  assert.deepEqual(kinds(planOf(wanted(), all)), ['config']);
  assert.deepEqual(kinds(planOf(wanted({ deploy: true }), all)), ['config', 'deploy']);
});

test('each thing that is missing is the only thing made', () => {
  /** @type {[Partial<import('../plan.mjs').Found>, string][]} */
  const cases = [
    [{ namespaces: [{ name: 'shoreline-grants-old', id: NAMESPACE }] }, 'namespace'],
    [{ queues: ['shoreline-events'] }, 'queue'],
    [{ buckets: ['another'] }, 'bucket'],
    [{ migrations: ['0001_a.sql'] }, 'migrations'],
    [{ secrets: ['HASH_KEY'] }, 'secrets'],
  ];
  for (const [less, kind] of cases) {
    const made = kinds(planOf(wanted(), { ...all, ...less })).filter((one) => one !== 'config');
    assert.deepEqual(made, [kind], JSON.stringify(less));
  }
});

test('a database of the same name elsewhere in the list is not taken for ours', () => {
  const found = { ...all, databases: [{ name: 'shoreline-test', id: DATABASE }], migrations: [] };
  assert.ok(kinds(planOf(wanted(), found)).includes('database'));
});

test('a database that is newer than this checkout is left alone', () => {
  assert.throws(() => migrationsLeft(['0001_a.sql'], ['0001_a.sql', '0009_z.sql']), /0009_z\.sql/);
});

test('a HASH_KEY that is there is never made again, and the admin token only when asked', () => {
  assert.deepEqual(toMake([], false), ['HASH_KEY', 'ADMIN_TOKEN_HASH']);
  assert.deepEqual(toMake(['HASH_KEY', 'ADMIN_TOKEN_HASH'], false), []);
  assert.deepEqual(toMake(['HASH_KEY', 'ADMIN_TOKEN_HASH'], true), ['ADMIN_TOKEN_HASH']);
});

test('sinks that sign need keys: common ones, or one of each', () => {
  assert.deepEqual(missingFor('r2', []), []);
  assert.deepEqual(missingFor('r2,s3', []), ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']);
  assert.deepEqual(missingFor('s3', ['AWS_ACCESS_KEY_ID']), ['AWS_SECRET_ACCESS_KEY']);
  assert.deepEqual(missingFor('s3, sqs', ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']), [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
  ]);
  assert.deepEqual(missingFor('s3', ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']), []);
});

test("only what is given as Shoreline's is taken from the environment", () => {
  const env = {
    AWS_SECRET_ACCESS_KEY: 'of another',
    SHORELINE_SECRET_AWS_SECRET_ACCESS_KEY: 'ours',
    SHORELINE_SECRET_ALERT_WEBHOOK_URL: '',
  };
  assert.deepEqual(givenIn(env), { AWS_SECRET_ACCESS_KEY: 'ours' });
  assert.throws(() => givenIn({ SHORELINE_SECRET_HASH_KEY: 'x' }), /HASH_KEY/);
});

test('no secret is in the plan', () => {
  const given = { AWS_ACCESS_KEY_ID: 'AKIA-very-secret', AWS_SECRET_ACCESS_KEY: 'even-more-secret' };
  const found = { ...all, secrets: [] };
  const plan = planOf(wanted({ given, vars: { SINKS: 's3' } }), found);
  assert.match(planText(plan, found), /AWS_SECRET_ACCESS_KEY from the environment/);
  assert.doesNotMatch(JSON.stringify(plan) + planText(plan, found), /very-secret|even-more/);
});

test("the configuration differs from wrangler.toml in what is the account's own", () => {
  const made = productionConfig(base, {
    accountId: ACCOUNT,
    databaseId: DATABASE,
    namespaceId: NAMESPACE,
    domain: 'collect.example.com',
    vars: { SINKS: 'r2,s3', AWS_REGION: 'eu-central-1', SITE_SHARDS: '4' },
  });
  const [before, after] = [base, made].map((text) => new Set(text.split('\n')));
  assert.deepEqual([...after].filter((line) => !before.has(line)).slice(1), [
    `account_id = "${ACCOUNT}"`,
    'routes = [{ pattern = "collect.example.com", custom_domain = true }]',
    'AWS_REGION = "eu-central-1"',
    'SITE_SHARDS = "4"',
    'SINKS = "r2,s3"',
    `database_id = "${DATABASE}"`,
    `id = "${NAMESPACE}"`,
  ]);
  assert.equal(accountIn(made), ACCOUNT);
  assert.equal(accountIn(base), undefined);
});

test('on the free plan there is no limit of CPU, and all else is the same', () => {
  const own = { accountId: ACCOUNT, databaseId: DATABASE, namespaceId: NAMESPACE, vars: {} };
  const [paid, free] = [productionConfig(base, own), productionConfig(base, { ...own, plan: 'free' })];
  assert.match(paid, /^cpu_ms = \d+$/m);
  const kept = new Set(free.split('\n'));
  const left = paid.split('\n').filter((line) => !kept.has(line));
  assert.deepEqual(left, ['[limits]', 'cpu_ms = 30000']);
});

test('a value cannot leave its quotes', () => {
  const made = productionConfig(base, {
    accountId: ACCOUNT,
    databaseId: DATABASE,
    namespaceId: NAMESPACE,
    vars: { S3_BUCKET: 'a"\n[x]\ny = "' },
  });
  assert.ok(made.includes('S3_BUCKET = "a\\"\\n[x]\\ny = \\""'));
});

test('settings that are wrong are named', () => {
  assert.deepEqual(readSettings(undefined, 'production.json').vars, {});
  for (const [text, said] of [
    ['{', 'not JSON'],
    ['[]', 'an object'],
    ['{"accountId": "x"}', 'accountId'],
    ['{"domain": "https://a.example"}', 'domain'],
    ['{"domain": "localhost"}', 'domain'],
    ['{"location": "mars"}', 'location'],
    ['{"region": "x"}', 'region'],
    ['{"plan": "cheap"}', 'plan'],
    ['{"vars": {"lower": "x"}}', 'lower'],
    ['{"vars": {"SITE_SHARDS": 4}}', 'SITE_SHARDS'],
    ['{"vars": {"HASH_KEY": "x"}}', 'SHORELINE_SECRET_HASH_KEY'],
    ['{"vars": {"S3_SECRET_ACCESS_KEY": "x"}}', 'SHORELINE_SECRET_S3_SECRET_ACCESS_KEY'],
  ]) {
    assert.throws(
      () => readSettings(text, 'production.json'),
      (error) =>
        error instanceof Error && error.message.startsWith('production.json: ') && error.message.includes(said),
      text,
    );
  }
  assert.throws(() => filesOf('../up'), /SHORELINE_DEPLOYMENT/);
});
