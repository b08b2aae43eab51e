// `npm run bench -- reads`: how long the dashboard's answers take, and what D1 reads for them, with 100,000 and with
// 1,000,000 events behind them (BENCH_EVENTS, with commas between); then how long the hourly recount of 10,000 events
// takes.
import { buildFill, fill, timed, usersOf } from './fill.mjs';
import { withWorker } from './system.mjs';
import { Failure } from '../base/process.mjs';

const SIZES = (process.env.BENCH_EVENTS ?? '100000,1000000').split(',').map(Number);
const DAYS = 31;

/** Of each call, the first ones not counted. */
const [WARM_UP, CALLS] = [10, 200];

const RECOUNTED = 10_000;

/** What is asked of the 31 days. @param {string} range */
const paths = (range) => [
  `metrics/platform?${range}`,
  `metrics/engagement?${range}`,
  `metrics/features?${range}`,
  `metrics/products?${range}`,
  `metrics/breakdown?by=page&${range}`,
  `metrics/breakdown?by=country&${range}`,
  `metrics/breakdown?by=referrer&${range}`,
  'metrics/summary?windowMinutes=60',
  'metrics/summary?windowMinutes=10080',
];

/** Measures it, and prints the tables. */
export async function benchReads() {
  await buildFill();
  for (const events of SIZES) await withWorker((system) => measure(system, events));
  await withWorker(recount);
}

/** @param {import('./system.mjs').System} system @param {number} events */
async function measure(system, events) {
  await fill(system, events, usersOf(events), DAYS);
  const day = (/** @type {number} */ ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const range = `startDate=${day(DAYS - 1)}&endDate=${day(0)}`;
  console.log(`\n${events} events of ${usersOf(events)} users in ${DAYS} days\n`);
  console.log('| call | p50, ms | p95, ms | rows read |\n|---|--:|--:|--:|');
  for (const path of paths(range)) {
    const headers = { authorization: `Bearer ${system.secrets.readToken}` };
    const { at, last } = await timed(WARM_UP, CALLS, () => fetch(`${system.url}/v1/analytics/${path}`, { headers }));
    const rows = /rows_read=(\d+)/.exec(last?.headers.get('server-timing') ?? '')?.[1] ?? '';
    console.log(
      `| \`${path.replace(`&${range}`, '').replace(`?${range}`, '')}\` | ${at(0.5)} | ${at(0.95)} | ${rows} |`,
    );
  }
}

/** @param {import('./system.mjs').System} system */
async function recount(system) {
  await fill(system, RECOUNTED, usersOf(RECOUNTED), 1);
  const worker = await system.miniflare.getWorker();
  const start = performance.now();
  await worker.scheduled({ cron: '* * * * *' });
  const took = performance.now() - start;
  const database = await system.miniflare.getD1Database('DB');
  const { results } = await database
    .prepare("SELECT done_for, (SELECT count(*) FROM repairs) AS repairs FROM jobs WHERE job = 'recount'")
    .all();
  if (!(Number(results[0]?.done_for) > 0)) throw new Failure('the recount did not finish in its first run');
  console.log(
    `\na run of the cron with the recount of ${RECOUNTED} events of a day: ${took.toFixed(0)} ms, ` +
      `${results[0]?.repairs} rows mended`,
  );
}
