// One call of a Durable Object: one crossing from wasm for the question, one back with the answer.

/**
 * The status and the text of the answer, with a line break between them.
 * @param {Record<string, any>} env
 * @param {string} namespace
 * @param {string} name of the object
 * @param {string} command a path
 * @param {string | Uint8Array} body
 */
export async function call(env, namespace, name, command, body) {
  // The host is never looked up: it is only what a URL must have.
  const answer = await env[namespace].getByName(name).fetch(`https://object${command}`, { method: 'POST', body });
  return `${answer.status}\n${await answer.text()}`;
}

/**
 * Commits a batch to a site's log: nothing where it is taken, else the receipt as JSON.
 * @param {Record<string, any>} env
 * @param {string} name of the object
 * @param {Uint8Array} batch
 * @returns {Promise<string | undefined>}
 */
export function commit(env, name, batch) {
  return env.SITE_DO.getByName(name).commit(batch);
}

/**
 * The answer to who wants a WebSocket.
 * @param {Record<string, any>} env
 * @param {string} namespace
 * @param {string} name of the object
 * @param {string} command a path, with its query
 */
export function open(env, namespace, name, command) {
  return env[namespace].getByName(name).fetch(`https://object${command}`, { headers: { upgrade: 'websocket' } });
}
