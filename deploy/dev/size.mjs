// `npm run size`: what a page downloads, by part and in total. Fails over the budget.
import { buildTracker } from './build-tracker.mjs';
import { alone } from './lock.mjs';
import { main } from './process.mjs';
import { at, made, tools } from './project.mjs';
import { setUp } from './setup.mjs';

main(async () => {
  await alone('build', async () => {
    await setUp();
    await buildTracker({ root: at(), wasmOpt: tools.wasmOpt, esbuild: tools.esbuild, outDir: made.tracker });
  });
});
