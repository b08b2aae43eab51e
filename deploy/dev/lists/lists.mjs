// `npm run lists`: writes the worker's tables of crawlers and spamming referrers from their kept lists, and says
// which patterns it drops or narrows because a person's agent matches them.
// `npm run lists -- --check` only says whether the tables still are what their sources make of them.
// `npm run lists -- --spam FILE` adds the hosts of a file, one a line, as the Matomo project keeps them.
import { writeFileSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { knownAgents } from './agents.mjs';
import { crawlerLines } from './crawler-lines.mjs';
import { Failure, main, say } from '../base/process.mjs';
import { at, readText } from '../base/project.mjs';

const SPAMMERS = 'worker/src/ingest/enrich/bots/spammers.txt';
const PEOPLE = 'worker/src/ingest/enrich/bots/people.txt';

/** @param {string} text */
const linesOf = (text) => text.split('\n').filter((line) => line !== '');

/** A host as browsers write it, without `www.`; undefined of what is none. @param {string} line */
function hostOf(line) {
  try {
    const host = new URL(`http://${line.trim()}`).hostname.replace(/^www\./, '');
    return /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(host) ? host : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The spamming hosts in order, each once; none below another, for a host stands for all below it.
 * @param {string[]} lines
 */
export function spammerLines(lines) {
  const hosts = new Set(lines.map(hostOf).filter((host) => host !== undefined));
  const isBelow = (/** @type {string} */ host) =>
    host.split('.').some((_, cut, labels) => cut > 0 && hosts.has(labels.slice(cut).join('.')));
  return [...hosts].filter((host) => !isBelow(host)).sort();
}

/** Agents of people: those that were gathered for this, and what browsers send by the samples of npm. */
function peoples() {
  const { browsers, fixtures } = knownAgents();
  const isProgram = (/** @type {string} */ agent) => /HeadlessChrome|PhantomJS|^curl/.test(agent);
  return [...linesOf(readText(PEOPLE)), ...[...browsers, ...fixtures].filter((agent) => !isProgram(agent))];
}

/** Every table, as it should be. @param {string[]} moreSpammers */
function tables(moreSpammers) {
  const list = JSON.parse(readText('node_modules/crawler-user-agents/crawler-user-agents.json'));
  const words = linesOf(readText('worker/src/ingest/enrich/bots/words.txt'));
  const { lines, changed } = crawlerLines(list, words, peoples());
  for (const { line, became, person } of changed) {
    say(`${became === undefined ? `dropped ${line}` : `narrowed ${line} to ${became}`}: it is in ${person}`);
  }
  return {
    'worker/src/ingest/enrich/bots/crawlers.txt': lines,
    [SPAMMERS]: spammerLines([...linesOf(readText(SPAMMERS)), ...moreSpammers]),
  };
}

main(async () => {
  const [flag, file] = process.argv.slice(2);
  if (![undefined, '--check', '--spam'].includes(flag) || (flag === '--spam') !== (file !== undefined)) {
    throw new Failure('npm run lists [-- --check | --spam FILE]');
  }
  for (const [path, lines] of Object.entries(tables(file ? linesOf(readFileSync(file, 'utf8')) : []))) {
    const text = lines.map((line) => `${line}\n`).join('');
    if (flag !== '--check') writeFileSync(at(path), text);
    else if (readText(path) !== text)
      throw new Failure(`${path} is not what its sources make of it; run npm run lists`);
    say(`${path}: ${lines.length} lines, ${text.length} bytes, ${gzipSync(text, { level: 9 }).length} gzipped`);
  }
});
