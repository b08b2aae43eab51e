// `npm start`: sets up, builds, migrates and runs the whole system on this machine.
import { rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from '../build/build.mjs';
import { fireCrons } from './crons.mjs';
import { prepareDatabase } from './database.mjs';
import { SITE, loadSecrets, writeDevVars, writeKeysFile } from '../setup/keys.mjs';
import { takeLock } from '../base/lock.mjs';
import { chosenPort } from '../base/port.mjs';
import { Failure, main, say, stop } from '../base/process.mjs';
import { devDir, stateDir, stateNotes } from '../base/project.mjs';
import { checkNode } from '../setup/setup.mjs';
import { runSystem } from './system.mjs';
import { WRANGLER_LOG } from './wrangler.mjs';

/** Where scripts find the keys; the file is there while the system is up. */
const keysFile = process.env.SHORELINE_KEYS ? resolve(process.env.SHORELINE_KEYS) : join(devDir, 'keys.json');

/** A path as one would type it here. @param {string} path */
const shown = (path) => (relative(process.cwd(), path).startsWith('..') ? path : relative(process.cwd(), path));

async function start() {
  checkNode();
  const port = await chosenPort();
  const url = `http://localhost:${port}`;
  const vars = process.env.SHORELINE_VARS?.split(/\s+/).filter(Boolean) ?? [];
  const owner = takeLock(join(stateNotes, 'lock'));
  if (owner !== undefined)
    throw new Failure(
      `process ${owner} runs on the data in ${shown(stateDir)}; stop it, or choose another folder with SHORELINE_STATE`,
    );
  if (process.env.SHORELINE_EXIT_WITH_STDIN === '1') process.stdin.resume().once('close', () => stop(0));
  rmSync(keysFile, { force: true });
  if (process.env.SHORELINE_BUILT !== '1') await build();
  const secrets = loadSecrets();
  writeDevVars(secrets);
  await prepareDatabase(secrets);
  say('starting');
  await runSystem({ url, port, vars }, async () => {
    await fireCrons(url, say);
    writeKeysFile(keysFile, url, secrets);
    console.log(welcome(url, secrets));
  });
}

/**
 * What one can do now.
 * @param {string} url
 * @param {import('../setup/keys.mjs').Secrets} secrets
 */
const welcome = (url, { readToken }) => `
  Shoreline runs.

  Demo page    ${url}/
  Dashboard    ${url}/dashboard/ (sign in with the read token below)
  Live counts  curl -H 'Authorization: Bearer ${readToken}' ${url}/v1/analytics/live
  Recent       curl -H 'Authorization: Bearer ${readToken}' ${url}/v1/analytics/events/recent
  Summary      curl -H 'Authorization: Bearer ${readToken}' ${url}/v1/analytics/metrics/summary
  The lake     npm run lake -- ls

  Read token   ${readToken} (site ${SITE})
  Other keys   ${shown(keysFile)}
  Data         ${shown(stateDir)}
  Log          ${shown(WRANGLER_LOG)}

  Ctrl-C stops it; the data stays.
`;

main(start, 0);
