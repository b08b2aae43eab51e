// `wrangler dev` by itself, on a state that was never there before, takes events: its build command migrates and seeds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../base/port.mjs';
import { root, toolEnv, tools } from '../../base/project.mjs';

/** A first build of the worker is part of it where none is there. */
const WITHIN_MS = 600_000;

const state = mkdtempSync(join(tmpdir(), 'shoreline-dev-'));
const keysFile = join(state, 'keys.json');
/** @type {import('node:child_process').ChildProcess | undefined} */
let child;

after(async () => {
  if (child?.pid !== undefined) {
    const ended = new Promise((done) => child?.once('close', done));
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
  rmSync(state, { recursive: true, force: true });
});

test('wrangler dev on a fresh state takes events', { timeout: WITHIN_MS }, async () => {
  const port = await freePort();
  const args = ['dev', '--port', `${port}`, '--inspector-port', `${await freePort()}`, '--persist-to', state];
  child = spawn(tools.node, ['--no-warnings', tools.wrangler, ...args, '--show-interactive-dev-session=false'], {
    cwd: root,
    env: { ...toolEnv(), SHORELINE_STATE: state, SHORELINE_KEYS: keysFile, WRANGLER_SEND_METRICS: 'false' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const output of [child.stdout, child.stderr]) output?.on('data', (/** @type {Buffer} */ some) => (said += some));
  const url = `http://localhost:${port}`;
  const send = async () => {
    const { sourceKey } = JSON.parse(readFileSync(keysFile, 'utf8'));
    const answer = await fetch(`${url}/v1/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${sourceKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ eventType: 'a.b', source: 'test', payload: {} }),
    });
    return answer.status;
  };
  const until = Date.now() + WITHIN_MS - 10_000;
  let status = 0;
  while (status !== 202 && Date.now() < until && child.exitCode === null) {
    status = await send().catch(() => 0);
    // A 401 or 503 would stay: what the build command makes is there before the worker runs.
    if (status !== 202) await delay(500);
  }
  assert.equal(status, 202, said);
});
