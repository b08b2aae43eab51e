// Wrangler's [build] command: builds, and makes a `wrangler dev` that runs by itself (`npm run dev`) ready to take
// events, as `npm start` does. A deployment's database is migrated by `deploy:setup` alone.
import { join, relative } from 'node:path';
import { build } from '../build/build.mjs';
import { main, say } from '../base/process.mjs';
import { devDir, root } from '../base/project.mjs';
import { loadSecrets, writeDevVars, writeKeysFile } from '../setup/keys.mjs';
import { prepareDatabase } from './database.mjs';
import { PREPARED } from './wrangler.mjs';

/** Where `wrangler dev` listens unless told otherwise. */
const DEV_URL = `http://localhost:${process.env.PORT || '8787'}`;

main(async () => {
  await build();
  const command = process.env.WRANGLER_COMMAND ?? 'dev';
  if (command !== 'dev' || process.env[PREPARED] !== undefined) return;
  const secrets = loadSecrets();
  writeDevVars(secrets);
  await prepareDatabase(secrets);
  const keys = process.env.SHORELINE_KEYS ?? join(devDir, 'keys.json');
  writeKeysFile(keys, DEV_URL, secrets);
  say(`the database is ready; keys of the demo site are in ${relative(root, keys)}`);
});
