// Every `npx wrangler` of the documents is a command that the installed Wrangler knows, with options that it has.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { readText } from '../../base/project.mjs';

const PAGES = ['README.md', 'CONTRIBUTING.md', 'docs/RUNBOOK.md', 'docs/DEPLOY.md', 'docs/OPERATIONS.md'];

/** What a page sets once and uses in its lines. @type {Record<string, string>} */
const VARIABLES = { CONFIG: '--config wrangler.production.toml' };

/**
 * @typedef {{ type?: string, choices?: string[], demandOption?: boolean, alias?: string | string[] }} Option
 * @typedef {{ type: string, args?: Record<string, Option>, positionalArgs?: string[] }} Definition
 * @typedef {{ definition?: Definition, subtree: Map<string, Command> }} Command
 */

/** What Wrangler says of its own commands. */
const { experimental_getWranglerCommands: commands } = createRequire(import.meta.url)('wrangler');
/** @type {{ registry: Command, globalFlags: Record<string, Option> }} */
const { registry, globalFlags } = commands();

/** The commands of a page, each as its words. @param {string} text */
export function linesOf(text) {
  const whole = text.replaceAll('\\\n', ' ').replaceAll(/\$(\w+)/g, (all, name) => VARIABLES[name] ?? all);
  // To the end of what is quoted, of the line, or of the command in a pipe; `…` stands for the others of its kind.
  const found = whole.matchAll(/npx wrangler (?:"[^"]*"|[^`|#"\n])*/g);
  return [...found].map(([line]) => (line.match(/(?:"[^"]*"|[^\s"])+/g) ?? []).slice(2));
}

/** What is wrong with the words of a command; undefined if nothing. @param {string[]} words */
export function wrong(words) {
  const left = [...words];
  /** @type {Command | undefined} */
  let command = registry;
  for (let next; left[0] !== undefined && (next = command.subtree.get(left[0])); left.shift()) command = next;
  // Others are groups of commands.
  if (command.definition?.type !== 'command') return 'there is no such command';
  const { args = {}, positionalArgs = [] } = command.definition;
  const options = { ...globalFlags, ...args };
  let positions = 0;
  while (left.length > 0) {
    const word = left.shift() ?? '';
    if (!word.startsWith('-')) {
      positions += 1;
      continue;
    }
    const [dashed, given] = word.split('=', 2);
    const name = dashed.replace(/^--?/, '');
    const known = Object.entries(options).find(([key, { alias }]) => key === name || [alias].flat().includes(name));
    if (!known) return `it has no ${dashed}`;
    if (known[1].type === 'boolean') continue;
    const value = given ?? left.shift();
    if (value === undefined || value.startsWith('-')) return `${dashed} has no value`;
    if (known[1].choices && !known[1].choices.includes(value)) return `${dashed} takes no ${value}`;
  }
  const needed = positionalArgs.filter((name) => args[name]?.demandOption).length;
  if (positions < needed || positions > positionalArgs.length) return `it does not take ${positions} names`;
  return undefined;
}

test('each command is known, with its options', () => {
  for (const page of PAGES) {
    const lines = linesOf(readText(page));
    assert.ok(lines.length > 0, page);
    for (const words of lines) assert.equal(wrong(words), undefined, `${page}: wrangler ${words.join(' ')}`);
  }
});

test('what Wrangler does not know is told', () => {
  const told = (/** @type {string} */ line) => wrong(linesOf(`npx wrangler ${line}`)[0] ?? []);
  assert.equal(told('d1 execute DB --remote $CONFIG --command "SELECT a | b" | jq .'), undefined);
  assert.match(told('d1 exec DB') ?? '', /no such command/);
  assert.match(told('rollback --to 1') ?? '', /no --to/);
  assert.match(told('queues info') ?? '', /0 names/);
  assert.match(told('tail shoreline --format yaml') ?? '', /takes no yaml/);
  assert.match(told('tail shoreline --format') ?? '', /has no value/);
});

test('the names in them are those of wrangler.toml', () => {
  const config = readText('wrangler.toml');
  const words = PAGES.flatMap((page) => linesOf(readText(page))).flat();
  const names = words.filter((word) => /^shoreline/.test(word)).map((word) => word.split('/')[0]);
  assert.ok(names.length >= 5);
  for (const name of names) assert.ok(config.includes(`= "${name}"`), name);
});
