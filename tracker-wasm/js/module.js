// What a bundler takes in: the package `shoreline-tracker`.
import { shoreline } from './api.js';
import { options } from './options.js';

// In this form bundlers know that the file belongs to the package.
options.wasm = new URL('./shoreline.wasm', import.meta.url);

export default shoreline;
export const { init, page, feature, track, content, ai, error, identify, reset, consent, optOut, optIn, flush, on } =
  /** @type {any} */ (shoreline);
