// `npm run lake -- ls`, `pull DIR` and `erase --user ID`: the objects of the local lake, whether the system runs or
// not; erase also those of any bucket that speaks S3. `rebuild --from DATE --to DATE`: a running system's D1 from its
// lake.
import { createWriteStream, mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { s3Bucket, startLocal, withLocalBucket } from './bucket.mjs';
import { erase } from './erase.mjs';
import { rebuild } from './rebuild.mjs';
import { Failure, main, runShown } from '../base/process.mjs';
import { packagesInstalled, stateDir, tools } from '../base/project.mjs';
import { installPackages } from '../setup/setup.mjs';

const USAGE = `usage: npm run lake -- ls
       npm run lake -- pull DIR
       npm run lake -- erase --user ID [--user ID …] [--site SITE] [--bucket NAME [--endpoint URL] [--region REGION]]
       npm run lake -- rebuild --from DATE --to DATE [--after KEY] [--url URL]`;

/**
 * An object, as the reader lists it.
 * @typedef {{ key: string, size: number, uploaded: string, customMetadata: Record<string, string> }} LakeObject
 */

/**
 * A worker that reads the lake, run beside the system on the same state. Under other prefixes the bucket holds other
 * things.
 */
const READER = `export default {
  async fetch(request, { LAKE }) {
    const query = new URL(request.url).searchParams;
    if (query.has('key')) {
      const object = await LAKE.get(query.get('key'));
      return new Response(object?.body, { status: object ? 200 : 404 });
    }
    const from = query.get('cursor') ?? undefined;
    const { objects, cursor } = await LAKE.list({ prefix: 'events/', cursor: from, include: ['customMetadata'] });
    const told = ({ key, size, uploaded, customMetadata }) => ({ key, size, uploaded, customMetadata });
    return Response.json({ cursor, objects: objects.map(told) });
  },
};`;

/** Asks the reader. @typedef {(query: Record<string, string>) => Promise<import('miniflare').Response>} Ask */

/**
 * Does `work` with a way to ask the reader.
 * @param {(ask: Ask) => Promise<void>} work
 */
async function withLake(work) {
  const miniflare = await startLocal(READER);
  try {
    await work(async (query) => {
      const answer = await miniflare.dispatchFetch(`http://lake/?${new URLSearchParams(query)}`);
      if (answer.status >= 500)
        throw new Failure(`the lake in ${stateDir} could not be read: ${(await answer.text()).slice(0, 300)}`);
      return answer;
    });
  } finally {
    await miniflare.dispose();
  }
}

/** Every object, page by page. @param {Ask} ask @returns {AsyncGenerator<LakeObject>} */
async function* objects(ask) {
  let cursor;
  do {
    const answer = await ask(cursor ? { cursor } : {});
    const page = /** @type {{ objects: LakeObject[], cursor?: string }} */ (await answer.json());
    yield* page.objects;
    cursor = page.cursor;
  } while (cursor);
}

/** @param {Ask} ask */
async function list(ask) {
  let count = 0;
  let bytes = 0;
  for await (const { key, size, uploaded, customMetadata } of objects(ask)) {
    const metadata = Object.entries(customMetadata).map(([name, value]) => `${name}=${value}`);
    console.log([uploaded, String(size).padStart(9), key, ...metadata].join('  '));
    count += 1;
    bytes += size;
  }
  console.log(`${count} objects, ${bytes} bytes`);
}

/**
 * Copies every object into a folder, under its key.
 * @param {Ask} ask
 * @param {string} folder
 */
async function pull(ask, folder) {
  let count = 0;
  for await (const { key } of objects(ask)) {
    const path = pathFor(folder, key);
    const { status, body } = await ask({ key });
    // Deleted since it was listed.
    if (status === 404) continue;
    mkdirSync(dirname(path), { recursive: true });
    // Whole or not at all: what reads the folder meanwhile sees no half of an object.
    const draft = `${path}.${process.pid}.part`;
    await pipeline(body ? Readable.fromWeb(body) : Readable.from([]), createWriteStream(draft));
    await rename(draft, path);
    count += 1;
  }
  console.log(`${count} objects in ${folder}`);
}

/**
 * Where an object is copied to: below the folder, or nowhere.
 * @param {string} folder
 * @param {string} key
 */
function pathFor(folder, key) {
  const path = resolve(folder, key);
  if (
    !path.startsWith(folder + sep) ||
    key.split('/').some((part) => ['', '.', '..'].includes(part)) ||
    key.includes('\0')
  ) {
    throw new Failure(`the key ${JSON.stringify(key)} is no path below ${folder}; nothing was written for it`);
  }
  return path;
}

/**
 * Erases a user, by all the ids that are given, from the local lake, or from that of a bucket.
 * @param {string[]} args
 */
async function eraseFrom(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  let values;
  try {
    const user = /** @type {const} */ ({ type: 'string', multiple: true });
    ({ values } = parseArgs({ args, options: { user, site: text, bucket: text, endpoint: text, region: text } }));
  } catch {
    throw new Failure(USAGE);
  }
  const { user: users = [], site, bucket, endpoint, region } = values;
  // An id is never empty, and an empty one here is a variable that was not set.
  const isNobody = users.length === 0 || users.includes('');
  if (isNobody || site === '' || bucket === '' || (!bucket && (endpoint || region))) throw new Failure(USAGE);
  if (bucket) return erase(await s3Bucket({ bucket, endpoint, region }), { users, site });
  return withLocalBucket((local) => erase(local, { users, site }));
}

/** @param {string[]} args */
async function rebuildFrom(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  let values;
  try {
    ({ values } = parseArgs({ args, options: { from: text, to: text, after: text, url: text } }));
  } catch {
    throw new Failure(USAGE);
  }
  const { from, to, after, url } = values;
  if (!from || !to || after === '' || url === '') throw new Failure(USAGE);
  return rebuild({ from, to, after, url });
}

/** @param {string[]} args */
async function lake([command, ...rest]) {
  const [folder] = rest;
  if (command === 'ls' && rest.length === 0) return withLake(list);
  if (command === 'pull' && folder && rest.length === 1) return withLake((ask) => pull(ask, resolve(folder)));
  if (command === 'erase') return eraseFrom(rest);
  if (command === 'rebuild') return rebuildFrom(rest);
  throw new Failure(USAGE);
}

main(async () => {
  if (!packagesInstalled()) await installPackages();
  const args = process.argv.slice(2);
  // Miniflare, like Wrangler, needs the project's Node.
  if (process.execPath === tools.node) return lake(args);
  process.exitCode = await runShown(tools.node, [fileURLToPath(import.meta.url), ...args]);
});
