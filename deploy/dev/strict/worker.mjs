// The worker as `npm start` runs it with SHORELINE_STRICT=1: the built one, behind bindings that refuse what the
// platform refuses and the local one lets pass. `GET /__strict` tells what was counted, `PUT /__strict/faults` lets
// bindings fail. What is deployed has none of this.
import './before.mjs';
import worker, * as built from '../../../worker/build/index.js';
import { Invocation, checkValues, strictEnv } from './env.mjs';
import { forget, refuse, report, setFaults } from './report.mjs';

/** How long a busy machine may stop this process. */
const PAUSE_MS = 250;

/** @param {any} env */
const isFree = (env) => env.SHORELINE_STRICT === 'free';

/**
 * Runs an invocation to its end, what it leaves for after its answer included.
 * @param {string} kind
 * @param {any} env
 * @param {any} context
 * @param {(env: any, context: any) => any} run
 */
async function invoked(kind, env, context, run) {
  const invocation = new Invocation(kind, isFree(env));
  /** @type {Promise<unknown>[]} */
  const left = [];
  const own = {
    /** @param {Promise<unknown>} promise */
    waitUntil(promise) {
      left.push(promise);
      context.waitUntil(promise);
    },
    passThroughOnException: () => context.passThroughOnException?.(),
  };
  try {
    return await run(strictEnv(env, invocation), own);
  } finally {
    const ends = async () => {
      // What is left may leave more.
      for (let n = 0; n < left.length; n++) await left[n]?.catch(() => {});
      invocation.end();
    };
    context.waitUntil(ends());
  }
}

export default {
  /** @param {Request} request @param {any} env @param {any} context */
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/__strict')) return control(request, pathname);
    return invoked('fetch', env, context, (own, ctx) => worker.fetch(request, own, ctx));
  },
  /** @param {any} batch @param {any} env @param {any} context */
  queue: (batch, env, context) =>
    invoked(`queue ${batch.queue}`, env, context, (own, ctx) => worker.queue(batch, own, ctx)),
  /** @param {any} event @param {any} env @param {any} context */
  scheduled: (event, env, context) =>
    invoked('scheduled', env, context, (own, ctx) => worker.scheduled(event, own, ctx)),
};

/** @param {Request} request @param {string} pathname */
async function control(request, pathname) {
  if (request.method === 'PUT' && pathname === '/__strict/faults') {
    setFaults(await request.json());
    return Response.json({});
  }
  if (request.method === 'DELETE') forget();
  return Response.json(report());
}

/** Has an object's storage refuse what the platform refuses. @param {any} storage @param {string} kind */
function strictStorage(storage, kind) {
  /** What was asked since it was counted last. @type {any[]} */
  const cursors = [];
  const alarms = { set: 0 };
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  Object.defineProperty(sql, 'exec', {
    /** @param {string} text @param {any[]} params */
    value: (text, ...params) => {
      checkValues(params, `${kind}: ${text.slice(0, 80)}`);
      const cursor = exec(text, ...params);
      cursors.push(cursor);
      return cursor;
    },
  });
  const setAlarm = storage.setAlarm.bind(storage);
  Object.defineProperty(storage, 'setAlarm', {
    /** @param {number | Date} at @param {any} options */
    value: (at, options) => {
      // It is not armed: nobody may count on it. Not the last moments: the clock here goes on while wasm computes, and
      // a busy machine may stop between the setting and this.
      if (Number(at) <= Date.now() - PAUSE_MS)
        throw refuse('alarm_not_ahead', `${kind}: ${Date.now() - Number(at)} ms ago`);
      alarms.set += 1;
      return setAlarm(at, options);
    },
  });
  const getAlarm = storage.getAlarm.bind(storage);
  Object.defineProperty(storage, 'getAlarm', {
    /** @param {any} options */
    value: async (options) => {
      const at = await getAlarm(options);
      return at !== null && at <= Date.now() ? null : at;
    },
  });
  /** Adds the rows of what was asked; a cursor knows them when it was read to its end. A set alarm is a row. */
  return (/** @type {Record<string, number>} */ used) => {
    for (const { rowsRead, rowsWritten } of cursors.splice(0)) {
      used.rowsRead += rowsRead;
      used.rowsWritten += rowsWritten;
    }
    used.rowsWritten += alarms.set;
    alarms.set = 0;
  };
}

/**
 * A class of objects whose storage and bindings are strict. An object's invocations share its bindings, so what they
 * use is counted from where none was under way.
 * @param {any} Class
 * @param {string} kind
 */
function strictObject(Class, kind) {
  class Strict extends Class {
    /** @param {any} state @param {any} env */
    constructor(state, env) {
      const rows = strictStorage(state.storage, kind);
      const counted = { invocation: new Invocation(kind, isFree(env)), running: 0 };
      const current = new Proxy(counted.invocation, {
        get(_, name) {
          const value = Reflect.get(counted.invocation, name);
          return typeof value === 'function' ? value.bind(counted.invocation) : value;
        },
      });
      super(state, strictEnv(env, current));
      this.strict = counted;
      this.countRows = rows;
      this.isFree = isFree(env);
    }
  }
  for (const name of ['fetch', 'alarm', 'commit', 'webSocketMessage', 'webSocketClose', 'webSocketError']) {
    const method = Class.prototype[name];
    if (typeof method !== 'function') continue;
    Object.defineProperty(Strict.prototype, name, {
      /** @this {any} @param {any[]} args */
      async value(...args) {
        const { strict } = this;
        if (strict.running === 0) strict.invocation = new Invocation(`${kind}.${name}`, this.isFree);
        strict.running += 1;
        try {
          return await method.apply(this, args);
        } finally {
          strict.running -= 1;
          this.countRows(strict.invocation.used);
          if (strict.running === 0) strict.invocation.end();
        }
      },
    });
  }
  return Strict;
}

export const SiteDo = strictObject(built.SiteDo, 'site_do');
export const ArchiveDo = strictObject(built.ArchiveDo, 'archive_do');
export const PrivacyDo = strictObject(built.PrivacyDo, 'privacy_do');
export const ImportDo = strictObject(built.ImportDo, 'import_do');
export const LiveDo = strictObject(built.LiveDo, 'live_do');
