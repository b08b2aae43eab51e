// What the command is asked for. Pure.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Failure } from '../dev/base/process.mjs';

export const USAGE = `usage: npm run demo:traffic [-- OPTIONS]

  --days N      fill the last N days by an import (30; 0 leaves it out)
  --per-day N   events a day in them, about (1000)
  --minutes N   then send live traffic for so long (2; 0 leaves it out)
  --events N    or until so many events were sent
  --rate N      live events a second (20)
  --seed TEXT   the same seed makes the same traffic, with the same ids: sent again, it is duplicates
  --keys FILE   the keys of a running system (.dev/keys.json)`;

/** Bounds: a lake of a year, and what one process sends. */
const NUMBERS = /** @type {const} */ ({
  days: [0, 366],
  'per-day': [10, 50_000],
  minutes: [0, 1_440],
  events: [1, 10_000_000],
  rate: [1, 2_000],
});

/**
 * @param {string[]} args
 * @returns {{ days: number, perDay: number, seconds: number, events: number, rate: number, seed: string,
 *   keys?: string }}
 */
export function readOptions(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: { days: text, 'per-day': text, minutes: text, events: text, rate: text, seed: text, keys: text },
    }));
  } catch {
    throw new Failure(USAGE);
  }
  /** @param {keyof typeof NUMBERS} name @param {number} usual */
  const number = (name, usual) => {
    const given = values[name];
    if (given === undefined) return usual;
    const [low, high] = NUMBERS[name];
    const whole = name === 'minutes' ? /^\d+(\.\d+)?$/ : /^\d+$/;
    if (!whole.test(given) || Number(given) < low || Number(given) > high)
      throw new Failure(`--${name} must be ${low} to ${high}`);
    return Number(given);
  };
  const rate = number('rate', 20);
  const events = number('events', Infinity);
  const seconds = number('minutes', values.events === undefined ? 2 : Infinity) * 60;
  return {
    days: number('days', 30),
    perDay: number('per-day', 1_000),
    seconds,
    events,
    rate,
    seed: values.seed ?? String(randomInt(2 ** 32)),
    keys: values.keys,
  };
}
