// Static files, read by the worker itself.

/**
 * The text of a file.
 * @param {Record<string, any>} env
 * @param {string} path
 */
export async function read(env, path) {
  // The host is never looked up: it is only what a URL must have.
  const answer = await env.ASSETS.fetch(`https://assets${path}`);
  if (!answer.ok) throw new Error(`${path} is answered ${answer.status}`);
  return await answer.text();
}
