// Where the strict layer's refusals of a whole run of tests are gathered: a test may not notice one, and the run fails.
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { devDir } from '../base/project.mjs';

/** One line for each. */
const FILE = process.env.SHORELINE_REFUSALS ?? join(devDir, 'strict.log');

/** @param {string} line of Wrangler's log */
export const noteRefusal = (line) => appendFileSync(FILE, `${line}\n`);

export const forgetRefusals = () => rmSync(FILE, { force: true });

/** What was refused since the last {@link forgetRefusals}. @returns {string[]} */
export const refusals = () => (existsSync(FILE) ? readFileSync(FILE, 'utf8').split('\n').filter(Boolean) : []);
