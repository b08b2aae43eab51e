// `npm run release:tracker`: keeps the built tracker under its immutable names for good.
//
// A page may name one version of the script (with its SRI hash), and a cache may hold a script for five
// minutes that names the module of the version before: so a version that was deployed is never taken
// away. Its files are copied to www/t/, which is committed and part of every later deployment.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { Failure, main, say } from '../base/process.mjs';
import { at, made } from '../base/project.mjs';

const released = at('www', 't');

main(async () => {
  await build();
  mkdirSync(released, { recursive: true });
  for (const name of readdirSync(join(made.tracker, 't'))) {
    const [from, to] = [join(made.tracker, 't', name), join(released, name)];
    if (!existsSync(to)) copyFileSync(from, to), say(`released /t/${name}: commit www/t/`);
    else if (!readFileSync(from).equals(readFileSync(to)))
      throw new Failure(`/t/${name} was released with another content`);
    else say(`/t/${name} is released already`);
  }
});
