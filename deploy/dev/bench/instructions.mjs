// `npm run bench -- instructions`: what judging an event costs, in instructions that valgrind counts, so that it is the
// same number in every run on a machine. Fails where a kept figure is exceeded by 5 %, or where twice the bytes cost
// much more than twice the instructions. `--keep` keeps the figures of this run.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batches } from '../../demo/live.mjs';
import { Failure, outputOf, runShown, say } from '../base/process.mjs';
import { at } from '../base/project.mjs';

const KEPT = at('deploy', 'dev', 'bench', 'instructions.json');

/** The least and the most batches: what they cost apart is free of what starting costs. */
const [FEW, MANY] = [10, 30];

/** Events in a batch of the program's. */
const EVENTS = 25;

/** By how much a figure may exceed the kept one; other processors have other routines for copying memory. */
const TOLERANCE = 1.05;

/** What doubling the bytes may cost at most. Sorting and tables that double are a little more than linear. */
const DOUBLE = 2.3;

const TRAFFIC = ['plain view', 'campaign view', 'feature', 'vital', 'error', 'mixed'];

const HOSTILE = [
  'deep',
  'keys',
  'items',
  'cards',
  'short cards',
  'addresses',
  'addresses behind one another',
  'tokens',
  'encoded',
  'escapes',
  'slashes',
  'parameters',
];

/** Bytes of a hostile event, before and after doubling: the most that an event may have is 32 KiB. */
const BYTES = [14_000, 28_000];

/** @param {string} kind @param {'pass' | 'tree'} way @param {number} batches */
async function count(kind, way, batches) {
  const args = [
    '--tool=cachegrind',
    '--cache-sim=no',
    '--cachegrind-out-file=/dev/null',
    'target/release/instructions',
    kind,
    way,
    `${batches}`,
  ];
  const counted = await outputOf('sh', ['-c', 'exec valgrind "$@" 2>&1', 'sh', ...args]);
  const found = /I\s+refs:\s+([\d,]+)/.exec(counted ?? '');
  if (!found)
    throw new Failure(`valgrind counted nothing of ${kind} (${way}): ${(counted ?? 'it failed').slice(-300)}`);
  return Number(found[1].replaceAll(',', ''));
}

/** @param {string} kind @param {'pass' | 'tree'} way @param {number} events */
async function each(kind, way, events) {
  const [few, many] = [await count(kind, way, FEW), await count(kind, way, MANY)];
  return Math.round((many - few) / ((MANY - FEW) * events));
}

/** The moment at which the program judges, Unix milliseconds. */
const NOW = 1_705_334_400_000;

/** Batches of the demo's pages that are looked at. */
const DEMO_BATCHES = 2_000;

/** How many of the events that the demo's pages send take the pass. */
async function share() {
  const folder = mkdtempSync(join(tmpdir(), 'shoreline-share-'));
  try {
    const bodies = [];
    for (const { batchId, source, acts } of batches('share', Math.floor(NOW / 86_400_000))) {
      if (source !== undefined) continue;
      const events = acts.map(({ after: _, source: __, ...event }, index) => ({
        ...event,
        metadata: { platform: 'web' },
        timestamp: NOW - 1_000 + index,
      }));
      bodies.push(JSON.stringify({ batchId, sentAt: NOW, dropped: 0, events }));
      if (bodies.length === DEMO_BATCHES) break;
    }
    const file = join(folder, 'bodies');
    writeFileSync(file, bodies.join('\n'));
    return (await outputOf('target/release/instructions', ['share', file]))?.trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function benchInstructions() {
  if ((await outputOf('valgrind', ['--version'])) === undefined)
    throw new Failure('valgrind, which counts the instructions, was not found; on Debian: apt install valgrind');
  const built = await runShown('cargo', ['build', '--release', '-p', 'shoreline-tests', '--bin', 'instructions']);
  if (built !== 0) throw new Failure('the program could not be built');
  /** @type {Record<string, number>} */
  const kept = JSON.parse(readFileSync(KEPT, 'utf8'));
  /** @type {Record<string, number>} */
  const now = {};
  const problems = [];
  say('instructions an event');
  const row = (/** @type {string[]} */ ...cells) =>
    cells.map((cell, n) => (n === 0 ? cell.padEnd(32) : cell.padStart(n === 3 ? 8 : 10))).join('');
  console.log(row('traffic', 'tree', 'pass', 'share', 'kept'));
  for (const kind of TRAFFIC) {
    const [tree, pass] = [await each(kind, 'tree', EVENTS), await each(kind, 'pass', EVENTS)];
    now[kind] = pass;
    console.log(row(kind, `${tree}`, `${pass}`, `${Math.round((100 * pass) / tree)} %`, `${kept[kind] ?? '-'}`));
    if (pass > (kept[kind] ?? Number.POSITIVE_INFINITY) * TOLERANCE)
      problems.push(`${kind}: ${pass} instructions, ${kept[kind]} were kept`);
  }
  say(`twice the bytes (${BYTES.join(' and ')}), one event`);
  console.log(`${'event'.padEnd(32)}${'once'.padStart(10)}${'twice'.padStart(10)}${'ratio'.padStart(8)}`);
  for (const kind of HOSTILE) {
    const [once, twice] = [await each(`${kind}:${BYTES[0]}`, 'pass', 1), await each(`${kind}:${BYTES[1]}`, 'pass', 1)];
    const ratio = twice / once;
    console.log(`${kind.padEnd(32)}${`${once}`.padStart(10)}${`${twice}`.padStart(10)}${ratio.toFixed(2).padStart(8)}`);
    if (ratio > DOUBLE) problems.push(`${kind}: twice the bytes cost ${ratio.toFixed(2)} times as much`);
  }
  say(`events of the demo's pages that take the pass: ${await share()}`);
  if (process.argv.includes('--keep')) writeFileSync(KEPT, `${JSON.stringify(now, undefined, 2)}\n`);
  else if (problems.length) throw new Failure(problems.join('; '));
}
