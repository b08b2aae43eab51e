// What Cloudflare takes on the Workers Paid plan, dollars a million; list prices of November 2026, nothing included for
// free.

/** @type {Record<string, { price: number, unit: string }>} */
export const PRICES = {
  requests: { price: 0.3, unit: 'requests of the worker, its queue consumer among them' },
  cpuMs: { price: 0.02, unit: 'ms of CPU' },
  objectRequests: { price: 0.15, unit: 'requests of Durable Objects, alarms among them' },
  objectRowsWritten: { price: 1, unit: 'rows written in Durable Objects, an alarm set is one' },
  objectRowsRead: { price: 0.001, unit: 'rows read in Durable Objects' },
  d1RowsWritten: { price: 1, unit: 'rows written in D1' },
  d1RowsRead: { price: 0.001, unit: 'rows read in D1' },
  queueOperations: { price: 0.4, unit: 'operations of queues: a write, a read, a delete, for each 64 KB' },
  r2Puts: { price: 4.5, unit: 'puts and lists of R2 (class A)' },
  r2Gets: { price: 0.36, unit: 'reads of R2 (class B)' },
  kvReads: { price: 0.5, unit: 'reads of KV' },
  kvWrites: { price: 5, unit: 'writes of KV' },
  logLines: { price: 0.6, unit: 'lines of Workers Logs' },
};

/** How often each was used, an event. @typedef {Record<keyof typeof PRICES, number>} Use */

/** Dollars a million events. @param {Use} use an event */
export const dollars = (use) => Object.entries(PRICES).reduce((sum, [name, { price }]) => sum + use[name] * price, 0);

/** The prices, as Markdown. */
export const priceTable = () =>
  [
    '| $ a million | |',
    '|--:|---|',
    ...Object.values(PRICES).map(({ price, unit }) => `| ${price.toFixed(3).replace(/0$/, '')} | ${unit} |`),
  ].join('\n');
