// Ports of this machine.
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { Failure } from './process.mjs';

/** What `npm start` listens on if nothing else is said. */
const DEFAULT_PORT = '8787';

/** The port that was asked for; 0 asks for any free one. */
export async function chosenPort() {
  const text = process.env.PORT || DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Failure(`PORT=${text} is not a port; choose one from 1 to 65535`);
  if (port === 0) return freePort();
  // localhost is 127.0.0.1, ::1 or both, and Wrangler listens on all of them.
  for (const { address } of await lookup('localhost', { all: true })) await listenOnce(port, address);
  return port;
}

/**
 * Ports that are given to what is started: below those that systems give connections (32,768 and more of Linux), one of
 * which could have it between its choice and its use; and others than the tests choose (`tests/src/lib.rs`).
 */
const PORTS = { first: 10_000, count: 6_000 };

/** Ports that a process may choose before it comes to those of the next one. */
const PORTS_OF_A_PROCESS = 7;

let calls = 0;

/** A port that nothing listens on: each call has another one, and processes have others. @returns {Promise<number>} */
export async function freePort() {
  const next = process.pid * PORTS_OF_A_PROCESS + calls;
  calls += 1;
  try {
    return await listenOnce(PORTS.first + (next % PORTS.count), '127.0.0.1');
  } catch (error) {
    if (calls > PORTS.count) throw error;
    return freePort();
  }
}

/**
 * Listens for a moment, to see whether it can be done.
 * @param {number} port
 * @param {string} address
 * @returns {Promise<number>} the port
 */
function listenOnce(port, address) {
  const server = createServer();
  return new Promise((done, failed) => {
    server.once('error', (/** @type {NodeJS.ErrnoException} */ { code }) => {
      // A name that resolves to an address this machine does not have: nobody listens there.
      if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') done(port);
      else if (code === 'EADDRINUSE')
        failed(
          new Failure(
            `port ${port} is in use; stop what listens there, or choose another with PORT=${port + 1} npm start`,
          ),
        );
      else failed(new Failure(`port ${port} cannot be listened on (${code}); choose another with PORT=8787 npm start`));
    });
    server.listen({ port, host: address, exclusive: true }, () => {
      const taken = /** @type {import('node:net').AddressInfo} */ (server.address()).port;
      server.close(() => done(taken));
    });
  });
}
