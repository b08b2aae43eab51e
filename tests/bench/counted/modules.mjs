// The modules that stand before a worker's own, so that what it does is counted.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at } from '../../../deploy/dev/base/project.mjs';

/**
 * @param {string} root the folder of the worker's own `index.js`
 * @param {string[]} classes its Durable Objects
 * @returns {import('../../../deploy/dev/bench/system.mjs').Module[]}
 */
export function countedModules(root, classes) {
  const entry = [
    `import * as worker from './index.js';`,
    `import { countedObject, countedWorker } from './counters.js';`,
    ...classes.map((name) => `export const ${name} = countedObject('${name}', worker.${name});`),
    `export default countedWorker(worker.default);`,
  ];
  return [
    { type: 'ESModule', path: join(root, 'counted.js'), contents: entry.join('\n') },
    {
      type: 'ESModule',
      path: join(root, 'counters.js'),
      contents: readFileSync(at('tests', 'bench', 'counted', 'counters.mjs'), 'utf8'),
    },
  ];
}
