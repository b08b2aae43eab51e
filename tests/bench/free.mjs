// The part of docs/COST.md about the free plan: what `cargo test -p shoreline-tests --test e2e -- strict::free
// --nocapture` prints, which counts and holds it to the plan.

/** What was counted of a day, by what the plan limits: batches, cron, folds, dashboard, in all, the plan. */
const DAY = [
  ['requests of the worker', 5_000, 1_440, 48, 0, 6_488, 100_000],
  ['rows read in D1', 0, 25_920, 1_464, 0, 27_384, 5_000_000],
  ['rows written in D1', 0, 0, 792, 0, 792, 100_000],
  ['requests of objects', 10_000, 4_320, 144, 14_400, 28_864, 100_000],
  ['rows read in objects', 130_000, 30_240, 3_240, 0, 163_480, 5_000_000],
  ['rows written in objects', 50_000, 1_440, 264, 21_600, 73_304, 100_000],
  ['operations of queues', 7_500, 0, 0, 0, 7_500, 10_000],
];

const grouped = (/** @type {string | number} */ cell) =>
  typeof cell === 'number' ? `${cell}`.replace(/\B(?=(\d{3})+$)/g, ',') : cell;

export const FREE = `## The free plan

A day of 20,000 events in batches of 8, each alone in its message, with the dashboard's view of now open for ten hours,
fits Cloudflare's free plan. The table is computed from operations that the bindings of a local system counted
(\`strict::free\`): six batches, a minute of cron, a fold of some 50 events, three frames of the view. Folds are taken
for one an hour, which is more often than they are.

| a day | batches | cron | folds | dashboard | in all | the plan has |
|---|--:|--:|--:|--:|--:|--:|
${DAY.map((cells) => `| ${cells.map(grouped).join(' | ')} |`).join('\n')}

- Settings, in \`production.json\`:
  \`{"plan": "free", "vars": {"OPERATION_EVENTS": "off", "LAKE_SEAL_SECONDS": "3600"}}\`.
  With operation events on, the cron alone makes a message a minute.
- **The queue is the first limit**: 10,000 operations are 3,333 messages. In batches of 5 events, each alone, that is
  16,600 events a day. What the queue refuses stays in the log and is sent the next day; pages get their 202.
- The rows of objects are the second: 20 a batch. A dashboard that is open all day adds 51,840, not 21,600.
- D1's rows of folds grow with the keys of a fold (pages, referrers, …), not with its events.
- KV is read twice a minute while events come (2,880 a day of 100,000). R2 gets 24 objects a day.
- The plan has 313,000 GB-s of objects in memory a day. An object that never sleeps takes 10,800 (128 MB for a day): 28
  of them fit, and a small site has three.
- D1 has 500 MB there, all objects together 5 GB, and the queue keeps a message for 24 hours; the log sends again what
  the queue forgot. KV takes 1,000 writes a day: one for each change of a site or a key.
- **Not counted**: CPU. The free plan ends an invocation after 10 ms, and whether the consumer's, the cron's and a
  question's stay below has not been measured.

The plan's numbers were looked up in November 2026 in Cloudflare's documentation:
[Workers](https://developers.cloudflare.com/workers/platform/limits/),
[D1](https://developers.cloudflare.com/d1/platform/limits/), [Durable
Objects](https://developers.cloudflare.com/durable-objects/platform/pricing/),
[Queues](https://developers.cloudflare.com/queues/platform/pricing/),
[KV](https://developers.cloudflare.com/kv/platform/limits/). Nothing of this ran on a free account.

`;
