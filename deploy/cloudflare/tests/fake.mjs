// A stand-in for Cloudflare's API, as far as the set-up needs it: over real HTTP, so that the real Wrangler
// speaks to it, with the databases in a real SQLite.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

export const ACCOUNT = '0123456789abcdef0123456789abcdef';
export const TOKEN = 'a-token-of-the-tests';

/** @typedef {{ method: string, path: string }} Call */

export class Cloudflare {
  /** Whatever an account holds. */
  databases = new Map();
  /** KV namespaces: ids by title. @type {Map<string, string>} */
  namespaces = new Map();
  /** Lists of namespaces that are still to leave out what is there. */
  unlisted = 0;
  queues = new Map();
  buckets = new Set();
  /** Workers by name: their secrets by name. @type {Map<string, Map<string, string>>} */
  workers = new Map();
  accounts = [{ id: ACCOUNT, name: 'The account' }];
  /** What the last upload of a worker said of it: bindings, migrations, and the like. @type {any} */
  uploaded;
  /** What was set beside the upload, by the end of its path. @type {Record<string, any>} */
  triggers = {};
  /** Every call that could change something. @type {Call[]} */
  changes = [];
  /**
   * Calls that fail, and whether they have their effect all the same. With an error that Wrangler does not
   * try again by itself: its waits are not what is tested.
   * @type {((call: Call) => 'before' | 'after' | undefined) | undefined}
   */
  failure;

  async start() {
    this.server = createServer((request, response) => this.#serve(request, response));
    await new Promise((done) => this.server?.listen(0, '127.0.0.1', () => done(undefined)));
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.server.address());
    this.url = `http://127.0.0.1:${port}/client/v4`;
  }

  stop() {
    this.server?.closeAllConnections();
    this.server?.close();
    for (const { sql } of this.databases.values()) sql.close();
  }

  /** What an account holds, in words. */
  get held() {
    const secrets = [...this.workers].flatMap(([worker, secrets]) =>
      [...secrets.keys()].map((name) => `secret ${worker} ${name}`),
    );
    const all = [
      ...[...this.databases.keys()].map((name) => `database ${name}`),
      ...[...this.namespaces.keys()].map((name) => `namespace ${name}`),
      ...[...this.queues.keys()].map((name) => `queue ${name}`),
      ...[...this.buckets].map((name) => `bucket ${name}`),
      ...secrets,
    ];
    return all.sort();
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async #serve(request, response) {
    const url = new URL(request.url ?? '', 'http://api');
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const call = { method: request.method ?? '', path: url.pathname.replace('/client/v4', '') };
    const json = bodyOf(request.headers['content-type'] ?? '', body);
    const reads = call.method === 'GET' || (call.path.endsWith('/query') && /^\s*(select|pragma)/i.test(json.sql));
    if (!reads) this.changes.push(call);
    let [status, answer] = [401, refused(9109, 'Unauthorized')];
    if (request.headers.authorization === `Bearer ${TOKEN}`) {
      const fails = this.failure?.(call);
      [status, answer] =
        fails === 'before'
          ? [400, refused(10001, 'an error of the tests')]
          : this.#answer(call, url.searchParams, json);
      if (fails === 'after') [status, answer] = [400, refused(10001, 'an error of the tests')];
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  /** @param {Call} call @param {URLSearchParams} query @param {any} json @returns {[number, any]} */
  #answer({ method, path }, query, json) {
    const own = `/accounts/${ACCOUNT}`;
    if (path === '/user/tokens/verify') return ok({ id: 'token', status: 'active' });
    if (path === '/user') return ok({ email: 'ops@example.com' });
    if (path === '/accounts') return ok(this.accounts);
    if (path === '/memberships') return ok(this.accounts.map((account) => ({ id: account.id, account })));
    if (path === `${own}/d1/database` && method === 'GET') {
      const [page, size] = [Number(query.get('page') ?? 1), Number(query.get('per_page') ?? 10)];
      return ok([...this.databases].map(([name, { uuid }]) => ({ name, uuid })).slice((page - 1) * size, page * size));
    }
    if (path === `${own}/d1/database`) {
      if (this.databases.has(json.name)) return [400, refused(7502, 'a database with that name already exists')];
      const made = { uuid: randomUUID(), sql: new DatabaseSync(':memory:') };
      this.databases.set(json.name, made);
      return ok({ name: json.name, uuid: made.uuid });
    }
    const database = new RegExp(`^${own}/d1/database/([^/]+)(/query)?$`).exec(path);
    if (database) {
      const found = [...this.databases].find(([name, { uuid }]) => uuid === database[1] || name === database[1]);
      if (!found) return [404, refused(7404, 'no such database')];
      if (!database[2]) return ok({ name: found[0], uuid: found[1].uuid });
      return execute(found[1].sql, json.sql);
    }
    if (path === `${own}/storage/kv/namespaces` && method === 'GET') {
      const page = Number(query.get('page') ?? 1);
      if (this.unlisted > 0) {
        this.unlisted -= 1;
        return ok([]);
      }
      return ok(page > 1 ? [] : [...this.namespaces].map(([title, id]) => ({ title, id })));
    }
    if (path === `${own}/storage/kv/namespaces`) {
      if (this.namespaces.has(json.title))
        return [400, refused(10014, 'a namespace with this account ID and title already exists')];
      const id = randomUUID().replaceAll('-', '');
      this.namespaces.set(json.title, id);
      return ok({ title: json.title, id });
    }
    if (path === `${own}/queues` && method === 'GET') {
      const names = [...this.queues.keys()].filter((name) => !query.has('name') || name === query.get('name'));
      return ok(
        names.map((name) => ({
          queue_id: this.queues.get(name),
          queue_name: name,
          created_on: '',
          modified_on: '',
          producers_total_count: 0,
          producers: [],
          consumers_total_count: 0,
          consumers: [],
        })),
      );
    }
    if (path === `${own}/queues`) {
      if (this.queues.has(json.queue_name)) return [409, refused(11009, 'a queue with that name already exists')];
      this.queues.set(json.queue_name, randomUUID());
      return ok({ queue_name: json.queue_name });
    }
    if (path === `${own}/r2/buckets` && method === 'GET')
      return ok({ buckets: [...this.buckets].map((name) => ({ name, creation_date: '2026-01-01T00:00:00Z' })) });
    if (path === `${own}/r2/buckets`) {
      if (this.buckets.has(json.name))
        return [409, refused(10004, 'The bucket you tried to create already exists, and you own it.')];
      this.buckets.add(json.name);
      return ok({});
    }
    const bucket = new RegExp(`^${own}/r2/buckets/([^/]+)$`).exec(path);
    if (bucket)
      return this.buckets.has(bucket[1])
        ? ok({ name: bucket[1] })
        : [404, refused(10006, 'The specified bucket does not exist.')];
    const upload = this.#upload(method, path.slice(own.length), json);
    if (upload) return upload;
    const script = new RegExp(`^${own}/workers/scripts/([^/]+)(/secrets(-bulk)?)?$`).exec(path);
    if (script) return this.#script(method, script[1], script[2], json);
    return [404, refused(7000, `the stand-in knows no ${method} ${path}`)];
  }

  /**
   * What `wrangler deploy` asks and sends.
   * @param {string} method @param {string} path @param {any} json
   * @returns {[number, any] | undefined}
   */
  #upload(method, path, json) {
    const id = '11111111-1111-4111-8111-111111111111';
    const consumers = /^\/queues\/([^/]+)\/consumers$/.exec(path);
    if (consumers) {
      const [queue] = [...this.queues].find(([, id]) => id === consumers[1]) ?? [];
      if (method !== 'GET' && queue) this.triggers[`consumer ${queue}`] = json;
      return ok(method === 'GET' ? [] : {});
    }
    if (path === '/workers/subdomain') return ok({ subdomain: 'someone' });
    if (/^\/workers\/workers\//.test(path))
      return ok({ name: 'shoreline', subdomain: { enabled: false, previews_enabled: false } });
    const name = /^\/workers\/(?:services|scripts)\/([^/]+)/.exec(path)?.[1] ?? '';
    if (!name || !this.workers.has(name)) return undefined;
    const below = path.replace(/^\/workers\/(services|scripts)\/[^/]+/, '$1');
    if (method === 'GET' && below === 'services')
      return ok({
        id: name,
        default_environment: {
          environment: 'production',
          script: { tag: 'a', last_deployed_from: 'wrangler', handlers: [] },
        },
      });
    if (method === 'GET' && below === 'scripts/deployments') return ok({ deployments: [] });
    if (method === 'GET' && below === 'scripts/settings') return ok({ bindings: [] });
    // All files are there already.
    if (below === 'scripts/assets-upload-session') return ok({ jwt: 'assets', buckets: [] });
    if (below === 'scripts/versions' || (below === 'scripts' && json.metadata?.main_module === 'index.js')) {
      this.uploaded = json.metadata;
      return ok({ id, deployment_id: id, startup_time_ms: 1, metadata: {}, resources: { script: {} } });
    }
    const trigger = /^scripts\/(schedules|subdomain|deployments|domains.*|routes)$/.exec(below)?.[1];
    if (trigger && method !== 'GET') this.triggers[trigger] = json;
    return trigger ? ok({ enabled: true, previews_enabled: false }) : undefined;
  }

  /**
   * @param {string} method
   * @param {string} name
   * @param {string | undefined} below
   * @param {any} json
   * @returns {[number, any]}
   */
  #script(method, name, below, json) {
    const secrets = this.workers.get(name);
    if (!below && method === 'PUT') {
      this.workers.set(name, secrets ?? new Map());
      return ok({ id: name });
    }
    if (!secrets) return [404, refused(10007, 'This Worker does not exist on your account.')];
    if (below === '/secrets') return ok([...secrets.keys()].map((key) => ({ name: key, type: 'secret_text' })));
    for (const [key, value] of Object.entries(json.secrets ?? json))
      secrets.set(key, typeof value === 'object' && value ? /** @type {any} */ (value).text : value);
    return ok({});
  }
}

/** The JSON of a body; of an upload the part that tells of the worker. @param {string} type @param {string} body */
function bodyOf(type, body) {
  if (!type.startsWith('multipart/'))
    return type.includes('json') || body.startsWith('{') ? JSON.parse(body || '{}') : {};
  const [, metadata] = /name="metadata"[^]*?\r\n\r\n([^]*?)\r\n--/.exec(body) ?? [];
  return metadata ? { metadata: JSON.parse(metadata) } : {};
}

/** @param {DatabaseSync} sql @param {string} text @returns {[number, any]} */
function execute(sql, text) {
  try {
    if (/^\s*(select|pragma)/i.test(text))
      return ok([{ success: true, results: sql.prepare(text).all(), meta: { duration: 0 } }]);
    sql.exec(`BEGIN; ${text}\n; COMMIT`);
    return ok([{ success: true, results: [], meta: { duration: 0 } }]);
  } catch (error) {
    if (sql.isTransaction) sql.exec('ROLLBACK');
    return [400, refused(7500, error instanceof Error ? error.message : '')];
  }
}

/** @param {unknown} result @returns {[number, any]} */
const ok = (result) => [
  200,
  {
    success: true,
    errors: [],
    messages: [],
    result,
    result_info: { page: 1, per_page: 100, total_pages: 1, count: 1, total_count: 1 },
  },
];

/** @param {number} code @param {string} message */
const refused = (code, message) => ({ success: false, errors: [{ code, message }], messages: [], result: null });
