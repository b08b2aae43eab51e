// A page with Plausible's older tracker, which writes requests as its script did for years, told another host.
import Plausible from 'plausible-tracker';

const { collector, domain } = window.config;
const { trackPageview, trackEvent } = Plausible({ domain, apiHost: collector, trackLocalhost: true });
const done = (call) => new Promise((resolve) => call({ callback: () => resolve(true) }));
const everything = async () => {
  await done((options) => trackPageview({ referrer: 'https://www.google.com/search' }, options));
  await done((options) => trackEvent('Signup', { ...options, props: { plan: 'pro' } }));
};
window.app = { everything };
