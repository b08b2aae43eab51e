// `npm test`: sets up, builds, and runs every test, native and end to end. Further arguments go to `cargo test`.
import { build } from '../build/build.mjs';
import { installMoto } from '../setup/moto.mjs';
import { Failure, main, outputOf, runShown, say, seconds } from '../base/process.mjs';
import { tools } from '../base/project.mjs';
import { installSchemathesis } from '../setup/schemathesis.mjs';
import { checkNode } from '../setup/setup.mjs';

/** Any of these is a browser that the tests can drive. */
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * Native tests apart from the end-to-end ones: built together, cargo would give the crates that ship
 * the features of the browser driver's dependencies, and test what is not shipped.
 */
const RUNS = [['--workspace', '--exclude', 'shoreline-tests'], ['--package', 'shoreline-tests']];

async function checkPython() {
  if ((await outputOf('python3', ['-c', 'import ensurepip'])) !== undefined) return;
  throw new Failure("Python 3 with venv, which runs the checks of the lake's tables, was not found; on Debian: apt install python3-venv");
}

async function checkBrowser() {
  const browsers = await Promise.all(BROWSERS.map((name) => outputOf(name, ['--version'])));
  const missing = browsers.every((version) => version === undefined) ? 'Chromium' : (await outputOf('chromedriver', ['--version'])) === undefined ? 'chromedriver' : undefined;
  if (missing) throw new Failure(`${missing}, which the browser tests drive, was not found; on Debian: apt install chromium chromium-driver`);
}

main(async () => {
  const start = Date.now();
  checkNode();
  await checkBrowser();
  await checkPython();
  await build();
  await installMoto();
  await installSchemathesis();
  const args = process.argv.slice(2);
  const chosen = args.some((arg) => arg === '-p' || arg.startsWith('--package'));
  process.exitCode = 0;
  if (!chosen) {
    say('the commands of deploy/');
    process.exitCode = await runShown(tools.node, ['--no-warnings', '--test', 'deploy/**/*.test.mjs']);
  }
  for (const packages of chosen ? [[]] : RUNS) {
    const command = ['test', ...packages, ...args];
    say(`cargo ${command.join(' ')}`);
    // What failed before does not hide what fails here.
    process.exitCode = (await runShown('cargo', command)) || process.exitCode;
  }
  say(`tests ${process.exitCode === 0 ? 'passed' : 'failed'} (${seconds(start)})`);
});
