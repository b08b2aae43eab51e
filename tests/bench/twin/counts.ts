// Live counts in memory, a fold of the log's rows.
import type { Head } from './pass.ts';

const USERS_MS = 300_000;

/** Of a minute: by type and page or feature. */
type Minute = Record<string, number>;

export class LiveCounts {
  private readonly minutes = new Map<number, Minute>();
  private readonly users = new Map<string, number>();

  /** Adds a batch; the minute that it changed. */
  add({ receivedAt, counts, users }: Head): number {
    const at = Math.floor(receivedAt / 60_000);
    const minute = this.of(at);
    for (const [type, page, n] of counts) {
      const key = `${type} ${page}`;
      minute[key] = (minute[key] ?? 0) + n;
    }
    for (const user of users) this.users.set(user, receivedAt);
    return at;
  }

  /** A saved minute, read back. */
  load(at: number, saved: Minute) {
    this.minutes.set(at, saved);
  }

  of(at: number): Minute {
    let minute = this.minutes.get(at);
    if (!minute) this.minutes.set(at, (minute = {}));
    return minute;
  }

  /** The last hour, for a dashboard. */
  live(now: number) {
    const active = [...this.users.values()].filter((seen) => seen > now - USERS_MS).length;
    return { minutes: [...this.minutes].filter(([at]) => at > now / 60_000 - 60), active };
  }

  /** Forgets what no dashboard shows. */
  prune(now: number) {
    for (const at of this.minutes.keys()) if (at < now / 60_000 - 60) this.minutes.delete(at);
    for (const [user, seen] of this.users) if (seen < now - USERS_MS) this.users.delete(user);
  }
}
