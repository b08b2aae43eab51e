import type { Shoreline } from './shoreline.js';

export type * from './shoreline.js';

/** The tracker of this page; nothing happens before `init`. */
declare const shoreline: Shoreline;
export default shoreline;

export const init: Shoreline['init'];
export const page: Shoreline['page'];
export const feature: Shoreline['feature'];
export const track: Shoreline['track'];
export const content: Shoreline['content'];
export const ai: Shoreline['ai'];
export const error: Shoreline['error'];
export const identify: Shoreline['identify'];
export const reset: Shoreline['reset'];
export const consent: Shoreline['consent'];
export const optOut: Shoreline['optOut'];
export const optIn: Shoreline['optIn'];
export const flush: Shoreline['flush'];
export const on: Shoreline['on'];
