// Time zones, by the platform's own table.

/** How far apart offsets are looked at: no zone has kept one for less, but for Ramadan's four weeks. */
const STEP_MS = 7 * 24 * 3_600_000;

/**
 * The offsets of a zone within a range, as JSON: `[[from when on, milliseconds that are added to UTC], …]`, in order.
 * Empty where the platform knows no such zone.
 * @param {string} zone
 * @param {number} from Unix milliseconds, as is `to`
 * @param {number} to
 */
export function offsets(zone, from, to) {
  let format;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch {
    return '';
  }
  const at = (/** @type {number} */ ms) => {
    const name = format.formatToParts(ms).find((part) => part.type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes, seconds = '0'] = /([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name) ?? ['', '+', '0', '0'];
    return Number(`${sign}1`) * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  };
  const first = from - (from % 60_000);
  const found = [[first, at(first)]];
  for (let start = first; start < to; start += STEP_MS) {
    const [before, after] = [at(start), at(start + STEP_MS)];
    if (before === after) continue;
    let [low, high] = [start, start + STEP_MS];
    // Clocks change at whole minutes of UTC, and then all at once.
    while (high - low > 60_000) {
      const middle = low + Math.floor((high - low) / 120_000) * 60_000;
      if (at(middle) === before) low = middle;
      else high = middle;
    }
    found.push([high, after]);
  }
  return JSON.stringify(found);
}
