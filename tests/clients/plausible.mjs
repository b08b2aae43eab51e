// A page with Plausible's tracker, told another endpoint. `config` is in the page.
import { init, track } from '@plausible-analytics/tracker';

const { collector, domain } = window.config;
init({
  domain,
  endpoint: `${collector}/api/event`,
  captureOnLocalhost: true,
  outboundLinks: true,
  fileDownloads: true,
});
const sent = (name, options) => new Promise((callback) => track(name, { ...options, callback }));
window.app = { sent };
