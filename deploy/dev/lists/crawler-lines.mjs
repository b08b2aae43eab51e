// Translates the patterns of a list of crawlers, regular expressions, into the few forms that the worker matches:
// plain text, `^` and `$` at its ends, and `*` for whatever lies between. What cannot be translated is an error.
import { finder, withoutPeople } from './narrow-lines.mjs';

/** What one pattern may unfold into; more means that it is no list of spellings. */
const MOST_ALTERNATIVES = 64;

/** Characters that mean something in a line of the table. */
const RESERVED = /[\^$*\n]/;

/** @param {string[]} heads @param {string[]} tails */
const joined = (heads, tails) => heads.flatMap((head) => tails.map((tail) => head + tail));

/** Reads one pattern, left to right. */
class Reader {
  /** @param {string} pattern */
  constructor(pattern) {
    this.pattern = pattern;
    this.place = 0;
  }

  /** @returns {never} */
  fail() {
    throw new Error(`no form for ${this.pattern} at ${this.place}`);
  }

  /** Takes `text` if it comes next. @param {string} text */
  takes(text) {
    if (!this.pattern.startsWith(text, this.place)) return false;
    this.place += text.length;
    return true;
  }

  next() {
    return this.pattern[this.place++] ?? this.fail();
  }

  atEnd() {
    return this.place >= this.pattern.length;
  }

  /** Alternatives, up to a closing bracket or the end. @returns {string[]} */
  alternatives() {
    const all = [];
    do {
      let lines = [''];
      while (!this.atEnd() && !/[|)]/.test(this.pattern[this.place])) lines = joined(lines, this.item());
      all.push(...lines);
    } while (this.takes('|'));
    if (all.length > MOST_ALTERNATIVES) this.fail();
    return all;
  }

  /** One item: all the texts that it stands for. @returns {string[]} */
  item() {
    // Wider than it says: a crawler's name with one suffix left out, which another pattern names anyway.
    if (this.takes('([^-]|$)')) return [''];
    if (this.takes('[\\s\\S]*') || this.takes('.*') || this.takes('\\d+') || this.takes('\\d')) return ['*'];
    if (this.takes('^')) return ['^'];
    if (this.takes('$')) return ['$'];
    if (this.takes('[')) return this.class();
    if (this.takes('(')) {
      const inner = this.alternatives();
      return this.takes(')') ? inner : this.fail();
    }
    if (this.takes('\\')) {
      const escaped = this.next();
      return /[a-zA-Z0-9]/.test(escaped) ? this.fail() : [this.plain(escaped)];
    }
    const plain = this.next();
    return /[.*+?{}]/.test(plain) ? this.fail() : [this.plain(plain)];
  }

  /** A class of single characters. @returns {string[]} */
  class() {
    const members = [];
    while (!this.takes(']')) members.push(this.plain(this.next()));
    return members.some((member) => /[\\^-]/.test(member)) || members.length === 0 ? this.fail() : members;
  }

  /** @param {string} character */
  plain(character) {
    return RESERVED.test(character) || !/[\x20-\x7e]/.test(character) ? this.fail() : character;
  }
}

/**
 * The lines that a pattern stands for.
 * @param {string} pattern
 * @returns {string[]}
 */
export function linesOfPattern(pattern) {
  const reader = new Reader(pattern);
  const lines = reader.alternatives().map((line) => line.replace(/\*[.*]*\*/g, '*').replace(/ $/, ' *'));
  if (!reader.atEnd()) reader.fail();
  for (const line of lines) {
    const core = line.replace(/^\^/, '').replace(/\$$/, '');
    // The worker finds a line by its first three characters.
    if (/[\^$]/.test(core) || core.split('*')[0].length < 3) throw new Error(`no form for ${pattern}: ${line}`);
  }
  return lines;
}

/**
 * Whether a crawler that a line finds is found by one of the words anyway. The word `bot!` needs
 * something other than a letter behind it, and a name that ends a line ends in the agent too.
 * @param {string[]} words
 */
const foundByWord = (words) => {
  const tests = words.map((word) => {
    const plain = word.replace(/!$/, '').replace(/\W/g, '\\$&');
    return new RegExp(word.endsWith('!') ? `(?<!cu)${plain}(?![a-z])` : plain, 'i');
  });
  return (/** @type {string} */ line) => tests.some((test) => test.test(line));
};

/** What a line is found by: its first bytes, in lowercase (`enrich/bots/lines.rs`). @param {string} line */
const keyOf = (line) => line.replace(/^\^/, '').slice(0, 3).toLowerCase();

/** @param {string} a @param {string} b */
const inOrder = (a, b) => (a < b ? -1 : Number(a > b));

/**
 * Whether a crawler that `line` finds is found by another, plain line: it stands in it where a word begins.
 * @param {string} line
 * @param {string} other
 */
const isFoundBy = (line, other) => other !== line && line.includes(other) && finder(other)(line.replace(/^\^/, ''));

/**
 * The table of crawlers: in the order of their keys, so that the worker need not sort it, each line once, none that
 * another line or a word finds anyway, and none that a person's agent matches.
 * @param {{ pattern: string, instances?: string[] }[]} list patterns are regular expressions
 * @param {string[]} words found anywhere, in whatever case
 * @param {string[]} people agents of people
 */
export function crawlerLines(list, words, people) {
  const byWord = foundByWord(words);
  const lines = [...new Set(list.flatMap((entry) => linesOfPattern(entry.pattern)))].filter((line) => !byWord(line));
  const crawlers = list.flatMap((entry) => entry.instances ?? []).filter((agent) => !byWord(agent));
  const { kept, changed } = withoutPeople(lines, crawlers, people);
  const plain = kept.filter((line) => !RESERVED.test(line));
  const table = kept.filter((line) => !plain.some((other) => isFoundBy(line, other)));
  return { lines: table.sort((a, b) => inOrder(keyOf(a), keyOf(b)) || inOrder(a, b)), changed };
}
