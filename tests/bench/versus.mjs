// `npm run bench -- versus`: Shoreline beside what one would write instead, in one run. BENCH_ROUNDS and BENCH_SECONDS; `--quick` is
// one short round, `--counted` only the counted operations.
import { Failure, runLogged, runShown, say } from '../../deploy/dev/process.mjs';
import { at, tools } from '../../deploy/dev/project.mjs';
import { agree } from './agree.mjs';
import { counted, countedTable } from './counted.mjs';
import { keep, writeCost } from './cost.mjs';
import { priceTable } from './prices.mjs';
import { run } from './run.mjs';
import { goals } from './goals.mjs';
import { NAMES, startSystems, stopAll } from './systems.mjs';
import { table } from './table.mjs';

/** @typedef {import('./run.mjs').Path} Path */
/** @typedef {{ path: Path, connections: number, name: string, figures: import('./run.mjs').Figures[] }} Cell */

const ALL = { paths: /** @type {Path[]} */ (['empty', 'validate', 'full']), connections: [1, 16, 64] };
const QUICK = { paths: /** @type {Path[]} */ (['validate', 'full']), connections: [16] };

/** @param {string[]} options */
export async function benchVersus(options) {
  await runLogged('check the types of the peers', tools.tsc, ['-p', at('tests', 'bench', 'tsconfig.json')]);
  if ((await runShown('cargo', ['build', '--release', '-p', 'shoreline-tests', '--bin', 'load'])) !== 0) throw new Failure('the load generator could not be built');
  const quick = options.includes('--quick');
  const rounds = Number(process.env.BENCH_ROUNDS ?? (quick ? 1 : 3));
  const seconds = Number(process.env.BENCH_SECONDS ?? (quick ? 2 : 5));
  const onlyCounted = options.includes('--counted');
  const show = (/** @type {string} */ text) => console.log(`\n${text}\n`);
  const cells = onlyCounted ? [] : await timed({ ...(quick ? QUICK : ALL), rounds, seconds });
  if (cells.length > 0) show(table(cells));
  const operations = quick && !onlyCounted ? [] : await counted({ quick });
  if (operations.length > 0) show(`${countedTable(operations)}\n\n${priceTable()}`);
  if (operations.length > 0 && !quick) {
    keep(operations);
    writeCost();
  }
  show(goals(cells, operations));
}

/**
 * All systems in turns, so that what else the machine does befalls all of them alike.
 * @param {{ paths: Path[], connections: number[], rounds: number, seconds: number }} plan
 * @returns {Promise<Cell[]>}
 */
async function timed({ paths, connections, rounds, seconds }) {
  const plan = paths.flatMap((path) => connections.map((each) => ({ path, connections: each })));
  const cells = plan.flatMap((each) => NAMES.map((name) => ({ ...each, name, figures: /** @type {Cell['figures']} */ ([]) })));
  for (let round = 0; round < rounds; round++) {
    const systems = await startSystems();
    try {
      await agree(systems);
      for (const { path, connections } of plan) {
        // Another one first each time.
        for (let turn = 0; turn < systems.length; turn++) {
          const system = systems[(round + turn) % systems.length];
          const figures = await run(system, path, connections, { seconds, warmUp: seconds / 2 });
          say(`round ${round + 1}, ${path}, ${connections} connections, ${system.name}: ${figures.rate.toFixed(0)}/s, ${figures.cpu.toFixed(0)} µs, load ${figures.ownCpu.toFixed(2)} of a core`);
          cells.find((cell) => cell.path === path && cell.connections === connections && cell.name === system.name)?.figures.push(figures);
        }
      }
    } finally {
      await stopAll(systems);
    }
  }
  return cells;
}
