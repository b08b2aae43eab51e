// The line between this page and the collector: what the tracker sends, when, and what came back. The
// demo listens to it, and can cut it. It must run before the tracker does.

/** Whether this page's requests to the collector fail, as they would without a network. */
export const line = { cut: false };

/** Under this the tab remembers, over a reload, that it plays a visitor with Global Privacy Control. */
const GPC = 'inspector.gpc';

/** Whether the browser itself asks not to be followed: then there is nothing to play. */
export const ownGpc = navigator.globalPrivacyControl === true;

/** @returns {boolean} */
export const playsGpc = () => !ownGpc && sessionStorage.getItem(GPC) === 'on';

/** From the next load on. @param {boolean} on */
export const playGpc = (on) => (on ? sessionStorage.setItem(GPC, 'on') : sessionStorage.removeItem(GPC));

/** @typedef {{ batchId: string, ids: string[] }} Batch */
/** @type {{ sent: (batch: Batch) => void, answered: (batch: Batch, status: number, answer: any) => void }} */
const heard = { sent: () => {}, answered: () => {} };

/** @param {typeof heard} listeners */
export const listen = (listeners) => void Object.assign(heard, listeners);

const isEvents = (/** @type {unknown} */ url) => new URL(String(url), location.href).pathname === '/v1/events';

/** @param {unknown} body @returns {Batch | undefined} */
function batchIn(body) {
  try {
    const { batchId, events } = JSON.parse(String(body));
    return { batchId, ids: events.map((/** @type {any} */ event) => event.eventId) };
  } catch {
    return undefined;
  }
}

const real = window.fetch;

/** The browser's own `fetch`, which nothing cuts. @type {typeof fetch} */
export const fetchDirectly = (...args) => real.apply(window, args);

window.fetch = async (url, init) => {
  if (!isEvents(url)) return fetchDirectly(url, init);
  const batch = batchIn(init?.body);
  if (batch) heard.sent(batch);
  try {
    if (line.cut) throw new TypeError('The demo has cut the line.');
    // A page cannot send Sec-GPC itself; this asks the collector for the same.
    const answer = await fetchDirectly(playsGpc() ? `${url}&private=1` : url, init);
    if (batch)
      heard.answered(
        batch,
        answer.status,
        await answer
          .clone()
          .json()
          .catch(() => null),
      );
    return answer;
  } catch (error) {
    if (batch) heard.answered(batch, 0, null);
    throw error;
  }
};

if (playsGpc()) Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });
