// `npm run versions -- COMMIT`: an earlier version of the worker and today's on one state, in turn, while pages send:
// deployed, rolled back, deployed again. At the end every event that was answered 202 must be in the lake once, and
// counted once. VERSIONS_SECONDS says how long each answers. Nobody may change the checkout meanwhile: Wrangler would
// build the worker anew.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { freePort } from '../base/port.mjs';
import { Failure, beforeStop, main, runLogged, say, seconds } from '../base/process.mjs';
import { at, toolEnv, tools } from '../base/project.mjs';
import { build } from '../build/build.mjs';
import { TODAY, checkedOut } from './checkout.mjs';
import { Traffic, UNREADABLE, newStage } from './traffic.mjs';

const USAGE = 'usage: npm run versions -- COMMIT';

const STAGE_SECONDS = Number(process.env.VERSIONS_SECONDS ?? 15);

/** How long all may take to land after the last version was started; copies of lost rows wait longer each time. */
const LANDED_WITHIN_MS = 240_000;

/** As often as it can be: rows are sent again, and objects sealed, while both versions answer. */
const SETTINGS = 'OUTBOX_RESEND_SECONDS:1 LAKE_SEAL_SECONDS:1 OPERATION_EVENTS:off';

/**
 * Starts a version, and waits until it says that it runs.
 * @param {import('./checkout.mjs').Version} version
 * @param {{ port: number, state: string }} where
 * @returns {Promise<() => Promise<void>>} stops it, as Ctrl-C does
 */
async function started({ name, folder }, { port, state }) {
  const env = {
    ...toolEnv(),
    PORT: `${port}`,
    SHORELINE_STATE: state,
    SHORELINE_KEYS: join(state, 'keys.json'),
    SHORELINE_VARS: SETTINGS,
    SHORELINE_BUILT: '1',
    SHORELINE_EXIT_WITH_STDIN: '1',
  };
  const child = spawn(tools.node, ['deploy/dev/run/start.mjs'], { cwd: folder, env, stdio: 'pipe' });
  const closed = once(child, 'close');
  const end = async () => {
    child.stdin.end();
    await closed;
  };
  const forget = beforeStop(end);
  /** @type {string[]} */
  const said = [];
  const runs = new Promise((done) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => {
        said.push(line);
        if (line.includes('Shoreline runs')) done(true);
      });
  });
  if (!(await Promise.race([runs, closed.then(() => false)])))
    throw new Failure(`${name} did not start:\n${said.join('\n')}`);
  return async () => {
    forget();
    await end();
  };
}

/** Waits until all has landed. @param {Traffic} traffic */
async function landed(traffic) {
  const begun = Date.now();
  let last = 'no answer';
  while (Date.now() - begun < LANDED_WITHIN_MS) {
    const answer = await traffic.call('/health');
    if (answer) {
      last = answer.text;
      const { status, backlog } = JSON.parse(last);
      const { landedEvents, pendingEvents } = backlog?.lake ?? {};
      const isDone = landedEvents === traffic.ids.length && pendingEvents === 0 && backlog.outbox.parts === 0;
      if (isDone && status === 'healthy') return seconds(begun);
    }
    await delay(500);
  }
  throw new Failure(`of ${traffic.ids.length} events not all landed within ${seconds(begun)}: ${last}`);
}

/** What must hold of the counts. @param {Traffic} traffic */
async function countsAreRight(traffic) {
  const { ids, wrong } = traffic;
  const read = async (/** @type {string} */ path, /** @type {RequestInit} */ request = {}) => {
    const answer = await traffic.call(path, request);
    if (answer?.status !== 200) throw new Failure(`${path}: ${answer?.status} ${answer?.text}`);
    return JSON.parse(answer.text);
  };
  const is = (/** @type {string} */ what, /** @type {unknown} */ found, /** @type {unknown} */ wanted) => {
    if (found !== wanted) wrong.push(`${what}: ${found}, not ${wanted}`);
  };
  const { closed, hours } = await read('/v1/analytics/reconciliation');
  is('the reconciliation closes', closed, true);
  for (const place of ['received', 'stored', 'landed'])
    is(
      `events that are ${place}`,
      hours.reduce((/** @type {number} */ sum, /** @type {any} */ hour) => sum + hour[place], 0),
      ids.length,
    );
  is('events of the summary', (await read('/v1/analytics/metrics/summary')).total, ids.length);
  const question = { metrics: ['events', 'sum(data.duration)'], range: '24h' };
  const { totals } = await read('/v1/analytics/query', { method: 'POST', body: JSON.stringify(question) });
  is('events of a question', totals[0], ids.length);
  is('the sum of a question', totals[1], (ids.length / 3) * 2.5);
}

/**
 * The ids of the site's events in the lake, each as often as it is there.
 * @param {string} state
 * @param {string} site
 */
async function idsInLake(state, site) {
  const folder = join(state, 'pulled');
  const env = { ...toolEnv(), SHORELINE_STATE: state };
  await runLogged('read the lake', tools.node, ['deploy/dev/lake/lake.mjs', 'pull', folder], { env });
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const lines = files.flatMap((file) =>
    gunzipSync(readFileSync(join(file.parentPath, file.name)))
      .toString()
      .trimEnd()
      .split('\n'),
  );
  const events = lines.map((line) => JSON.parse(line)).filter((event) => event.siteId === site);
  return { ids: events.map((event) => event.eventId), objects: files.length };
}

/** @param {import('./traffic.mjs').Stage} stage @param {number} at which one it is, from 0 */
function report({ name, taken, unanswered, refused, questions, folds, failed }, at) {
  const counts = (/** @type {Record<string, number>} */ of) =>
    Object.entries(of)
      .map(([key, n]) => `${key}: ${n}`)
      .join(', ') || '0';
  say(
    `${at + 1}. ${name}: ${taken} batches answered 202, tries without an answer ${unanswered}, refused ` +
      `${counts(refused)}; ${questions} questions and ${folds} folds done, failed ${counts(failed)}`,
  );
}

/** @param {string[]} args */
async function versions([commit, ...rest]) {
  if (!commit || rest.length > 0) throw new Failure(USAGE);
  if (process.env.SHORELINE_BUILT !== '1') await build();
  const old = await checkedOut(commit);
  const state = mkdtempSync(at('target', 'versions', 'state-'));
  const port = await freePort();
  /** @type {Traffic | undefined} */
  let traffic;
  const stages = [];
  for (const version of [old, TODAY, old, TODAY]) {
    const stage = newStage(version.name);
    stages.push(stage);
    // What has no answer while nothing listens is of the version that comes.
    if (traffic) traffic.stage = stage;
    const stop = await started(version, { port, state });
    if (traffic === undefined) {
      const keys = JSON.parse(readFileSync(join(state, 'keys.json'), 'utf8'));
      traffic = new Traffic(keys, stage);
      traffic.start();
    }
    await delay(STAGE_SECONDS * 1_000);
    if (stages.length < 4) await stop();
    else await traffic.end();
    report(stage, stages.length - 1);
    if (stage.taken === 0) traffic.wrong.push(`${stage.name} took nothing`);
    if (stages.length < 4) continue;
    say(`all ${traffic.ids.length} events landed after ${await landed(traffic)}`);
    await countsAreRight(traffic);
    await stop();
  }
  if (traffic === undefined) return;
  const { ids: inLake, objects } = await idsInLake(state, traffic.keys.site);
  const once = new Set(inLake);
  const lost = traffic.ids.filter((id) => !once.has(id)).length;
  say(`the lake: ${inLake.length} events in ${objects} objects; ${lost} lost, ${inLake.length - once.size} doubled`);
  const { wrong } = traffic;
  if (lost > 0 || inLake.length !== once.size || inLake.length !== traffic.ids.length) wrong.push('the lake differs');
  // A version that cannot read what another wrote says so by an error of ours.
  for (const { name, refused, failed } of stages)
    for (const key of [...Object.keys(refused), ...Object.keys(failed)])
      if (key === UNREADABLE || /50[0-24-9]/.test(key)) wrong.push(`${name}: ${key}`);
  if (wrong.length > 0) throw new Failure(`${wrong.join('\n')}\nthe state is in ${state}`);
  rmSync(state, { recursive: true });
}

main(() => versions(process.argv.slice(2)));
