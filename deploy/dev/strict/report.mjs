// What the strict layer has seen and refused, and the faults that a test has asked for.

/** @typedef {'fail' | 'hang' | 'slow' | 'lost'} Mode */

/** What the platform allows (docs/RELIABILITY.md has where each is documented). */
export const LIMITS = {
  /** Queries of D1 an invocation: 1,000 on the paid plan, 50 on the free one (SHORELINE_STRICT=free). */
  d1Queries: 1_000,
  /** Bytes of a text or a blob, in D1 and in an object's database. */
  valueBytes: 2_000_000,
  /** Bytes of a message with its metadata, which take about a hundred. */
  messageBytes: 128_000,
  metadataBytes: 100,
  /** Connections that an invocation has open at once; further ones wait. */
  connections: 6,
  subrequests: 10_000,
  /** Bytes of an isolate. Here one isolate has the worker and all objects, so this is stricter than the platform. */
  isolateBytes: 128 * 1024 * 1024,
  /** How late KV may answer. */
  kvLateMs: 60_000,
};

/** Each thing that was refused, and how often. @type {Record<string, number>} */
const refused = {};

/**
 * By kind of invocation: how many there were, sums, and the most of one.
 * @type {Record<string, Record<string, number>>}
 */
const kinds = {};

/** By binding. @type {Record<string, { mode: Mode, ms: number, until: number, only?: string }>} */
let faults = {};

/** By binding: how often a fault was met. @type {Record<string, number>} */
const met = {};

/** The memory of the last instance of wasm. @type {{ memory?: { buffer: ArrayBuffer } }} */
export const wasm = {};

/**
 * Notes that something was refused, in the log too, where `npm start` finds it.
 * @param {string} what
 * @param {string} detail
 */
export function refuse(what, detail) {
  refused[what] = (refused[what] ?? 0) + 1;
  console.error(`strict: refused ${what}: ${detail}`);
  return new Error(`${what}: ${detail}`);
}

/**
 * Adds what an invocation has used.
 * @param {string} kind
 * @param {Record<string, number>} used
 */
export function add(kind, used) {
  const sums = (kinds[kind] ??= { invocations: 0 });
  sums.invocations += 1;
  for (const [name, n] of Object.entries(used)) {
    sums[name] = (sums[name] ?? 0) + n;
    const most = `most_${name}`;
    sums[most] = Math.max(sums[most] ?? 0, n);
  }
  const bytes = wasm.memory?.buffer.byteLength ?? 0;
  if (bytes > LIMITS.isolateBytes) refuse('memory', `${bytes} bytes of wasm after ${kind}`);
}

/** All of it, as JSON. */
export const report = () => ({ refused, kinds, met, faults, wasmBytes: wasm.memory?.buffer.byteLength ?? 0 });

/** Forgets what was counted. */
export function forget() {
  for (const counted of [refused, kinds, met]) for (const name of Object.keys(counted)) delete counted[name];
}

/**
 * Lets bindings fail from now on.
 * @param {Record<string, { mode: Mode, ms?: number, forMs?: number, only?: string }>} wanted by binding
 */
export function setFaults(wanted) {
  faults = Object.fromEntries(
    Object.entries(wanted).map(([name, { mode, ms = 1_000, forMs = 3_600_000, only }]) => [
      name,
      { mode, ms, until: Date.now() + forMs, only },
    ]),
  );
}

/**
 * The fault of a binding's operation, if there is one now.
 * @param {string} binding
 * @param {string} operation
 */
export function faultOf(binding, operation) {
  const fault = faults[binding];
  if (!fault || fault.until < Date.now() || (fault.only && fault.only !== operation)) return undefined;
  met[binding] = (met[binding] ?? 0) + 1;
  return fault;
}
