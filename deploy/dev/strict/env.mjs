// The bindings of one invocation: each counts, refuses what the platform refuses, and fails where a test asked for it.
import { LIMITS, add, faultOf, refuse } from './report.mjs';

/** What one invocation uses. */
export class Invocation {
  used = {
    d1Queries: 0,
    d1RowsRead: 0,
    d1RowsWritten: 0,
    /** Of an object's own database. */
    rowsRead: 0,
    rowsWritten: 0,
    kvReads: 0,
    kvWrites: 0,
    queueSends: 0,
    r2Writes: 0,
    r2Reads: 0,
    subrequests: 0,
    connections: 0,
  };
  #open = 0;
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {string} kind @param {boolean} isFree */
  constructor(kind, isFree) {
    this.kind = kind;
    this.d1Queries = isFree ? 50 : LIMITS.d1Queries;
  }

  end() {
    add(this.kind, this.used);
  }

  /** Counts a call of another service. */
  subrequest() {
    this.used.subrequests += 1;
    if (this.used.subrequests > LIMITS.subrequests) throw refuse('subrequests', `more than 10,000 in ${this.kind}`);
  }

  /** @param {number} n */
  queries(n) {
    this.used.d1Queries += n;
    if (this.used.d1Queries > this.d1Queries)
      throw refuse('d1_queries', `${this.used.d1Queries} in one ${this.kind}, and ${this.d1Queries} are allowed`);
  }

  /**
   * Does something by one of the six connections; waits for one where all are in use, as the platform does.
   * @template T
   * @param {() => Promise<T>} work
   */
  async connection(work) {
    if (this.#open >= LIMITS.connections) await new Promise((free) => this.#waiting.push(() => free(undefined)));
    this.#open += 1;
    this.used.connections = Math.max(this.used.connections, this.#open);
    try {
      return await work();
    } finally {
      this.#open -= 1;
      this.#waiting.shift()?.();
    }
  }
}

/** @param {number} ms */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * Does something of a binding, with the fault that a test asked for: it fails before anything is done, takes long,
 * never answers, or is done and its answer is lost.
 * @template T
 * @param {string} binding
 * @param {string} operation
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function faulty(binding, operation, work) {
  const fault = faultOf(binding, operation);
  if (fault?.mode === 'fail') throw new Error(`${binding} is away (a fault that a test asked for)`);
  if (fault?.mode === 'hang') await sleep(Math.max(fault.ms, 60_000));
  if (fault?.mode === 'slow') await sleep(fault.ms);
  const done = await work();
  if (fault?.mode === 'lost') throw new Error(`the answer of ${binding} was lost (a fault that a test asked for)`);
  return done;
}

/** Refuses a value that no row has room for. @param {unknown[]} params @param {string} where */
export function checkValues(params, where) {
  for (const value of params) {
    const bytes = bytesOf(value);
    if (bytes > LIMITS.valueBytes) throw refuse('value_bytes', `${bytes} bytes for ${where}`);
  }
}

/** @param {unknown} value */
function bytesOf(value) {
  // A text that is short enough whatever its letters are is not measured.
  if (typeof value === 'string')
    return value.length * 3 <= LIMITS.valueBytes ? value.length : new TextEncoder().encode(value).length;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength;
  return 0;
}

/**
 * A binding of which some methods are others; the worker looks at the names of classes, which stay.
 * @param {any} target
 * @param {Record<string, (...args: any[]) => any>} methods
 */
function wrapped(target, methods) {
  return new Proxy(target, {
    get(of, name) {
      if (typeof name === 'string' && Object.hasOwn(methods, name)) return methods[name];
      const value = Reflect.get(of, name, of);
      return typeof value === 'function' && name !== 'constructor' ? value.bind(of) : value;
    },
  });
}

/** @param {any} db @param {Invocation} invocation @param {string} name */
function d1(db, invocation, name) {
  /** @type {WeakMap<object, any>} */
  const raws = new WeakMap();
  /** @param {any} results */
  const count = (results) => {
    for (const { meta } of results) {
      invocation.used.d1RowsRead += meta?.rows_read ?? 0;
      invocation.used.d1RowsWritten += meta?.rows_written ?? 0;
    }
    return results;
  };
  /** @param {number} n @param {() => Promise<any[]>} work */
  const query = (n, work) => {
    invocation.subrequest();
    invocation.queries(n);
    return faulty(name, 'query', async () => count(await work()));
  };
  /** @param {any} raw @param {string} text @returns {any} */
  const statement = (raw, text) => {
    const made = {
      /** @param {any[]} params */
      bind(...params) {
        checkValues(params, `D1: ${text.slice(0, 80)}`);
        return statement(raw.bind(...params), text);
      },
      all: async () => (await query(1, async () => [await raw.all()]))[0],
    };
    raws.set(made, raw);
    return made;
  };
  return {
    /** @param {string} text */
    prepare: (text) => statement(db.prepare(text), text),
    /** @param {object[]} all */
    batch: (all) => query(all.length, () => db.batch(all.map((one) => raws.get(one)))),
  };
}

/**
 * What KV was told, by key: what it says until another location has heard of it.
 * @type {Map<string, { was: any, until: number }[]>}
 */
const late = new Map();

/** @param {any} namespace @param {Invocation} invocation @param {string} name */
function kv(namespace, invocation, name) {
  /** @template T @param {string} operation @param {() => Promise<T>} work */
  const call = (operation, work) => {
    invocation.subrequest();
    invocation.used[operation === 'read' ? 'kvReads' : 'kvWrites'] += 1;
    return invocation.connection(() => faulty(name, operation, work));
  };
  /** @param {string} key @param {() => Promise<any>} write */
  const change = (key, write) =>
    call('write', async () => {
      const was = await namespace.get(key);
      const done = await write();
      const known = (late.get(key) ?? []).filter(({ until }) => until > Date.now());
      late.set(key, [...known, { was, until: Date.now() + LIMITS.kvLateMs }]);
      return done;
    });
  return wrapped(namespace, {
    get: (key, ...how) =>
      call('read', async () => {
        const before = late.get(key)?.find(({ until }) => until > Date.now());
        return before ? before.was : namespace.get(key, ...how);
      }),
    put: (key, ...what) => change(key, () => namespace.put(key, ...what)),
    delete: (key) => change(key, () => namespace.delete(key)),
  });
}

/** @param {any} producer @param {Invocation} invocation @param {string} name */
function queue(producer, invocation, name) {
  return wrapped(producer, {
    send: (body, options) => {
      const bytes = bytesOf(body) + LIMITS.metadataBytes;
      if (bytes > LIMITS.messageBytes) throw refuse('message_bytes', `${bytes} bytes`);
      invocation.subrequest();
      invocation.used.queueSends += 1;
      return invocation.connection(() => faulty(name, 'send', () => producer.send(body, options)));
    },
  });
}

/** @param {any} bucket @param {Invocation} invocation @param {string} name */
function r2(bucket, invocation, name) {
  const methods = ['get', 'head', 'put', 'delete', 'list'].map((method) => [
    method,
    (/** @type {any[]} */ ...args) => {
      invocation.subrequest();
      invocation.used[method === 'put' || method === 'list' ? 'r2Writes' : 'r2Reads'] += 1;
      return invocation.connection(() => faulty(name, method, () => bucket[method](...args)));
    },
  ]);
  return wrapped(bucket, Object.fromEntries(methods));
}

/** @param {any} namespace @param {Invocation} invocation @param {string} name */
function objects(namespace, invocation, name) {
  return wrapped(namespace, {
    getByName: (/** @type {string} */ object, /** @type {any} */ options) => {
      const stub = options === undefined ? namespace.getByName(object) : namespace.getByName(object, options);
      invocation.subrequest();
      return {
        /** @param {any[]} args */
        fetch: (...args) => faulty(name, 'fetch', () => stub.fetch(...args)),
        /** @param {any} batch */
        commit: (batch) => faulty(name, 'commit', () => stub.commit(batch)),
      };
    },
  });
}

/** @type {Record<string, (binding: any, invocation: Invocation, name: string) => any>} */
const WRAPPERS = {
  DB: d1,
  GRANTS: kv,
  EVENTS_QUEUE: queue,
  LAKE: r2,
  SITE_DO: objects,
  ARCHIVE_DO: objects,
  PRIVACY_DO: objects,
  IMPORT_DO: objects,
  LIVE_DO: objects,
};

/** The bindings of an invocation. @param {any} env @param {Invocation} invocation */
export function strictEnv(env, invocation) {
  const strict = { ...env };
  for (const [name, wrap] of Object.entries(WRAPPERS)) if (env[name]) strict[name] = wrap(env[name], invocation, name);
  return strict;
}
