// What no formatter and no compiler looks at: the width of lines, and the links of documents.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { at, readText } from '../base/project.mjs';

/** Columns of a line of prose, of JavaScript, TypeScript or CSS. */
const COLUMNS = 120;

/** A word of so many characters (an address, a script whose hash is known) is not broken; nor is Markdown's `code`. */
const LONG_WORD = 60;

/** Files whose lines are as wide as {@link COLUMNS} at most. */
const NARROW = /\.(m?js|ts|css|md)$/;

/** Released trackers are kept byte by byte. */
const KEPT = /^www\/t\//;

/**
 * The lines of a file that are too wide, each as `path:line: what is wrong`. In Markdown, tables and code are let be.
 * @param {string} path
 * @param {string} text
 */
export function wideLines(path, text) {
  if (!NARROW.test(path) || KEPT.test(path)) return [];
  const isDocument = path.endsWith('.md');
  const code = isDocument ? codeOf(text) : [];
  return text.split('\n').flatMap((line, n) => {
    if (line.length <= COLUMNS || code[n] || (isDocument && /^\s*\|/.test(line))) return [];
    const words = isDocument ? line.replaceAll(/`[^`]*`/g, (span) => span.replaceAll(' ', '_')) : line;
    if (words.split(/\s+/).some((word) => word.length >= LONG_WORD)) return [];
    return [`${path}:${n + 1}: ${line.length} columns, of ${COLUMNS}`];
  });
}

/** Whether each line of Markdown is in a block of code. @param {string} text */
function codeOf(text) {
  let inside = false;
  return text.split('\n').map((line) => {
    if (!/^\s*```/.test(line)) return inside;
    inside = !inside;
    return true;
  });
}

/** The anchor that GitHub makes of a heading. @param {string} heading */
const anchorOf = (heading) =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\p{Mark} _-]/gu, '')
    .replaceAll(' ', '-');

/** The anchors of a document; of headings of one name, the second ends in `-1`. @param {string} text */
export function anchorsOf(text) {
  const code = codeOf(text);
  const lines = text.split('\n').filter((_, n) => !code[n]);
  /** @type {Map<string, number>} */
  const seen = new Map();
  const headings = lines.flatMap((line) => /^#{1,6} +(.*?)#* *$/.exec(line)?.[1] ?? []);
  const anchors = headings.map((heading) => {
    const anchor = anchorOf(heading);
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
  return new Set([...anchors, ...lines.flatMap((line) => /<a id="([^"]+)">/.exec(line)?.[1] ?? [])]);
}

/**
 * The links of a Markdown document that lead nowhere in the checkout, each as `path:line: what is wrong`. Links to
 * other sites are not followed.
 * @param {string} path
 * @param {string} text
 * @param {(path: string) => string | undefined} read a file of the checkout; '' of a folder
 */
export function brokenLinks(path, text, read = readIfThere) {
  const code = codeOf(text);
  const lines = text.split('\n').map((line) => line.replaceAll(/`[^`]*`/g, ''));
  return lines.flatMap((line, n) => {
    if (code[n]) return [];
    const targets = [...line.matchAll(/\]\(\s*<?([^)\s>]+)[^)]*\)|^\s*\[[^\]]+\]:\s*(\S+)/g)];
    return targets.flatMap(([, inline, reference]) => {
      const problem = problemOf(path, text, inline ?? reference, read);
      return problem ? [`${path}:${n + 1}: ${inline ?? reference}: ${problem}`] : [];
    });
  });
}

/**
 * @param {string} path
 * @param {string} text
 * @param {string} target
 * @param {(path: string) => string | undefined} read
 */
function problemOf(path, text, target, read) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [file, anchor] = target.split('#');
  const where = file === '' ? path : normalize(join(dirname(path), decodeURIComponent(file)));
  const found = file === '' ? text : read(where);
  if (found === undefined) return 'there is no such file';
  if (anchor && where.endsWith('.md') && !anchorsOf(found).has(anchor)) return `${where} has no such heading`;
  return undefined;
}

/** @param {string} path */
function readIfThere(path) {
  if (!existsSync(at(path))) return undefined;
  return path.endsWith('.md') ? readText(path) : '';
}
