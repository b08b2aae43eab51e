// One request to elsewhere, with its whole answer.

/**
 * The answer: `[status, [[name, value], …], text]`. Throws a text that says why there is none.
 * @param {string} method
 * @param {string} url
 * @param {string} headers a JSON array of names and values
 * @param {Uint8Array | undefined} body
 * @param {'follow' | 'manual'} redirect
 * @param {number} withinMs how long it may take, body included
 * @param {number} mostBytes how many bytes of the answer are read at most
 */
export async function exchange(method, url, headers, body, redirect, withinMs, mostBytes) {
  const signal = AbortSignal.timeout(withinMs);
  try {
    // The edge's cache keeps .gz files by their name, and would answer for a bucket.
    const answer = await fetch(url, {
      method,
      headers: JSON.parse(headers),
      body,
      redirect,
      signal,
      cache: 'no-store',
    });
    return JSON.stringify([answer.status, [...answer.headers], await textOf(answer, mostBytes)]);
  } catch (error) {
    throw signal.aborted ? 'timeout' : String(error);
  }
}

/** @param {Response} answer @param {number} mostBytes */
async function textOf(answer, mostBytes) {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let text = '';
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw 'the answer is too large';
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
