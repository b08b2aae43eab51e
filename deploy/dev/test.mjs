// `npm test`: sets up, builds, and runs every test, native and end to end. Further arguments go to `cargo test`.
import { build } from './build.mjs';
import { Failure, main, outputOf, runShown, say, seconds } from './process.mjs';
import { checkNode } from './setup.mjs';

/** Any of these is a browser that the tests can drive. */
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];

async function checkBrowser() {
  const browsers = await Promise.all(BROWSERS.map((name) => outputOf(name, ['--version'])));
  const missing = browsers.every((version) => version === undefined) ? 'Chromium' : (await outputOf('chromedriver', ['--version'])) === undefined ? 'chromedriver' : undefined;
  if (missing) throw new Failure(`${missing}, which the browser tests drive, was not found; on Debian: apt install chromium chromium-driver`);
}

main(async () => {
  const start = Date.now();
  checkNode();
  await checkBrowser();
  await build();
  const args = process.argv.slice(2);
  const chosen = args.some((arg) => arg === '-p' || arg.startsWith('--package'));
  say(`cargo test ${args.join(' ')}`);
  process.exitCode = await runShown('cargo', ['test', ...(chosen ? [] : ['--workspace']), ...args]);
  say(`tests ${process.exitCode === 0 ? 'passed' : 'failed'} (${seconds(start)})`);
});
