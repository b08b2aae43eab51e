import type { Shoreline } from './shoreline.js';

declare global {
  interface Window {
    shoreline: Shoreline;
  }
  const shoreline: Shoreline;
}
