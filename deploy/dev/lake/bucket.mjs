// The bucket that holds a lake, read and replaced object by object: the local R2, or any that speaks S3.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lakeBucket } from '../base/config.mjs';
import { Failure } from '../base/process.mjs';
import { persistRoot, stateDir } from '../base/project.mjs';

/** @typedef {{ bytes: Uint8Array, etag: string, metadata: Record<string, string>, contentType?: string }} Found */

/**
 * @typedef {object} Bucket
 * @property {(prefix: string) => AsyncGenerator<string>} keys every key below a prefix
 * @property {(key: string) => Promise<Found | undefined>} get
 * @property {(key: string, bytes: Uint8Array, previous?: Found) => Promise<boolean>} put in the place of `previous`,
 *   with its metadata, or of nothing; false if something else is there by now
 * @property {(key: string) => Promise<void>} remove
 */

/**
 * Starts the local R2, beside the system or without it.
 * @param {string} script a worker with the binding LAKE
 */
export async function startLocal(script) {
  if (!existsSync(join(persistRoot, 'r2')))
    throw new Failure(`there is no lake in ${stateDir} yet; npm start makes it`);
  const { Miniflare, convertV4MiniflareOptions } = await import('miniflare');
  return new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script,
      resourcePersistencePath: persistRoot,
      r2Buckets: { LAKE: lakeBucket() },
      cf: false,
    }),
  );
}

/**
 * A worker that does one call on the bucket: `call` in the query, what is put in the body. What is told of an object
 * goes into a header. Miniflare's own stand-in for a bucket does the same at a tenth of the speed.
 */
const WORKER = `export default {
  async fetch(request, { LAKE }) {
    const { method, key, options } = JSON.parse(new URL(request.url).searchParams.get('call'));
    if (method === 'list') return Response.json(await LAKE.list(options));
    if (method === 'delete') return Response.json((await LAKE.delete(key)) ?? null);
    if (method === 'put') return Response.json((await LAKE.put(key, await request.arrayBuffer(), options)) !== null);
    const found = await LAKE.get(key);
    if (found === null) return new Response(null, { status: 404 });
    const { etag, customMetadata: metadata, httpMetadata: { contentType } } = found;
    const facts = encodeURIComponent(JSON.stringify({ etag, metadata, contentType }));
    return new Response(found.body, { headers: { facts } });
  },
};`;

/**
 * Does `work` with the local bucket.
 * @param {(bucket: Bucket) => Promise<void>} work
 */
export async function withLocalBucket(work) {
  const miniflare = await startLocal(WORKER);
  try {
    await work(local(miniflare));
  } finally {
    await miniflare.dispose();
  }
}

/** @param {import('miniflare').Miniflare} miniflare @returns {Bucket} */
function local(miniflare) {
  /** @param {object} call @param {Uint8Array} [body] */
  async function ask(call, body) {
    const url = `http://lake/?${new URLSearchParams({ call: JSON.stringify(call) })}`;
    const answer = await miniflare.dispatchFetch(url, body ? { method: 'PUT', body } : {});
    if (answer.ok || answer.status === 404) return answer;
    throw new Failure(`the lake in ${stateDir} could not be used: ${(await answer.text()).slice(0, 300)}`);
  }
  return {
    async *keys(prefix) {
      let cursor;
      do {
        const page = /** @type {any} */ (await (await ask({ method: 'list', options: { prefix, cursor } })).json());
        for (const { key } of page.objects) yield key;
        cursor = page.truncated ? page.cursor : undefined;
      } while (cursor);
    },
    async get(key) {
      const answer = await ask({ method: 'get', key });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (answer.status === 404) return undefined;
      return { bytes, ...JSON.parse(decodeURIComponent(answer.headers.get('facts') ?? '{}')) };
    },
    async put(key, bytes, previous) {
      const onlyIf = previous ? { etagMatches: previous.etag } : { etagDoesNotMatch: '*' };
      const options = {
        onlyIf,
        httpMetadata: { contentType: previous?.contentType },
        customMetadata: previous?.metadata,
      };
      return /** @type {boolean} */ (await (await ask({ method: 'put', key, options }, bytes)).json());
    },
    async remove(key) {
      await (await ask({ method: 'delete', key })).json();
    },
  };
}

/**
 * A bucket that speaks S3, with the key that the AWS SDK finds (AWS_ACCESS_KEY_ID, a profile, a role).
 * @param {{ bucket: string, endpoint?: string, region?: string }} where
 * @returns {Promise<Bucket>}
 */
export async function s3Bucket({ bucket: Bucket, endpoint, region }) {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    // Other endpoints than AWS's know neither its regions nor its checksums, nor buckets as host names.
    ...(endpoint && { endpoint, region: process.env.AWS_REGION ?? 'auto', forcePathStyle: true }),
    ...(region && { region }),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  /**
   * Does a call; what it answers with `codes` is no failure.
   * @template T
   * @param {() => Promise<T>} call
   * @param {number[]} codes
   * @returns {Promise<T | undefined>}
   */
  async function ask(call, ...codes) {
    try {
      return await call();
    } catch (error) {
      const { name, message, $metadata } = /** @type {any} */ (error);
      if (codes.includes($metadata?.httpStatusCode)) return undefined;
      throw new Failure(`the bucket ${Bucket} could not be used: ${name}: ${message}`);
    }
  }
  return {
    async *keys(Prefix) {
      const pages = sdk.paginateListObjectsV2({ client }, { Bucket, Prefix });
      for (let page; (page = await ask(() => pages.next())) && !page.done; ) {
        for (const { Key } of page.value.Contents ?? []) if (Key) yield Key;
      }
    },
    async get(Key) {
      const found = await ask(() => client.send(new sdk.GetObjectCommand({ Bucket, Key })), 404);
      const bytes = await ask(async () => found?.Body?.transformToByteArray());
      return (
        found && {
          bytes: bytes ?? new Uint8Array(),
          etag: found.ETag ?? '',
          metadata: found.Metadata ?? {},
          contentType: found.ContentType,
        }
      );
    },
    async put(Key, Body, previous) {
      const condition = previous ? { IfMatch: previous.etag } : { IfNoneMatch: '*' };
      const { metadata: Metadata, contentType: ContentType } = previous ?? {};
      // 412: something else is there. 409: another write at the same moment. 404: deleted since it was read.
      return (
        (await ask(
          () => client.send(new sdk.PutObjectCommand({ Bucket, Key, Body, Metadata, ContentType, ...condition })),
          404,
          409,
          412,
        )) !== undefined
      );
    },
    async remove(Key) {
      await ask(() => client.send(new sdk.DeleteObjectCommand({ Bucket, Key })));
    },
  };
}
