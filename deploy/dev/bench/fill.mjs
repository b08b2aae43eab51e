// An archive and a D1 that hold what so many events make, for measurements of answers.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SITE } from '../setup/keys.mjs';
import { Failure, runShown } from '../base/process.mjs';

/** As many visitors as a site of that size may have: each comes 20 times in the days. */
export const usersOf = (/** @type {number} */ events) => events / 20;

/** Compiles what fills. */
export async function buildFill() {
  const code = await runShown('cargo', ['build', '--release', '-p', 'shoreline-tests', '--example', 'fill']);
  if (code !== 0) throw new Failure('what fills the database could not be built');
}

/**
 * Fills the archive and D1 by the archive's own code.
 * @param {import('./system.mjs').System} system
 */
export async function fill(
  system,
  /** @type {number} */ events,
  /** @type {number} */ users,
  /** @type {number} */ days,
) {
  // The archive's file is made when it is first asked.
  const headers = { authorization: `Bearer ${system.secrets.readToken}` };
  const asked = await fetch(`${system.url}/v1/analytics/events/recent`, { headers });
  if (!asked.ok) throw new Failure(`the archive does not answer: ${asked.status}`);
  // Their folders are named by worker and class; a worker without a name has none in front.
  const folders = [
    ['d1', 'D1DatabaseObject'],
    ['do', 'ArchiveDo'],
  ].map(([kind, name]) => {
    const within = join(system.state, `${kind}`);
    const folder = readdirSync(within).find((each) => each.endsWith(`-${name}`));
    if (!folder) throw new Failure(`${within} has no folder of ${name}`);
    return join(within, folder);
  });
  const numbers = [events, users, days].map(String);
  const code = await runShown('target/release/examples/fill', [...folders, SITE, system.secrets.hashKey, ...numbers]);
  if (code !== 0) throw new Failure('the database could not be filled');
}

/**
 * Asks one thing so many times, one after the other.
 * @param {number} warmUp of the first ones, how many are not counted @param {number} calls
 * @param {() => Promise<Response>} ask
 */
export async function timed(warmUp, calls, ask) {
  /** @type {number[]} */
  const took = [];
  let last;
  for (let n = 0; n < warmUp + calls; n += 1) {
    const start = performance.now();
    const answer = await ask();
    const text = await answer.text();
    if (!answer.ok) throw new Failure(`${answer.url}: ${answer.status} ${text}`);
    if (n >= warmUp) took.push(performance.now() - start);
    last = { text, headers: answer.headers };
  }
  took.sort((a, b) => a - b);
  const at = (/** @type {number} */ part) => (took[Math.floor(took.length * part)] ?? Number.NaN).toFixed(1);
  return { at, last };
}
