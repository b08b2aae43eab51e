// Installs moto's server, which the tests of sinks talk to, into the checkout.
import { isProgram, main } from '../base/process.mjs';
import { installVenv } from './venv.mjs';

/** Makes sure that the server is there. */
export const installMoto = () => installVenv('moto', 'moto_server');

if (isProgram(import.meta.url)) main(installMoto);
