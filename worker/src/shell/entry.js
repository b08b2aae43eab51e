// The entry of the worker: everything else is wasm. A call into wasm costs less than a promise does, so
// what waits for the body waits here, and wasm is called twice: with the head of the request, and with
// its body where it asks for it.
import Worker from '../../build/index.js';

// The Durable Objects.
export * from '../../build/index.js';

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

// What `entry.rs` exports; the worker crate puts it there.
const { answer, read } = Worker.prototype;

// Kept by the worker crate: whether wasm has failed, and must be started anew.
const state = globalThis.__worker_init_state;

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

export default {
  async fetch(request, env, context) {
    // Making one is how the crate's own entry starts a failed wasm anew.
    if (state.criticalError) new Worker(context, env);
    const step = answer(head(request), request, env, context);
    return typeof step === 'number' ? read(step, await body(request)) : step;
  },
  queue: (batch, env, context) => new Worker(context, env).queue(batch),
  scheduled: (event, env, context) => new Worker(context, env).scheduled(event),
};
