// `npm run bench -- cost`: docs/COST.md, made of the operations that `versus --counted` last kept (counted.json) and of
// list prices. Nothing is measured here.
import { readFileSync, writeFileSync } from 'node:fs';
import { at } from '../../deploy/dev/base/project.mjs';
import { FREE } from './free.mjs';
import { dollars, priceTable, PRICES } from './prices.mjs';

/** @typedef {import('./prices.mjs').Use} Use */
/**
 * A run: its name, events a batch, pace, and how often each thing was used, an event.
 * @typedef {{ name: string, events: number, pace: string, use: Use }} Kept
 */

const KEPT = at('tests', 'bench', 'counted.json');
const PAGE = at('docs', 'COST.md');

/**
 * What AWS takes on demand in us-east-1, dollars a million; list prices of November 2026, nothing included for free.
 */
const AWS = {
  apiRequests: { price: 1, unit: 'requests of an API Gateway HTTP API' },
  lambdaRequests: { price: 0.2, unit: 'invocations of Lambda' },
  lambdaMs: { price: 0.008333, unit: 'ms of Lambda with 512 MB' },
  writes: { price: 0.625, unit: 'write units of DynamoDB, 1 KB each; an index takes its own' },
  reads: { price: 0.125, unit: 'read units of DynamoDB, 4 KB each; half a unit where an old value will do' },
  events: { price: 1, unit: 'events of EventBridge, 64 KB each' },
  puts: { price: 5, unit: 'puts of S3' },
  kafkaBytes: { price: 0.0001, unit: 'bytes through MSK Serverless ($0.10 a GB in)' },
};

/** A stored event of the services on AWS, KB: an estimate by the row that the DynamoDB service shows, with its keys. */
const EVENT_KB = 0.7;

/** How long the DynamoDB service's Lambda takes for a batch of one, and of 25, ms: what its own document says. */
const LAMBDA_MS = { one: 50, many: 200 };

/** How often the DynamoDB service's hourly job reads a day's events: 24 times, the day being the one before. */
const READ_AGAIN = 24;

/** @typedef {Partial<Record<keyof typeof AWS, number>>} AwsUse */

/**
 * The DynamoDB service: an API, a Lambda, a row with an index for each event, an hourly job that reads a day again.
 * @param {number} batch @returns {AwsUse} an event
 */
const admin = (batch) => ({
  apiRequests: 1 / batch,
  lambdaRequests: 1 / batch,
  lambdaMs: (LAMBDA_MS.one + ((LAMBDA_MS.many - LAMBDA_MS.one) * (batch - 1)) / 24) / batch,
  writes: 2 * Math.ceil(EVENT_KB),
  reads: (READ_AGAIN * EVENT_KB) / 4 / 2,
});

/**
 * The Kafka service: an API, a Lambda, EventBridge or Kafka, a row and an object of S3 for each event.
 * @param {number} batch @returns {AwsUse} an event
 */
const archived = (batch) => ({
  apiRequests: 1 / batch,
  lambdaRequests: 1 / batch,
  lambdaMs: LAMBDA_MS.one / batch,
  kafkaBytes: EVENT_KB * 1000,
  writes: Math.ceil(EVENT_KB),
  puts: 1,
});

/** Dollars a million events. @param {AwsUse} use an event */
const awsDollars = (use) =>
  Object.entries(use).reduce((sum, [name, n]) => sum + n * AWS[/** @type {keyof typeof AWS} */ (name)].price, 0);

/**
 * What storage costs: an event's bytes in the archive (`npm run bench -- kept`) and in the lake, dollars a GB and
 * month.
 */
const STORED = { archiveBytes: 120, archivePrice: 0.2, lakeBytes: 86, lakePrice: 0.015 };

/** Bytes of an object at most. */
const OBJECT_BYTES = 10e9;

/** Messages a second that a queue takes, and events in one of 128,000 bytes: a stored line has some 600. */
const [MESSAGES, MESSAGE_EVENTS] = [5_000, 128_000 / 600];

/** Days that events are kept by default. */
const DAYS = 30;

/** Keeps what was counted. @param {import('./counted.mjs').Counted[]} all */
export function keep(all) {
  const kept = all.map(({ name, events, pace, use }) => ({ name, events, pace, use }));
  writeFileSync(KEPT, `${JSON.stringify(kept, null, 1)}\n`);
}

/** Writes the page. */
export function writeCost() {
  writeFileSync(PAGE, costPage(JSON.parse(readFileSync(KEPT, 'utf8'))));
}

const money = (/** @type {number} */ sum) => `$${sum.toFixed(2)}`;

/** What each kind of operation costs of a run, the dearest first. @param {Use} use */
function parts(use) {
  const each = Object.entries(PRICES).map(([name, { price }]) => ({
    name,
    sum: use[/** @type {keyof Use} */ (name)] * price,
  }));
  return each
    .filter(({ sum }) => sum >= 0.005)
    .sort((a, b) => b.sum - a.sum)
    .map(({ name, sum }) => `${WORDS[name] ?? name} ${sum.toFixed(2)}`)
    .join(', ');
}

/** @type {Record<string, string>} */
const WORDS = {
  requests: 'requests',
  cpuMs: 'CPU',
  objectRequests: 'object requests',
  objectRowsWritten: 'object rows written',
  objectRowsRead: 'object rows read',
  d1RowsWritten: 'D1 rows written',
  d1RowsRead: 'D1 rows read',
  queueOperations: 'queue',
  r2Puts: 'R2 puts',
  r2Gets: 'R2 reads',
  kvReads: 'KV reads',
  kvWrites: 'KV writes',
  logLines: 'log',
};

/** @param {Kept[]} kept */
export function costPage(kept) {
  const ours = kept.filter(({ name }) => name === 'Shoreline');
  const rows = ours.map(({ events, pace, use }) => {
    const peer = kept.find((each) => each.name === 'TypeScript' && each.events === events && each.pace === pace);
    const cells = [
      events,
      pace,
      `**${money(dollars(use))}**`,
      peer ? money(dollars(peer.use)) : '',
      money(awsDollars(admin(events))),
      money(awsDollars(archived(events))),
      parts(use),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const storage = (STORED.archiveBytes * STORED.archivePrice + STORED.lakeBytes * STORED.lakePrice) / 1000;
  const held = OBJECT_BYTES / STORED.archiveBytes / 1e6;
  const daily = held / DAYS;
  const aws = Object.values(AWS).map(({ price, unit }) => `| ${price} | ${unit} |`);
  const queued = ((MESSAGES * MESSAGE_EVENTS) / 1e6).toFixed(1);
  /** What ends first, when that is, and what moves it. */
  const limits = [
    [
      `one archive object holds 10 GB: some ${held.toFixed(0)} million events of ${STORED.archiveBytes} bytes`,
      `a single site with ${daily.toFixed(1)} million events a day at ${DAYS} days`,
      '`ARCHIVE_SHARDS` of a new site, a call for one that is there (1 to 16); `RETENTION_DAYS`; more sites',
    ],
    [
      'one log object takes some 1,000 requests a second',
      'a single site with 1,000 batches a second',
      '`SITE_SHARDS` (1 to 64)',
    ],
    [
      'the queue takes 5,000 messages a second, each up to 128 KB',
      `some ${queued} million events a second`,
      'another queue',
    ],
    [
      'D1 holds 10 GB of sums',
      'they grow with days and distinct keys, not with events',
      'a deployment for a group of sites',
    ],
  ];
  return `# Cost and scale

What a million events cost on Cloudflare, what the same events would cost otherwise, and which limit a growing site
meets first. The tables come from two sources: the operations that \`npm run bench -- versus --counted\` counted
([BENCHMARKS.md](BENCHMARKS.md)), and list prices. Nothing that a plan includes for free is subtracted. This page is
written by \`npm run bench -- cost\`: change a price in \`tests/bench/prices.mjs\` or \`tests/bench/cost.mjs\` and
run it again.

## A million events

A *busy* site sends 40 batches a second. A *quiet* site sends a batch every two seconds, which is a million events in
five days at 5 events a batch; on such a site no two batches share a message or an object.

| events a batch | site | Shoreline | TypeScript worker | DynamoDB service | Kafka service | of Shoreline's price |
|--:|---|--:|--:|--:|--:|---|
${rows.join('\n')}

- The *TypeScript worker* is what one would write instead (\`tests/bench/typescript/\`). It has no lake and no read
  models.
- The *DynamoDB service* is API Gateway, Lambda (${LAMBDA_MS.one} ms for one event, ${LAMBDA_MS.many} ms for 25, as the
  service's document says), a DynamoDB row of ${EVENT_KB} KB (an estimate) with one index, and an hourly job that reads
  the day before ${READ_AGAIN} times.
- The *Kafka service* has the same API Gateway and Lambda, then Kafka, a DynamoDB row, and an S3 object for each event.
- Storage costs ${money(storage)} a month for a million events: ${STORED.archiveBytes} bytes an event in the archive and
  ${STORED.lakeBytes} bytes in R2.
- The figures leave out reading (dashboards, Athena), crons, and the time that a Durable Object stays in memory. They
  also leave out folds and merges: an archive folds when the day is over or many segments wait, and merges small
  segments later, and the measured runs end before that. Folds were not counted; a merge writes 0.04 to 0.08 rows an
  event.

## A billion events a day

A billion events a day are 11,600 events a second, or 460 batches of 25. At the peak of a day it is some three times as
many. The limits are met in this order:

| limit | reached by | what moves it |
|---|---|---|
${limits.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}

So a billion events a day need some ${Math.ceil(1000 / daily)} sites of ${daily.toFixed(1)} million events a day each.
One site cannot take them all: with 16 archives it has room for some ${Math.floor(16 * daily)} million events a day.

${FREE}## Prices

Cloudflare, Workers Paid:

${priceTable()}

AWS, us-east-1, on demand:

| $ a million | |
|--:|---|
${aws.join('\n')}
`;
}
