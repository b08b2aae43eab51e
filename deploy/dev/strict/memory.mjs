// How much memory the worker's isolate has, as its inspector tells: JavaScript's heap and the buffers behind it, wasm's
// memory among them.
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchText } from '../base/fetch.mjs';

/** As the platform. */
const LIMIT_BYTES = 128 * 1024 * 1024;

const EVERY_MS = 2_000;

/**
 * Looks until it is stopped; tells each time that the isolate is over its limit, and has grown since.
 * @param {number} port of the inspector
 * @param {string} log a file that gets a line for each look: the moment, and bytes
 * @param {(line: string) => void} onOver
 */
export function watchMemory(port, log, onOver) {
  const stopped = new AbortController();
  let most = LIMIT_BYTES;
  const look = async () => {
    while (!stopped.signal.aborted) {
      const bytes = await isolateBytes(port).catch(() => undefined);
      if (bytes !== undefined) appendFileSync(log, `${Date.now()} ${bytes}\n`);
      if (bytes !== undefined && bytes > most) {
        most = bytes;
        onOver(`strict: refused memory: the isolate has ${bytes} bytes, and 128 MB are allowed`);
      }
      await delay(EVERY_MS, undefined, { ref: false });
    }
  };
  look();
  return { stop: () => stopped.abort() };
}

/**
 * Bytes of the isolate now, after what is garbage was collected.
 * @param {number} port
 * @returns {Promise<number>}
 */
export async function isolateBytes(port) {
  const { text } = await fetchText(`http://127.0.0.1:${port}/json`, EVERY_MS);
  const [target] = /** @type {{ webSocketDebuggerUrl: string }[]} */ (JSON.parse(text));
  if (!target) throw new Error('the inspector lists nothing');
  // Wrangler lets in who comes from this machine, and says so.
  const socket = new WebSocket(
    target.webSocketDebuggerUrl,
    /** @type {any} */ ({ headers: { origin: 'http://localhost' } }),
  );
  try {
    return await new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error('the inspector does not answer')), EVERY_MS);
      socket.onerror = () => reject(new Error('the inspector closed'));
      socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.getHeapUsage' }));
      socket.onmessage = ({ data }) => {
        const { id, result } = JSON.parse(String(data));
        if (id !== 1) return;
        clearTimeout(timeout);
        resolve(result.usedSize + (result.backingStorageSize ?? 0));
      };
    });
  } finally {
    socket.close();
  }
}
