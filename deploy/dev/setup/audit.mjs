// Installs cargo-audit, which `npm run supply` asks, into the checkout.
import { join } from 'node:path';
import { isProgram, main } from '../base/process.mjs';
import { at } from '../base/project.mjs';
import { installVenv } from './venv.mjs';

/** The program. */
export const cargoAudit = join(at('.tools', 'audit'), 'bin', 'cargo-audit');

/** Makes sure that it is there. */
export const installAudit = () => installVenv('audit', 'cargo-audit');

if (isProgram(import.meta.url)) main(installAudit);
