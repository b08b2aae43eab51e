// Puts the files of a folder into the local lake, as the worker puts its objects. `node fill.mjs DIR`
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { startLocal } from '../../deploy/dev/lake/bucket.mjs';
import { persistRoot } from '../../deploy/dev/base/project.mjs';

const [folder] = process.argv.slice(2);
mkdirSync(join(persistRoot, 'r2'), { recursive: true });
const miniflare = await startLocal('export default {}');
const bucket = await miniflare.getR2Bucket('LAKE');
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  const bytes = readFileSync(path);
  const lines = gunzipSync(bytes);
  await bucket.put(relative(folder, path), bytes, {
    httpMetadata: { contentType: 'application/gzip' },
    customMetadata: {
      sha256: createHash('sha256').update(bytes).digest('hex'),
      events: `${lines.toString().trimEnd().split('\n').length}`,
    },
  });
}
await miniflare.dispose();
