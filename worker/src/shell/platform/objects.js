// One call of a Durable Object: one crossing from wasm for the question, one back with the answer.

/**
 * An object by its name. The platform makes an object near its first caller, unless OBJECT_LOCATION says where.
 * @param {Record<string, any>} env
 * @param {string} namespace
 * @param {string} name
 */
function object(env, namespace, name) {
  const locationHint = env.OBJECT_LOCATION;
  return env[namespace].getByName(name, locationHint ? { locationHint } : undefined);
}

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
  const answer = await object(env, namespace, name).fetch(`https://object${command}`, { method: 'POST', body });
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
  return object(env, 'SITE_DO', name).commit(batch);
}

/**
 * The answer to who wants a WebSocket.
 * @param {Record<string, any>} env
 * @param {string} namespace
 * @param {string} name of the object
 * @param {string} command a path, with its query
 */
export function open(env, namespace, name, command) {
  return object(env, namespace, name).fetch(`https://object${command}`, { headers: { upgrade: 'websocket' } });
}
