// What the tests need of the machine, and how it gets there on Debian: by apt, where that needs no
// password.
import { Failure, outputOf, runLogged, say, seconds } from '../base/process.mjs';

/**
 * A need, the packages that bring it, and commands any of which says that it is there.
 * @typedef {{ what: string, packages: string[], signs: [string, ...string[]][] }} Need
 */

/** Of the tests, end to end and of the lake's tables. @type {Need[]} */
export const TEST_NEEDS = [
  {
    what: 'Chromium',
    packages: ['chromium'],
    signs: [
      ['chromium', '--version'],
      ['chromium-browser', '--version'],
      ['google-chrome', '--version'],
    ],
  },
  {
    what: "Chromium's engine alone (chromium-headless-shell)",
    packages: ['chromium-headless-shell'],
    // The second name is that of Chrome for Testing.
    signs: [
      ['chromium-headless-shell', '--version'],
      ['chrome-headless-shell', '--version'],
    ],
  },
  { what: 'chromedriver', packages: ['chromium-driver'], signs: [['chromedriver', '--version']] },
  {
    what: 'Python 3 with venv',
    packages: ['python3', 'python3-venv'],
    // ensurepip is what python3-venv brings.
    signs: [['python3', '-c', 'import ensurepip, venv']],
  },
  { what: 'curl', packages: ['curl'], signs: [['curl', '--version']] },
];

/**
 * Whether this machine has apt, and how it lets us use it.
 * @typedef {{ apt: boolean, root: boolean, sudo: boolean }} Machine
 */

/**
 * The command that runs apt-get without asking anything, up to apt-get's own arguments.
 * @param {Machine} machine
 * @returns {string[] | undefined} undefined where there is none
 */
export function aptGet({ apt, root, sudo }) {
  if (!apt || !(root || sudo)) return undefined;
  // sudo takes no environment along.
  const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300'];
  return root ? quiet : ['sudo', '-n', ...quiet];
}

/** The sentence for what is missing and cannot be installed from here. @param {Need[]} missing */
export function lineToRun(missing) {
  const names = missing.map(({ what }) => what).join(', ');
  const line = `apt-get install --no-install-recommends ${missing.flatMap(({ packages }) => packages).join(' ')}`;
  return `this machine lacks ${names}; as root, on Debian, run: ${line}`;
}

/**
 * Makes sure that the machine has what is needed. Done again, it does nothing.
 * @param {Need[]} needs
 */
export async function installNeeds(needs) {
  const there = await Promise.all(needs.map(isThere));
  const missing = needs.filter((_, n) => !there[n]);
  if (missing.length === 0) return;
  const command = aptGet(await machine());
  if (command === undefined) throw new Failure(lineToRun(missing));
  const packages = missing.flatMap((need) => need.packages);
  const [program, ...args] = command;
  const start = Date.now();
  say(`installing ${packages.join(', ')} by apt`);
  // A list that cannot be fetched (another vendor's, say) does no harm if the packages are in the others.
  const update = [...args, '-o', 'APT::Update::Error-Mode=any', 'update'];
  const unfetched = await runLogged("fetch apt's lists", program, update).catch((error) => error);
  const install = [...args, 'install', '--yes', '--no-install-recommends', ...packages];
  await runLogged(`install ${packages.join(', ')}`, program, install).catch((error) => {
    throw unfetched ?? error;
  });
  const lacking = [];
  for (const need of missing) if (!(await isThere(need))) lacking.push(need);
  if (lacking.length > 0) throw new Failure(lineToRun(lacking));
  say(`installed ${packages.join(', ')} (${seconds(start)})`);
}

/** @param {Need} need */
async function isThere({ signs }) {
  const said = await Promise.all(signs.map(([command, ...args]) => outputOf(command, args)));
  return said.some((output) => output !== undefined);
}

/** @returns {Promise<Machine>} */
async function machine() {
  const succeeds = async (/** @type {string} */ command, /** @type {string[]} */ ...args) =>
    (await outputOf(command, args)) !== undefined;
  return {
    apt: await succeeds('apt-get', '--version'),
    root: process.getuid?.() === 0,
    sudo: await succeeds('sudo', '-n', 'true'),
  };
}
