// `npm run supply`: what Shoreline is built of may come from the registries alone, is pinned by its hash, and runs no
// script of its own unless package.json allows it; which licences it has; then what npm's registry and RustSec know of
// weaknesses. A copy of RustSec's advisories may lie in SHORELINE_ADVISORIES. `npm run supply -- sbom` prints the bill
// of materials (CycloneDX 1.5).
import { spawnSync } from 'node:child_process';
import { Failure, main, say } from '../base/process.mjs';
import { readText, root } from '../base/project.mjs';
import { cargoAudit, installAudit } from '../setup/audit.mjs';
import { crates as licensedCrates, forbidden, npmPackages } from './licences.mjs';

const CRATES = 'registry+https://github.com/rust-lang/crates.io-index';
const NPM = 'https://registry.npmjs.org/';

/** From which severity on a known weakness is a failure. */
const SEVERITY = 'high';

/**
 * @typedef {{ name: string, version: string, source?: string, checksum?: string }} Crate
 * @typedef {{
 *   version?: string, resolved?: string, integrity?: string, license?: string,
 *   hasInstallScript?: boolean, dev?: boolean
 * }} Package
 */

/** The crates of a lock file. @param {string} lock @returns {Crate[]} */
export function cratesIn(lock) {
  const field = (/** @type {string} */ text, /** @type {string} */ name) =>
    new RegExp(`^${name} = "([^"]*)"`, 'm').exec(text)?.[1];
  return lock
    .split('[[package]]')
    .slice(1)
    .map((text) => ({
      name: field(text, 'name') ?? '',
      version: field(text, 'version') ?? '',
      source: field(text, 'source'),
      checksum: field(text, 'checksum'),
    }));
}

/** The packages of a lock file, by their place. @param {string} lock @returns {[string, Package][]} */
export const packagesIn = (lock) => Object.entries(JSON.parse(lock).packages).filter(([place]) => place !== '');

/** The name of the package at a place. @param {string} place */
const nameAt = (place) => place.split('node_modules/').at(-1) ?? place;

/**
 * What is wrong with what is locked.
 * @param {Crate[]} crates
 * @param {[string, Package][]} packages
 * @param {Record<string, boolean>} allowed packages whose install scripts may run
 */
export function problems(crates, packages, allowed) {
  const wrong = [];
  for (const { name, version, source, checksum } of crates) {
    if (source === undefined) {
      if (!name.startsWith('shoreline')) wrong.push(`crate ${name} ${version} comes from no registry`);
    } else if (source !== CRATES) wrong.push(`crate ${name} ${version} comes from ${source}`);
    else if (!/^[0-9a-f]{64}$/.test(checksum ?? '')) wrong.push(`crate ${name} ${version} has no hash`);
  }
  for (const [place, { version, resolved, integrity, hasInstallScript }] of packages) {
    const name = nameAt(place);
    // The lock file leaves the registry to npm's configuration, and pins what it brings by hash.
    if (resolved !== undefined && !resolved.startsWith(NPM))
      wrong.push(`package ${name} ${version} comes from ${resolved}`);
    if (!integrity?.startsWith('sha512-')) wrong.push(`package ${name} ${version} has no hash`);
    if (hasInstallScript && !allowed[name]) wrong.push(`package ${name} ${version} wants to run a script`);
  }
  return wrong;
}

/**
 * The bill of materials.
 * @param {Crate[]} crates
 * @param {[string, Package][]} packages
 * @param {string} version of Shoreline
 */
export function bill(crates, packages, version) {
  const rust = crates
    .filter(({ source }) => source !== undefined)
    .map(({ name, version: of, checksum }) => ({
      type: 'library',
      'bom-ref': `pkg:cargo/${name}@${of}`,
      name,
      version: of,
      purl: `pkg:cargo/${name}@${of}`,
      hashes: [{ alg: 'SHA-256', content: checksum }],
    }));
  const npm = packages.map(([place, { version: of = '', integrity = '', license, dev }]) => {
    const name = nameAt(place);
    const purl = `pkg:npm/${name.replace('@', '%40')}@${of}`;
    const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
    const scope = dev ? 'excluded' : 'required';
    const licenses = license ? [{ expression: license }] : [];
    return {
      type: 'library',
      'bom-ref': purl,
      name,
      version: of,
      scope,
      purl,
      licenses,
      hashes: [{ alg: 'SHA-512', content }],
    };
  });
  const byRef = new Map([...rust, ...npm].map((component) => [component['bom-ref'], component]));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', name: 'shoreline', version } },
    components: [...byRef.values()],
  };
}

/** What the registry knows of weaknesses. One that cannot be asked is said: a change is not wrong for it. */
function audit() {
  const asked = spawnSync('npm', ['audit', `--audit-level=${SEVERITY}`, '--json'], { cwd: root, encoding: 'utf8' });
  let told;
  try {
    told = JSON.parse(asked.stdout);
  } catch {
    told = {};
  }
  const found = told.metadata?.vulnerabilities;
  if (!found) return say('npm audit could not be asked; known weaknesses were not looked for');
  const bad = found.high + found.critical;
  if (bad > 0) throw new Failure(`npm audit knows ${bad} weaknesses that are ${SEVERITY} or worse`);
  say('npm audit knows of no grave weakness');
}

/**
 * What RustSec's advisories say of the crates: a line for each weakness; undefined where there is no answer.
 * @param {string} output of cargo-audit
 */
export function weaknesses(output) {
  let told;
  try {
    told = JSON.parse(output).vulnerabilities;
  } catch {
    return undefined;
  }
  if (!Array.isArray(told?.list)) return undefined;
  /** @type {string[]} */
  const lines = told.list.map(
    (/** @type {any} */ { advisory, package: crate }) =>
      `crate ${crate.name} ${crate.version}: ${advisory.id} ${advisory.title}`,
  );
  return lines;
}

async function auditCrates() {
  const unasked = 'RustSec could not be asked; known weaknesses of crates were not looked for';
  try {
    await installAudit();
  } catch (error) {
    return say(`${unasked} (${error})`);
  }
  const copy = process.env.SHORELINE_ADVISORIES;
  const args = ['audit', '--json', ...(copy ? ['--db', copy, '--no-fetch', '--stale'] : [])];
  const found = weaknesses(spawnSync(cargoAudit, args, { cwd: root, encoding: 'utf8' }).stdout ?? '');
  if (!found) return say(unasked);
  if (found.length > 0) throw new Failure(found.join('\n'));
  say('RustSec knows of no weakness of a crate');
}

if (process.argv[1]?.endsWith('supply.mjs'))
  main(async () => {
    const crates = cratesIn(readText('Cargo.lock'));
    const packages = packagesIn(readText('package-lock.json'));
    const { allowScripts, version } = JSON.parse(readText('package.json'));
    if (process.argv[2] === 'sbom') return console.log(JSON.stringify(bill(crates, packages, version), null, 2));
    const wrong = problems(crates, packages, allowScripts);
    if (wrong.length > 0) throw new Failure(wrong.join('\n'));
    say(`${crates.length} crates and ${packages.length} packages are from their registries, each by its hash`);
    const licensed = [...licensedCrates(), ...npmPackages(packages)];
    const unlicensed = forbidden(licensed);
    if (unlicensed.length > 0) throw new Failure(unlicensed.join('\n'));
    say(`their licences are allowed (${licensed.filter(({ isShipped }) => isShipped).length} of them are shipped)`);
    audit();
    await auditCrates();
  });
