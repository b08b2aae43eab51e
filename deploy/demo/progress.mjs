// One line that says how far it is.

const WIDTH = 24;

/** How often the line is written at most, milliseconds; where nobody watches, a line of each tenth is enough. */
const EVERY_MS = 100;

/**
 * The line. Pure.
 * @param {string} label
 * @param {number} done 0 to 1
 * @param {string} note
 */
export function barOf(label, done, note) {
  const share = Math.min(Math.max(done, 0), 1);
  const full = Math.floor(share * WIDTH);
  return (
    `${label.padEnd(10)} [${'█'.repeat(full)}${'░'.repeat(WIDTH - full)}] ` +
    `${String(Math.floor(share * 100)).padStart(3)} %  ${note}`
  );
}

/**
 * @param {string} label
 * @param {NodeJS.WriteStream} output
 */
export function progress(label, output = process.stderr) {
  let last = -Infinity;
  let tenth = -1;
  return {
    /** @param {number} done 0 to 1 @param {string} note */
    show(done, note) {
      const now = performance.now();
      if (output.isTTY) {
        if (now - last < EVERY_MS && done < 1) return;
        last = now;
        output.write(`\r${barOf(label, done, note)}\x1b[K`);
      } else if (Math.floor(done * 10) > tenth) {
        tenth = Math.floor(done * 10);
        output.write(`${barOf(label, done, note)}\n`);
      }
    },
    end() {
      if (output.isTTY) output.write('\n');
    },
  };
}
