// What the worker serves as files: www/, the built tracker and the built dashboard, put together.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, sep } from 'node:path';
import { root } from '../base/project.mjs';
import { filesUnder } from '../base/stamp.mjs';

/** Where a page of www/ takes the snippet of the demo site. */
const PLACEHOLDER = '<!-- shoreline:snippet -->';

/** Sources in www/ that are built, and not served as they are. */
const BUILT = join(root, 'www', 'dashboard');

/**
 * Makes `target` hold the files of `sources` and nothing else. What is right already is not
 * touched, so that a running Wrangler sees only what changed.
 * @param {string[]} sources folders
 * @param {string} target
 * @param {string} snippet what replaces the placeholder
 */
export function syncPages(sources, target, snippet) {
  const wanted = new Map(
    sources.flatMap((source) =>
      filesUnder(source)
        .filter((file) => !file.startsWith(`${BUILT}${sep}`))
        .map((file) => [join(target, relative(source, file)), file]),
    ),
  );
  for (const file of filesUnder(target)) if (!wanted.has(file)) rmSync(file);
  for (const [path, file] of wanted) {
    const content = pageContent(file, snippet);
    if (existsSync(path) && readFileSync(path).equals(content)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

/**
 * @param {string} file
 * @param {string} snippet
 */
function pageContent(file, snippet) {
  const content = readFileSync(file);
  return extname(file) === '.html' ? Buffer.from(content.toString().replaceAll(PLACEHOLDER, () => snippet)) : content;
}
