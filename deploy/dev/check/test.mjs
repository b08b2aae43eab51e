// `npm test`: sets up, builds, and runs every test, native and end to end. On Debian it installs what the tests need of
// the machine. Further arguments go to `cargo test`.
import { build } from '../build/build.mjs';
import { TEST_NEEDS, installNeeds } from '../setup/debian.mjs';
import { installMoto } from '../setup/moto.mjs';
import { main, runShown, say, seconds } from '../base/process.mjs';
import { tools } from '../base/project.mjs';
import { installSchemathesis } from '../setup/schemathesis.mjs';
import { checkNode } from '../setup/setup.mjs';

/**
 * Native tests apart from the end-to-end ones: built together, cargo would give the crates that ship
 * the features of the browser driver's dependencies, and test what is not shipped.
 */
const RUNS = [
  ['--workspace', '--exclude', 'shoreline-tests'],
  ['--package', 'shoreline-tests'],
];

main(async () => {
  const start = Date.now();
  checkNode();
  await installNeeds(TEST_NEEDS);
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
