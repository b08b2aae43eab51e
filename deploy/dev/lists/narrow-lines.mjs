// Lines of the table of crawlers that people's agents match are narrowed to what stands around them in the crawlers'
// own agents, or dropped: a visitor is worth more than a crawler.

/** What a line cannot have as text. */
const RESERVED = /[\^$*\n]/;

/** Whether a line is found in an agent, as the worker finds it (`enrich/bots/lines.rs`). @param {string} line */
export function finder(line) {
  const starts = line.startsWith('^');
  const ends = line.endsWith('$');
  const [head, tail] = line.slice(Number(starts), ends ? -1 : undefined).split('*');
  const escaped = (/** @type {string} */ text) => text.replace(/\W/g, '\\$&');
  const edge = starts ? '^' : /^[A-Za-z0-9]/.test(head) ? '(?<![A-Za-z0-9])' : '';
  const regex = new RegExp(
    edge + escaped(head) + (tail === undefined ? '' : `.*${escaped(tail)}`) + (ends ? '$' : ''),
    's',
  );
  return (/** @type {string} */ agent) => regex.test(agent);
}

/** An agent of an application's own view: whom it shows a page to is a person, whatever list it stands in. */
const IN_APP = /Electron\/|; wv\)/;

/** What all texts begin with, up to the end of a word; empty where they differ before. @param {string[]} texts */
function commonWord(texts) {
  const [word = ''] = texts.map((text) => text.match(/^[ /;:-]*[A-Za-z.]*/)?.[0] ?? '');
  return texts.every((text) => text.startsWith(word) && !/^[A-Za-z.]/.test(text.slice(word.length)))
    ? word.trimEnd()
    : '';
}

/** @param {string} text */
const reversed = (text) => [...text].reverse().join('');

/**
 * A line with the word before it or behind it, or at the start, so that none of these people matches; undefined: there
 * is none.
 * @param {string} line plain text
 * @param {string[]} crawlers the agents that it is to find
 * @param {string[]} people
 */
function narrowed(line, crawlers, people) {
  const places = crawlers.map((agent) => [
    agent.slice(0, agent.indexOf(line)),
    agent.slice(agent.indexOf(line) + line.length),
  ]);
  const before = reversed(commonWord(places.map(([left]) => reversed(left))));
  const after = commonWord(places.map(([, right]) => right));
  const atStart = places.every(([left]) => left === '') ? [`^${line}`] : [];
  return [...atStart, line + after, before + line].find(
    (text) => !RESERVED.test(text.slice(1)) && !people.some(finder(text)),
  );
}

/**
 * The lines that no one of these people matches, and what was changed for that.
 * @param {string[]} lines
 * @param {string[]} crawlers agents of crawlers that the lines alone are to find
 * @param {string[]} people agents of people
 */
export function withoutPeople(lines, crawlers, people) {
  /** @type {string[]} */
  const kept = [];
  /** @type {{ line: string, became: string | undefined, person: string }[]} */
  const changed = [];
  for (const line of lines) {
    const taken = people.filter(finder(line));
    if (taken.length === 0) kept.push(line);
    else {
      const own = crawlers.filter((agent) => finder(line)(agent) && !IN_APP.test(agent));
      const became = RESERVED.test(line) || own.length === 0 ? undefined : narrowed(line, own, taken);
      changed.push({ line, became, person: taken[0] });
      if (became !== undefined) kept.push(became);
    }
  }
  return { kept, changed };
}
