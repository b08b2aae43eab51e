// The bucket that holds a lake, read and replaced object by object: the local R2, or any that speaks S3.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lakeBucket } from './config.mjs';
import { Failure } from './process.mjs';
import { persistRoot, stateDir } from './project.mjs';

/** @typedef {{ bytes: Uint8Array, etag: string, metadata: Record<string, string>, contentType?: string }} Found */

/**
 * @typedef {object} Bucket
 * @property {(prefix: string) => AsyncGenerator<string>} keys every key below a prefix
 * @property {(key: string) => Promise<Found | undefined>} get
 * @property {(key: string, bytes: Uint8Array, previous?: Found) => Promise<boolean>} put in the place of `previous`, with its
 *   metadata, or of nothing; false if something else is there by now
 * @property {(key: string) => Promise<void>} remove
 */

/**
 * Starts the local R2, beside the system or without it.
 * @param {string} script a worker with the binding LAKE
 */
export async function startLocal(script = 'export default {}') {
  if (!existsSync(join(persistRoot, 'r2'))) throw new Failure(`there is no lake in ${stateDir} yet; npm start makes it`);
  const { Miniflare, convertV4MiniflareOptions } = await import('miniflare');
  return new Miniflare(convertV4MiniflareOptions({ modules: true, script, resourcePersistencePath: persistRoot, r2Buckets: { LAKE: lakeBucket() }, cf: false }));
}

/**
 * Does `work` with the local bucket.
 * @param {(bucket: Bucket) => Promise<void>} work
 */
export async function withLocalBucket(work) {
  const miniflare = await startLocal();
  try {
    await work(local(await miniflare.getR2Bucket('LAKE')));
  } finally {
    await miniflare.dispose();
  }
}

/** @param {any} r2 @returns {Bucket} */
const local = (r2) => ({
  async *keys(prefix) {
    let cursor;
    do {
      const page = await r2.list({ prefix, cursor });
      for (const { key } of page.objects) yield key;
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
  },
  async get(key) {
    const found = await r2.get(key);
    if (!found) return undefined;
    const bytes = new Uint8Array(await found.arrayBuffer());
    return { bytes, etag: found.etag, metadata: found.customMetadata, contentType: found.httpMetadata?.contentType };
  },
  async put(key, bytes, previous) {
    const onlyIf = previous ? { etagMatches: previous.etag } : { etagDoesNotMatch: '*' };
    const httpMetadata = previous?.contentType ? { contentType: previous.contentType } : undefined;
    return (await r2.put(key, bytes, { onlyIf, httpMetadata, customMetadata: previous?.metadata })) !== null;
  },
  remove: (key) => r2.delete(key),
});

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
      return found && { bytes: bytes ?? new Uint8Array(), etag: found.ETag ?? '', metadata: found.Metadata ?? {}, contentType: found.ContentType };
    },
    async put(Key, Body, previous) {
      const condition = previous ? { IfMatch: previous.etag } : { IfNoneMatch: '*' };
      const { metadata: Metadata, contentType: ContentType } = previous ?? {};
      // 412: something else is there. 409: another write at the same moment. 404: deleted since it was read.
      return (await ask(() => client.send(new sdk.PutObjectCommand({ Bucket, Key, Body, Metadata, ContentType, ...condition })), 404, 409, 412)) !== undefined;
    },
    async remove(Key) {
      await ask(() => client.send(new sdk.DeleteObjectCommand({ Bucket, Key })));
    },
  };
}
