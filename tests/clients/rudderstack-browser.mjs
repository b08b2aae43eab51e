// A page with RudderStack's browser SDK, told other hosts. `config` is in the page.
import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';

const { collector, writeKey, beacon } = window.config;
const analytics = new RudderAnalytics();
const ready = new Promise((resolve) => analytics.ready(resolve));
analytics.load(writeKey, collector, {
  configUrl: collector,
  logLevel: 'DEBUG',
  useBeacon: beacon,
  beaconQueueOptions: { flushQueueInterval: 200 },
});
const everything = async () => {
  await ready;
  analytics.page('Docs', 'Setup', { colour: 'green' });
  analytics.track('Order Placed', { total: 12.5 });
  analytics.identify('user-1', { plan: 'pro' });
  analytics.group('acme', { seats: 5 });
  analytics.alias('user-2', 'user-1');
  return analytics.getAnonymousId();
};
window.app = { everything };
