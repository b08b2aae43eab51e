// Checked by `tsc`, never run: what the types of the package allow, and what they do not.
import tracker, { init, feature, flush, on, type Outcome } from 'shoreline-tracker';

init({
  key: 'k',
  collector: new URL('https://collector.example'),
  sample: 0.5,
  storage: 'none',
  consent: 'denied',
  vitals: true,
});
tracker.page();
tracker('feature', 'export', { rows: 20 });
feature('export');
tracker.track('page_leave', { by: 'hand' });
tracker.content('article', { words: 300 });
tracker.ai({ model: 'm', tokens: 3, cost: '0.001' });
tracker.error(new Error('gone'), { part: 'chart' });
tracker.identify('user');
tracker.identify(null);
tracker.reset();
tracker.consent('granted');
tracker.optOut();
tracker.optIn();
const outcome: Promise<Outcome> = flush();
void outcome.then(({ sent, rejected, dropped, pending }) => sent + rejected + dropped + pending);
on('sent', ({ batchId, events, status }) => `${batchId} ${events + status}`);
on('dropped', ({ events, reason }) => (reason === 'no_room' ? events : 0));
on('event', ({ eventId, metadata }) => eventId + metadata.platform);

// @ts-expect-error: a key is required
init({});
// @ts-expect-error: consent is one of two words
tracker.consent('maybe');
// @ts-expect-error: a model is required
tracker.ai({ tokens: 3 });
// @ts-expect-error: there is no such report
on('lost', () => {});
// @ts-expect-error: there is no such call
tracker.nothing();
// @ts-expect-error: storage is left to the browser, or none
init({ key: 'k', storage: 'cookies' });
