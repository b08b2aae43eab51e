// Real user agents out of node_modules, as JSON, for the tests that hold the worker's tables to them:
// what crawlers send, what browsers send, and what ua-parser-js reads in browsers' agents.
import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isProgram } from '../base/process.mjs';
import { at } from '../base/project.mjs';

const UaParser = createRequire(import.meta.url)('ua-parser-js');

/** @param {string} path below node_modules */
const bytes = (path) => readFileSync(at('node_modules', path));

/** @param {string} path below node_modules */
const json = (path) => JSON.parse(bytes(path).toString());

/** Each once, in order. @param {string[]} agents */
const distinct = (agents) => [...new Set(agents)].sort();

/** Agents of real visitors, from two years, each once. */
function browsers() {
  const visits = [
    ...json('user-agents/dist/user-agents.json'),
    ...JSON.parse(gunzipSync(bytes('browser-agents-old/src/user-agents.json.gz')).toString()),
  ];
  return distinct(visits.map((visit) => visit.userAgent));
}

/** The agents of ua-parser-js's own tests. */
const fixtures = () =>
  distinct(
    ['browser', 'os', 'device'].flatMap((of) =>
      json(`ua-parser-fixtures/test/${of}-test.json`).map((/** @type {{ ua: string }} */ { ua }) => ua),
    ),
  );

/** What ua-parser-js reads. @param {string} agent */
function read(agent) {
  const { browser, os, device } = new UaParser(agent).getResult();
  return { agent, browser: browser.name, os: os.name, device: device.type };
}

/** All of them. */
export function knownAgents() {
  const crawlers = json('crawler-user-agents/crawler-user-agents.json').flatMap(
    (/** @type {{ instances?: string[] }} */ { instances }) => instances ?? [],
  );
  return { crawlers: distinct(crawlers), browsers: browsers(), fixtures: fixtures() };
}

if (isProgram(import.meta.url)) {
  const { crawlers, browsers: inUse, fixtures: tested } = knownAgents();
  process.stdout.write(JSON.stringify({ crawlers, browsers: inUse.map(read), fixtures: tested.map(read) }));
}
