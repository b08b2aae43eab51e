// `site_do` as the platform sees it. A commit is the one command that each batch waits for: it is a call of a method,
// which costs less than a request does, one call into wasm, and no promise there.
import { DurableObject } from 'cloudflare:workers';
import { SiteDo as Core } from '../platform/wasm.js';

/** Commits that come this soon after others, ms, wait for company: sixteen in one turn take 2 to 3 ms. */
const BUSY_MS = 5;

export class SiteDo extends DurableObject {
  #core;
  /** When the last commits were written, Unix milliseconds. */
  #written = 0;
  /** The turn in which those that wait will be. @type {Promise<void> | undefined} */
  #turn;

  /** @param {any} state @param {any} env */
  constructor(state, env) {
    super(state, env);
    this.#core = new Core(state, env);
  }

  /** @param {Request} request */
  fetch(request) {
    return this.#core.fetch(request);
  }

  alarm() {
    return this.#core.alarm();
  }

  /**
   * Commits a batch: nothing where it is taken, else its receipt.
   *
   * The platform writes what happens in one turn of the event loop as one transaction of the file, which costs
   * several times what the rows do. So under load batches wait for the next tick of a timer, to be written in the same
   * turn; each has a savepoint of its own. A batch that comes alone waits for nothing.
   * @param {Uint8Array} batch
   */
  async commit(batch) {
    if (this.#turn || Date.now() - this.#written < BUSY_MS) await (this.#turn ??= this.#tick());
    this.#written = Date.now();
    return this.#core.commit(batch);
  }

  #tick() {
    return new Promise((resolve) =>
      setTimeout(() => {
        this.#turn = undefined;
        resolve(undefined);
      }, 0),
    );
  }
}
