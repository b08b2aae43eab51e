// Segment's Node library, told another host. Arguments: the collector's URL, a write key, and what ids begin with.
import { Analytics } from '@segment/analytics-node';

const [host, writeKey, m = 'm'] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 4, flushInterval: 200, maxRetries: 0 });
const failures = [];
const statuses = [];
analytics.on('error', (error) => failures.push(String(error.reason ?? error.code)));
analytics.on('http_response', ({ status }) => statuses.push(status));

const timestamp = new Date(Date.now() - 60_000);
const context = {
  ip: '203.0.113.77',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36',
  locale: 'nl-NL',
};
const who = { userId: 'user-1', context, timestamp };
const send = () => {
  analytics.identify({ ...who, messageId: `${m}-identify`, traits: { plan: 'pro' } });
  analytics.track({
    ...who,
    messageId: `${m}-track`,
    event: 'Order Placed',
    properties: { total: 12.5, items: ['a', 'b'] },
  });
  analytics.page({
    ...who,
    messageId: `${m}-page`,
    category: 'Docs',
    name: 'Setup',
    properties: { url: 'https://shop.example/setup?utm_source=News', title: 'Setup' },
  });
  analytics.screen({ ...who, messageId: `${m}-screen`, name: 'Cart' });
  analytics.group({ ...who, messageId: `${m}-group`, groupId: 'acme', traits: { seats: 5 } });
  analytics.alias({ ...who, messageId: `${m}-alias`, previousId: 'anon-9' });
  analytics.track({ anonymousId: 'anon-9', messageId: `${m}-anonymous`, event: 'Looked', timestamp });
};
send();
await analytics.flush();
// What a retry after a lost answer sends: the same messages.
send();
await analytics.closeAndFlush();
console.log(JSON.stringify({ failures, statuses }));
