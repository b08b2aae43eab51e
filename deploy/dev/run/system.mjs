// The running system: Wrangler, waited for until healthy, and started again if it no longer answers.
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchText } from '../base/fetch.mjs';
import { noteRefusal } from '../strict/refusals.mjs';
import { watchMemory } from '../strict/memory.mjs';
import { freePort } from '../base/port.mjs';
import { Failure, isStopping, lastLines, say } from '../base/process.mjs';
import { MEMORY_LOG, WRANGLER_LOG, strict, wranglerDev } from './wrangler.mjs';

/** How long the built worker may take until it is healthy. */
const HEALTHY_WITHIN_MS = 120_000;

/** How long Wrangler may take to replace a workerd that died; it takes about a second. */
const RECOVERED_WITHIN_MS = 5_000;

const POLL_MS = 100;

/** Of what Wrangler says: its errors, and the builds after a change. */
const WORTH_SHOWING = /\[ERROR\]|:error\]|^\[custom build\] (?!Running)\s*\S/;

/**
 * Runs the system for as long as this process runs.
 * @param {{ url: string, port: number, vars: string[] }} options
 * @param {() => Promise<void>} onHealthy what to do once it is healthy for the first time
 */
export async function runSystem({ url, port, vars }, onHealthy) {
  rmSync(WRANGLER_LOG, { force: true });
  let told = false;
  while (!isStopping()) {
    /** @type {() => void} */
    let stuck = () => {};
    /** @type {Promise<void>} */
    const isStuck = new Promise((done) => (stuck = done));
    const onLine = (/** @type {string} */ line) => {
      if (line.includes('strict: refused')) noteRefusal(line);
      if (WORTH_SHOWING.test(line)) say(line.replace(/^\[custom build\] (shoreline: )?/, ''));
      if (line.includes('runtime crashed unexpectedly')) hasRecovered(url).then((recovered) => recovered || stuck());
    };
    const inspectorPort = await freePort();
    const wrangler = wranglerDev({ port, inspectorPort, vars, onLine });
    const watch = strict ? watchMemory(inspectorPort, MEMORY_LOG, noteRefusal) : undefined;
    const ended = wrangler.ended.then(reportEnd);
    // One of its processes may die before it is healthy, too.
    const runs = await Promise.race([healthy(url).then(() => true), ended, isStuck]);
    if (runs && !told) {
      told = true;
      await onHealthy();
    }
    await Promise.race([ended, isStuck]);
    watch?.stop();
    if (isStopping()) return wrangler.ended;
    say('Wrangler has not answered since one of its processes died; starting it again');
    ended.catch(() => {});
    await wrangler.end();
  }
}

/** Wrangler ends when this process stops it; otherwise something is wrong. */
async function reportEnd() {
  if (!isStopping()) throw new Failure(`Wrangler ended; its last lines:\n${lastLines(WRANGLER_LOG)}`);
}

/**
 * What the system says about itself; undefined if nothing.
 * @param {string} url
 * @param {number} withinMs
 */
async function health(url, withinMs = RECOVERED_WITHIN_MS) {
  try {
    return await fetchText(`${url}/health`, withinMs);
  } catch {
    return undefined;
  }
}

/**
 * Waits until the system says that it is healthy.
 * @param {string} url
 */
async function healthy(url) {
  const deadline = Date.now() + HEALTHY_WITHIN_MS;
  let last;
  while (!isStopping()) {
    last = (await health(url)) ?? last;
    if (last?.status === 200 && /"status"\s*:\s*"healthy"/.test(last.text)) return;
    if (Date.now() > deadline) {
      const said = last ? `it says ${last.status} ${last.text.slice(0, 500)}` : 'it does not answer';
      throw new Failure(
        `${url}/health is not healthy after ${HEALTHY_WITHIN_MS / 1000} s (${said}); Wrangler's last ` +
          `lines:\n${lastLines(WRANGLER_LOG)}`,
      );
    }
    await delay(POLL_MS);
  }
}

/**
 * Whether the system answers again soon. Wrangler replaces a workerd that died, but when it was the
 * one that passes requests on, the new one passes nothing on.
 * @param {string} url
 */
async function hasRecovered(url) {
  const deadline = Date.now() + RECOVERED_WITHIN_MS;
  while (Date.now() < deadline && !isStopping()) {
    if (await health(url, deadline - Date.now())) return true;
    await delay(POLL_MS);
  }
  return isStopping();
}
