// Runs inside workerd, around a worker that knows nothing of it: counts what the platform takes money for. Only for
// runs that are not timed.
//
// Bindings are handed to WebAssembly, which asks for the names of their classes, so they are not wrapped: the methods
// of their prototypes are.

/** Where the parent asks for the counts; with `?reset` they begin anew. */
const PATH = '/counted';

/** What the queue takes for one operation, bytes. */
const QUEUE_UNIT = 64 * 1024;

/** @typedef {{ requests: number, rowsWritten: number, rowsRead: number, alarmsSet: number }} ObjectCounts */

/**
 * @typedef {{ requests: number, objects: Record<string, ObjectCounts>, d1: { calls: number, rowsWritten: number,
 *   rowsRead: number }, queue: { written: number, read: number, deleted: number, messages: number }, r2: { puts:
 *   number, gets: number }, kv: { reads: number, writes: number }, logLines: number }} Counts
 */

/** @returns {Counts} */
const none = () => ({
  requests: 0,
  objects: {},
  d1: { calls: 0, rowsWritten: 0, rowsRead: 0 },
  queue: { written: 0, read: 0, deleted: 0, messages: 0 },
  r2: { puts: 0, gets: 0 },
  kv: { reads: 0, writes: 0 },
  logLines: 0,
});

let counts = none();

const patched = new WeakSet();

/** Replaces methods of a class once, however many of its objects come by. */
function patch(/** @type {any} */ prototype, /** @type {Record<string, (original: Function) => Function>} */ methods) {
  if (!prototype || patched.has(prototype)) return;
  patched.add(prototype);
  for (const [name, replace] of Object.entries(methods)) {
    if (typeof prototype[name] !== 'function') continue;
    const replacement = replace(prototype[name]);
    Object.defineProperty(prototype, name, { value: replacement, writable: true, configurable: true });
    if (prototype[name] !== replacement) throw new Error(`${name} cannot be counted`);
  }
}

const prototypeOf = (/** @type {any} */ object) => Object.getPrototypeOf(object);

/** Counts each call. */
const counting = (/** @type {() => void} */ count) => (/** @type {Function} */ original) =>
  /** @this {any} */ function (/** @type {any[]} */ ...args) {
    count();
    return original.apply(this, args);
  };

/** Counts the rows of each answer of D1. */
const countingRows = (/** @type {Function} */ original) =>
  /** @this {any} */ async function (/** @type {any[]} */ ...args) {
    const results = await original.apply(this, args);
    counts.d1.calls += 1;
    for (const { meta } of Array.isArray(results) ? results : [results]) {
      counts.d1.rowsWritten += meta?.rows_written ?? 0;
      counts.d1.rowsRead += meta?.rows_read ?? 0;
    }
    return results;
  };

/** Operations of the queue for one message. */
function unitsOf(/** @type {any} */ body) {
  const bytes =
    body?.byteLength ?? new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)).length;
  return Math.max(1, Math.ceil(bytes / QUEUE_UNIT));
}

patch(
  console,
  Object.fromEntries(
    ['debug', 'log', 'info', 'warn', 'error'].map((name) => [name, counting(() => (counts.logLines += 1))]),
  ),
);

/** Looks at all bindings; which kind each is, its methods tell. */
function patchBindings(/** @type {Record<string, any>} */ env) {
  for (const binding of Object.values(env)) {
    if (typeof binding !== 'object' || binding === null) continue;
    if (typeof binding.withSession === 'function') {
      patch(prototypeOf(binding.withSession()), { _send: countingRows, _queryOrThrow: countingRows });
    } else if (typeof binding.createMultipartUpload === 'function') {
      const put = counting(() => (counts.r2.puts += 1));
      const get = counting(() => (counts.r2.gets += 1));
      // A list costs what a put costs.
      patch(prototypeOf(binding), { put, createMultipartUpload: put, list: put, get, head: get });
    } else if (typeof binding.sendBatch === 'function') {
      const written = (/** @type {any} */ body) => {
        counts.queue.messages += 1;
        counts.queue.written += unitsOf(body);
      };
      patch(prototypeOf(binding), {
        send: (original) =>
          /** @this {any} */ function (/** @type {any} */ body, /** @type {any[]} */ ...rest) {
            written(body);
            return original.call(this, body, ...rest);
          },
        sendBatch: (original) =>
          /** @this {any} */ function (/** @type {any} */ messages, /** @type {any[]} */ ...rest) {
            const all = [...messages];
            for (const { body } of all) written(body);
            return original.call(this, all, ...rest);
          },
      });
    } else if (typeof binding.getWithMetadata === 'function') {
      const write = counting(() => (counts.kv.writes += 1));
      patch(prototypeOf(binding), {
        get: counting(() => (counts.kv.reads += 1)),
        getWithMetadata: counting(() => (counts.kv.reads += 1)),
        put: write,
        delete: write,
        list: write,
      });
    }
  }
}

/** The object whose database it is. @type {WeakMap<object, { name: string, cursors: any[] }>} */
const owners = new WeakMap();

/** @returns {ObjectCounts} */
const countsOf = (/** @type {string} */ name) =>
  (counts.objects[name] ??= { requests: 0, rowsWritten: 0, rowsRead: 0, alarmsSet: 0 });

/** Counts what an object's database does. */
function patchStorage(/** @type {string} */ name, /** @type {any} */ storage) {
  const owner = { name, cursors: /** @type {any[]} */ ([]) };
  owners.set(storage, owner);
  owners.set(storage.sql, owner);
  const ownerOf = (/** @type {object} */ object) => {
    const found = owners.get(object);
    if (!found) throw new Error('a database whose object is not known cannot be counted');
    return found;
  };
  patch(prototypeOf(storage.sql), {
    exec: (original) =>
      /** @this {any} */ function (/** @type {any[]} */ ...args) {
        const cursor = original.apply(this, args);
        // How many rows it was is known when all of it has been read.
        ownerOf(this).cursors.push(cursor);
        return cursor;
      },
  });
  const aRow = (/** @type {Function} */ original) =>
    /** @this {any} */ function (/** @type {any[]} */ ...args) {
      countsOf(ownerOf(this).name).rowsWritten += 1;
      return original.apply(this, args);
    };
  patch(prototypeOf(storage), {
    put: aRow,
    delete: aRow,
    setAlarm: (original) =>
      /** @this {any} */ function (/** @type {any[]} */ ...args) {
        const of = countsOf(ownerOf(this).name);
        of.alarmsSet += 1;
        of.rowsWritten += 1;
        return original.apply(this, args);
      },
  });
  return owner;
}

/** Adds up the statements that an object has made: only it may ask its cursors. */
function fold(/** @type {{ name: string, cursors: any[] }} */ owner) {
  const of = countsOf(owner.name);
  for (const { rowsWritten, rowsRead } of owner.cursors.splice(0)) {
    of.rowsWritten += rowsWritten;
    of.rowsRead += rowsRead;
  }
}

/** What the platform, or another object, may call. */
const isCallable = (/** @type {any} */ prototype, /** @type {string} */ name) =>
  name !== 'constructor' &&
  !name.startsWith('__') &&
  typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === 'function';

/**
 * A Durable Object's class, counted: each call of one of its methods from outside is a request.
 * @param {string} name
 * @param {any} Original
 */
export function countedObject(name, Original) {
  /** @type {WeakMap<object, ReturnType<typeof patchStorage>>} */
  const databases = new WeakMap();
  class Counted extends Original {
    constructor(/** @type {any} */ state, /** @type {any} */ env) {
      patchBindings(env);
      const owner = patchStorage(name, state.storage);
      super(state, env);
      databases.set(this, owner);
    }
  }
  const { prototype } = Original;
  for (const method of Object.getOwnPropertyNames(prototype).filter((each) => isCallable(prototype, each))) {
    Object.defineProperty(Counted.prototype, method, {
      async value(/** @type {any[]} */ ...args) {
        countsOf(name).requests += 1;
        try {
          return await prototype[method].apply(this, args);
        } finally {
          const owner = databases.get(this);
          if (owner) fold(owner);
        }
      },
    });
  }
  return Counted;
}

/**
 * A worker's handlers, counted.
 * @param {any} original what it exports as its default
 */
export function countedWorker(original) {
  const handler =
    (/** @type {string} */ name) => (/** @type {any} */ event, /** @type {any} */ env, /** @type {any} */ ctx) =>
      typeof original === 'function' ? new original(ctx, env)[name](event) : original[name](event, env, ctx);
  return {
    async fetch(/** @type {Request} */ request, /** @type {any} */ env, /** @type {any} */ ctx) {
      const { pathname, search } = new URL(request.url);
      if (pathname === PATH) {
        const told = counts;
        if (search === '?reset') counts = none();
        return Response.json(told);
      }
      patchBindings(env);
      counts.requests += 1;
      return handler('fetch')(request, env, ctx);
    },
    async queue(/** @type {any} */ batch, /** @type {any} */ env, /** @type {any} */ ctx) {
      patchBindings(env);
      for (const { body } of batch.messages) {
        // Each delivery is a read, and its acknowledgement or retry another operation.
        counts.queue.read += unitsOf(body);
        counts.queue.deleted += unitsOf(body);
      }
      counts.requests += 1;
      return handler('queue')(batch, env, ctx);
    },
    scheduled: handler('scheduled'),
  };
}
