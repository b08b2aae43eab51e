// Comes before the worker: keeps the memory of each instance of wasm where the report can see it.
import { wasm } from './report.mjs';

const Instance = WebAssembly.Instance;

// @ts-expect-error the constructor is replaced by one that looks at what it made
WebAssembly.Instance = class extends Instance {
  /** @param {WebAssembly.Module} module @param {WebAssembly.Imports} [imports] */
  constructor(module, imports) {
    super(module, imports);
    wasm.memory = this.exports.memory;
  }
};
