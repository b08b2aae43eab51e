// What the page is told: `shoreline.on(kind, listener)`.

/** @type {Record<string, ((report: any) => void)[]>} */
const listeners = {};

/** Events by what became of them, since the page was loaded. */
export const totals = { sent: 0, rejected: 0, dropped: 0 };

/**
 * @param {string} kind
 * @param {(report: any) => void} listener
 */
export function on(kind, listener) {
  (listeners[kind] ||= []).push(listener);
}

/** Whether anybody listens. @param {string} kind */
export const isHeard = (kind) => kind in listeners;

/** @type {Record<string, boolean>} */
const said = {};

/** Tells the developer, in the console; once. @param {string} text @param {any} [more] */
export const warn = (text, more = '') => void (said[text] ||= !console.warn('shoreline: ' + text, more));

/**
 * Tells the page. Listeners run later, one by one, so that none runs in the middle of the tracker's
 * work and none can stop it or another; what they throw is the page's own, for its console.
 * @param {string} kind
 * @param {any} detail
 */
export function report(kind, detail) {
  const { events, answer } = detail;
  if (kind in totals) {
    const lost = kind === 'sent' ? answer?.rejected || 0 : events;
    totals.sent += events - lost;
    totals[kind === 'sent' ? 'rejected' : kind] += lost;
    if (lost) warn(detail.reason || 'rejected', JSON.stringify(detail));
  }
  for (const listener of listeners[kind] || []) Promise.resolve(detail).then(listener).catch(console.error);
}

/**
 * @param {number} events
 * @param {string} reason
 */
export const dropped = (events, reason) => report('dropped', { events, reason });
