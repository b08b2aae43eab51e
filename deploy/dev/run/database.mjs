// The local D1: migrated and seeded before Wrangler runs.
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DATABASE, migrationsDir } from '../base/config.mjs';
import { seedSql } from '../setup/keys.mjs';
import { say } from '../base/process.mjs';
import { devDir, persistRoot, stateDir, stateNotes } from '../base/project.mjs';
import { fingerprint, unlessDone } from '../base/stamp.mjs';
import { wrangler } from './wrangler.mjs';

/** Where Miniflare keeps the databases. */
const DATABASES = join(persistRoot, 'd1');

/**
 * Brings the state folder's database up to date. A new folder gets a copy of the first database
 * that was made with the same migrations and seed, as the tests start with many new folders.
 * @param {import('../setup/keys.mjs').Secrets} secrets
 */
export async function prepareDatabase(secrets) {
  const seed = seedSql(secrets);
  const inputs = fingerprint(['wrangler.toml', migrationsDir()], [seed]);
  await unlessDone({ stamp: join(stateNotes, 'database'), inputs, made: DATABASES }, async () => {
    const template = join(devDir, 'databases', inputs);
    const isNew = !existsSync(DATABASES);
    if (isNew && existsSync(template)) return copyWhole(template, DATABASES);
    say('migrating the local database');
    await migrate(seed);
    if (isNew) copyWhole(DATABASES, template);
  });
}

/** @param {string} seed */
async function migrate(seed) {
  const file = join(stateNotes, 'seed.sql');
  mkdirSync(stateNotes, { recursive: true });
  writeFileSync(file, seed);
  const where = ['--local', '--persist-to', stateDir];
  await wrangler('migrate the database', ['d1', 'migrations', 'apply', DATABASE, ...where]);
  await wrangler('seed the database', ['d1', 'execute', DATABASE, ...where, '--yes', '--file', file]);
}

/**
 * Copies a folder; one that is interrupted leaves no half of it behind, and one that was slower
 * than another process's leaves that one's.
 * @param {string} from
 * @param {string} to
 */
function copyWhole(from, to) {
  const draft = `${to}.${process.pid}`;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, draft, { recursive: true });
  try {
    renameSync(draft, to);
  } catch (error) {
    rmSync(draft, { recursive: true });
    if (!existsSync(to)) throw error;
  }
}
