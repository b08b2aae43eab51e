// Installs schemathesis, which tries the API by its description, into the checkout.
import { isProgram, main } from '../base/process.mjs';
import { installVenv } from './venv.mjs';

/** Makes sure that it is there. */
export const installSchemathesis = () => installVenv('schemathesis', 'schemathesis');

if (isProgram(import.meta.url)) main(installSchemathesis);
