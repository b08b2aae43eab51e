// `npm run bench -- kept`: how many bytes the archive keeps of an event of the demo's traffic, and how long its answers
// take, without compaction and with it. BENCH_EVENTS (1,000,000 by default) in BENCH_DAYS (30), in messages of 25.
// Native code alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linesOf } from '../../demo/history.mjs';
import { Failure, runShown } from '../base/process.mjs';

const EVENTS = Number(process.env.BENCH_EVENTS ?? 1_000_000);
const DAYS = Number(process.env.BENCH_DAYS ?? 30);

/** The last of the days: always the same one, so that all runs have the same events. */
const LAST = 20_786;

/** A little more than is wanted: days have their weekdays. */
const MORE = 1.3;

/** When a line was received. @param {string} line */
const at = (line) => Number(/"receivedAt":(\d+)/.exec(line)?.[1]);

export async function benchKept() {
  const built = await runShown('cargo', ['build', '--release', '-p', 'shoreline-tests', '--example', 'kept']);
  if (built !== 0) throw new Failure('the program could not be built');
  const program = spawn('target/release/examples/kept', { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(program, 'exit');
  let left = EVENTS;
  for (let day = LAST - DAYS + 1; left > 0; day += 1) {
    const lines = linesOf('kept', day, { perDay: (EVENTS / DAYS) * MORE, today: LAST, until: Number.MAX_SAFE_INTEGER });
    lines.sort((a, b) => at(a) - at(b));
    const some = lines.slice(0, left);
    left -= some.length;
    if (!program.stdin.write(`${some.join('\n')}\n`)) await once(program.stdin, 'drain');
  }
  program.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Failure('the program failed');
}
