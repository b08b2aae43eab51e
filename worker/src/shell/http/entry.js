// The entry of the worker: everything else is wasm. A call into wasm costs less than a promise does, so
// what each batch waits for is waited for here, and wasm is called three times: with the head of the request,
// with its body, and with what the log said of the batch.
import { commit } from '../platform/objects.js';
import { answer, queue, read, restart, scheduled, stored } from '../platform/wasm.js';

// The Durable Objects.
export { ArchiveDo, ImportDo, LiveDo, PrivacyDo } from '../platform/wasm.js';
export { SiteDo } from '../objects/site_do.js';

// As `head.rs` reads them.
const HEADERS = [
  'origin',
  'authorization',
  'content-type',
  'content-encoding',
  'content-length',
  'idempotency-key',
  'user-agent',
  'cf-connecting-ip',
  'sec-gpc',
  'dnt',
  'traceparent',
];

/** The head of a request, as `head.rs` reads it. @param {Request} request */
function head(request) {
  const { headers, cf } = request;
  let text = '';
  for (let i = 0; i < HEADERS.length; i++) {
    const value = headers.get(HEADERS[i]);
    text += value === null ? '\n' : `\n=${value}`;
  }
  let further = 0;
  // Only a CloudEvent in binary mode has attributes in its headers.
  if (headers.has('ce-specversion')) {
    for (const [name, value] of headers) {
      if (!name.startsWith('ce-')) continue;
      text += `\n${name}=${value}`;
      further += 1;
    }
  }
  const bot = cf?.botManagement;
  const known = `${cf?.country ?? ''}\n${cf?.region ?? ''}\n${bot?.score ?? ''},${bot?.verifiedBot ?? ''}`;
  return `${request.method}\n${request.url}\n${known}\n${further}${text}`;
}

/** The whole body; `undefined` where it could not be read to its end. @param {Request} request */
async function body(request) {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch {
    return undefined;
  }
}

/**
 * Has a batch committed: what wasm says to that.
 * @param {[turn: number, name: string, batch: Uint8Array]} asked
 * @param {Record<string, any>} env
 */
async function store([turn, name, batch], env) {
  let receipt;
  let failure;
  try {
    receipt = await commit(env, name, batch);
  } catch (error) {
    failure = String(error);
  }
  restart();
  return stored(turn, receipt, failure);
}

export default {
  async fetch(request, env, context) {
    restart();
    let step = answer(head(request), request, env, context);
    if (typeof step === 'number') {
      const bytes = await body(request);
      restart();
      step = read(step, bytes);
    }
    if (!Array.isArray(step)) return step;
    const answered = store(step, env);
    // Also where nobody waits for the answer any more: wasm would keep the turn, and its batch, for good.
    context.waitUntil(answered);
    return answered;
  },
  queue,
  scheduled,
};
