// The calls into wasm. A panic ends the instance of wasm in which it happens: its memory is lost, and each further call
// would fail. So whoever calls wasm calls it through here: before a call, an instance that has ended is replaced by a
// new one, and with it every Durable Object's.
import * as wasm from '../../../build/index.js';

// A panic's trace is of no use where it ends before the caller.
Error.stackTraceLimit = 100;

/**
 * Kept by the worker crate: whether the instance has ended, and how often one was made.
 * @type {{ criticalError: boolean, instanceId: number }}
 */
const state = wasm.__worker_init_state();

// What fails in a promise that nobody waits for.
addEventListener('error', (event) => notice(event.error));

/** Replaces an instance that has ended. */
export function restart() {
  if (!state.criticalError) return;
  console.log('Reinitializing Wasm application');
  wasm.__wbg_reset_state();
  state.criticalError = false;
  state.instanceId += 1;
}

/** @param {unknown} error */
function notice(error) {
  if (!(error instanceof WebAssembly.RuntimeError)) return;
  console.error('Critical', error);
  state.criticalError = true;
}

/**
 * Calls wasm.
 * @template T
 * @param {() => T} call
 * @returns {T}
 */
function guarded(call) {
  restart();
  try {
    return call();
  } catch (error) {
    notice(error);
    throw error;
  }
}

export const { answer, read, stored } = wasm;

/** @param {any} batch @param {any} env @param {any} context */
export const queue = (batch, env, context) => guarded(() => wasm.queue(batch, env, context));

/** @param {any} event @param {any} env @param {any} context */
export const scheduled = (event, env, context) => guarded(() => wasm.scheduled(event, env, context));

/**
 * A class of Durable Objects: each has an object of wasm, and has another one made where wasm was started anew.
 * @param {any} Core the class in wasm
 * @returns {any}
 */
function durable(Core) {
  class Durable {
    #platform;
    /** @type {any} */
    #core;
    #instance = -1;

    /** @param {any} state_ @param {any} env */
    constructor(state_, env) {
      this.#platform = [state_, env];
      // What its constructor cannot do, no call could.
      guarded(() => this.core);
    }

    /** The object of wasm, of the instance there is. */
    get core() {
      if (this.#instance !== state.instanceId) {
        this.#core = new Core(...this.#platform);
        this.#instance = state.instanceId;
      }
      return this.#core;
    }
  }
  for (const name of Object.getOwnPropertyNames(Core.prototype)) {
    if (name === 'constructor' || name.startsWith('__') || name === 'free') continue;
    Object.defineProperty(Durable.prototype, name, {
      /** @this {Durable} @param {any[]} args */
      value(...args) {
        return guarded(() => this.core[name](...args));
      },
    });
  }
  return Durable;
}

export const SiteDo = durable(wasm.SiteDo);
export const ArchiveDo = durable(wasm.ArchiveDo);
export const PrivacyDo = durable(wasm.PrivacyDo);
export const ImportDo = durable(wasm.ImportDo);
export const LiveDo = durable(wasm.LiveDo);
