// A page with Segment's browser SDK, told another host for its settings. `config` is in the page.
import { AnalyticsBrowser } from '@segment/analytics-next';

const { collector, writeKey, batching } = window.config;
const own = batching
  ? {
      integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 6, timeout: 500 } } } },
    }
  : {};
const analytics = AnalyticsBrowser.load({ writeKey, cdnURL: collector }, own);
const everything = async () => {
  const sent = [
    await analytics.page('Docs', 'Setup', { colour: 'green' }),
    await analytics.track('Order Placed', { total: 12.5 }),
    await analytics.identify('user-1', { plan: 'pro' }),
    await analytics.group('acme', { seats: 5 }),
    await analytics.screen('Cart'),
    await analytics.alias('user-2'),
  ];
  return sent.map((context) => context.event.messageId);
};
window.app = { everything, anonymousId: async () => (await analytics.user()).anonymousId() };
