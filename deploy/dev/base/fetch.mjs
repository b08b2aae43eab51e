// Requests of these scripts, each with an end.

/**
 * Sends a request and reads the whole answer. Node's own fetch may wait for ever for a compressed body whose signal
 * aborts it while it is read (nodejs/node#56917), so what ends the wait here is a timer of ours.
 * @param {string} url
 * @param {number} withinMs
 * @param {RequestInit} [request]
 * @returns {Promise<{ status: number, headers: Headers, text: string }>} rejects if there is none in time
 */
export async function fetchText(url, withinMs, request = {}) {
  const late = new AbortController();
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const ended = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${withinMs} ms`));
      late.abort();
    }, withinMs);
  });
  const read = async () => {
    const answer = await fetch(url, { ...request, signal: late.signal });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  try {
    return await Promise.race([read(), ended]);
  } finally {
    clearTimeout(timer);
  }
}
