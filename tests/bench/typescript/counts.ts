// Live counts of one site, and the batches that were counted.
import { DurableObject } from 'cloudflare:workers';
import { pathOf } from './privacy.ts';
import type { StoredEvent } from './stamp.ts';

const HOUR_MS = 3_600_000;
const LIVE_MS = HOUR_MS;
const BATCHES_MS = 7 * 24 * HOUR_MS;

/** What a batch adds to the counts. */
export interface Addition {
  batchId?: string;
  receivedAt: number;
  counts: { type: string; page: string; n: number }[];
  users: string[];
}

/** What events add: counts by type and page or feature, and who was there. */
export function additionOf(events: StoredEvent[], receivedAt: number, batchId?: string): Addition {
  const counts = new Map<string, Addition['counts'][number]>();
  for (const { eventType: type, eventData } of events) {
    const { url, path, page: name, feature } = eventData;
    const page =
      type === 'feature_use' ? String(feature) : type === 'page_view' ? pathOf(String(path ?? url ?? name ?? '')) : '';
    const key = `${type} ${page}`;
    const count = counts.get(key);
    if (count) count.n += 1;
    else counts.set(key, { type, page, n: 1 });
  }
  return { batchId, receivedAt, counts: [...counts.values()], users: [...new Set(events.map(({ userId }) => userId))] };
}

export class Counts extends DurableObject {
  private readonly sql = this.ctx.storage.sql;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.sql.exec(`
      CREATE TABLE IF NOT EXISTS counts
        (minute INTEGER, type TEXT, page TEXT, n INTEGER, PRIMARY KEY (minute, type, page)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS users (user_id TEXT PRIMARY KEY, seen_at INTEGER) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS batches (batch_id TEXT PRIMARY KEY, received_at INTEGER) WITHOUT ROWID;
    `);
    ctx.blockConcurrencyWhile(async () => {
      if ((await ctx.storage.getAlarm()) === null) await ctx.storage.setAlarm(Date.now() + HOUR_MS);
    });
  }

  /** Counts a batch, unless it was counted before. */
  commit({ batchId, receivedAt, counts, users }: Addition): { duplicate: boolean } {
    const minute = Math.floor(receivedAt / 60_000);
    return this.ctx.storage.transactionSync(() => {
      if (
        batchId &&
        this.sql.exec('INSERT OR IGNORE INTO batches VALUES (?, ?)', batchId, receivedAt).rowsWritten === 0
      )
        return { duplicate: true };
      for (const { type, page, n } of counts) {
        this.sql.exec(
          'INSERT INTO counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n',
          minute,
          type,
          page,
          n,
        );
      }
      for (const user of users) {
        this.sql.exec(
          'INSERT INTO users VALUES (?, ?) ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at',
          user,
          receivedAt,
        );
      }
      return { duplicate: false };
    });
  }

  /** The last hour, for a dashboard. */
  live() {
    const minutes = this.sql.exec('SELECT minute, type, sum(n) AS n FROM counts GROUP BY minute, type').toArray();
    const pages = this.sql
      .exec('SELECT page, sum(n) AS n FROM counts GROUP BY page ORDER BY n DESC LIMIT 20')
      .toArray();
    const active = this.sql.exec('SELECT count(*) AS n FROM users WHERE seen_at > ?', Date.now() - 300_000).one();
    return { minutes, pages, active };
  }

  override async alarm() {
    const now = Date.now();
    this.sql.exec('DELETE FROM counts WHERE minute < ?', (now - LIVE_MS) / 60_000);
    this.sql.exec('DELETE FROM users WHERE seen_at < ?', now - LIVE_MS);
    this.sql.exec('DELETE FROM batches WHERE received_at < ?', now - BATCHES_MS);
    await this.ctx.storage.setAlarm(now + HOUR_MS);
  }
}
