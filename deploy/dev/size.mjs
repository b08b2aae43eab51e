// `npm run size`: what a page downloads, by part and in total, and the dashboard's first view. Fails over the budgets.
import { buildDashboard } from './build-dashboard.mjs';
import { buildTracker } from './build-tracker.mjs';
import { alone } from './lock.mjs';
import { main } from './process.mjs';
import { at, made, tools } from './project.mjs';
import { setUp } from './setup.mjs';

main(async () => {
  await alone('build', async () => {
    await setUp();
    await buildTracker({ root: at(), wasmOpt: tools.wasmOpt, esbuild: tools.esbuild, outDir: made.tracker });
    await buildDashboard({ outDir: made.dashboard, log: console.log });
  });
});
