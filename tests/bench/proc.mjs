// What Linux tells of a process.
import { readFileSync } from 'node:fs';

/** Clock ticks a second, as Linux has them. */
const TICKS = 100;

/** Seconds of processor time, all threads. @param {string} pid */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Memory that a process holds now, MB. @param {string} pid */
export function memoryMb(pid) {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
