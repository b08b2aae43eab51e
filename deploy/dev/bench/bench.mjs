// `npm run bench`: how fast the built worker takes batches, on workerd itself. BENCH_SECONDS is the length of a run.
// With `watch`, what Shoreline's own events and lines in the log cost; with `tracker`, what the tracker costs a page;
// with `import`, how fast a file is imported; with `lake`, how the lake keeps up; with `live`, how long an event takes
// into the live stream; with `kept`, how many bytes an event keeps; with `reads`, how fast the dashboard's answers are;
// with `questions`, how fast those from the archive are; with `sites`, what quiet sites feel of a hot one;
// with `instructions`, what judging an event costs, counted; with `versus`, all of it beside a TypeScript worker
// (tests/bench/); `cost` makes docs/COST.md of what that counted.
import { fileURLToPath } from 'node:url';
import { writeCost } from '../../../tests/bench/cost.mjs';
import { benchVersus } from '../../../tests/bench/versus.mjs';
import { benchImport } from './import.mjs';
import { benchInstructions } from './instructions.mjs';
import { benchKept } from './kept.mjs';
import { benchLake } from './lake.mjs';
import { benchLive } from './live.mjs';
import { benchQuestions } from './questions.mjs';
import { benchReads } from './reads.mjs';
import { benchSites } from './sites.mjs';
import { withWorker } from './system.mjs';
import { benchTracker } from './tracker.mjs';
import { benchWatch } from './watch.mjs';
import { build } from '../build/build.mjs';
import { Failure, main, runShown } from '../base/process.mjs';
import { tools } from '../base/project.mjs';

const SECONDS = process.env.BENCH_SECONDS ?? '5';
const ORIGIN = 'http://localhost:8787';

main(async () => {
  // Native code alone: no worker is built.
  if (process.argv.includes('instructions')) return benchInstructions();
  if (process.argv.includes('cost')) return writeCost();
  if (process.argv.includes('kept')) return benchKept();
  await build();
  if (process.argv.includes('tracker')) return benchTracker();
  if (process.execPath !== tools.node) {
    // Miniflare wants the Node that set-up installed.
    process.exitCode = await runShown(tools.node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
    return;
  }
  if (process.argv.includes('versus')) return benchVersus(process.argv);
  if (process.argv.includes('import')) return benchImport();
  if (process.argv.includes('reads')) return benchReads();
  if (process.argv.includes('questions')) return benchQuestions(ORIGIN);
  if (process.argv.includes('watch')) return benchWatch(ORIGIN);
  if (process.argv.includes('live')) return benchLive(ORIGIN);
  if (process.argv.includes('sites')) return benchSites(ORIGIN);
  const code = await runShown('cargo', ['build', '--release', '-p', 'shoreline-tests', '--bin', 'load']);
  if (code !== 0) throw new Failure('the load generator could not be built');
  if (process.argv.includes('lake')) return benchLake(SECONDS, ORIGIN);
  await withWorker(async ({ url, pid, secrets }) => {
    await runShown('target/release/load', [url, secrets.browserKey, ORIGIN, pid, SECONDS]);
  });
});
