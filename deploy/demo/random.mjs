// Chance that a seed decides: the same seed, the same traffic.
import { createHash } from 'node:crypto';

export class Random {
  #state;

  /** @param {...(string | number)} seed what it is of: the parts of a path, so that no two places share numbers */
  constructor(...seed) {
    this.#state = createHash('sha256').update(seed.join('/')).digest().readUInt32LE(0);
  }

  /** 0 up to 1: mulberry32, which is small, and even enough for a demo. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. @param {number} low @param {number} high */
  whole(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** @param {number} share */
  chance(share) {
    return this.next() < share;
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  /**
   * One of a list of things and their weights.
   * @template T
   * @param {readonly (readonly [T, number])[]} list
   * @returns {T}
   */
  weighted(list) {
    let left = this.next() * list.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [thing, weight] of list) if ((left -= weight) < 0) return thing;
    return list[list.length - 1][0];
  }

  /** A wait whose mean is `mean`: short ones are common, long ones are rare. @param {number} mean */
  wait(mean) {
    return -Math.log(1 - this.next()) * mean;
  }

  /** A UUID of version 4. */
  uuid() {
    const digits = Array.from({ length: 4 }, () =>
      Math.floor(this.next() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('');
    const variant = '89ab'[Number.parseInt(digits[16], 16) % 4];
    const hex = `${digits.slice(0, 12)}4${digits.slice(13, 16)}${variant}${digits.slice(17)}`;
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
}
