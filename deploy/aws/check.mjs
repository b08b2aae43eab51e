// `npm run check:aws`: cfn-lint on the templates, its hints included.
import { dirname, join } from 'node:path';
import { main, runShown, say } from '../dev/base/process.mjs';
import { python } from './python.mjs';

main(async () => {
  const lint = join(dirname(await python()), 'cfn-lint');
  process.exitCode = await runShown(lint, ['--include-checks', 'I', '--template', 'deploy/aws/*.yaml']);
  if (process.exitCode === 0) say('the templates are clean');
});
