// The log of one site: a batch is one row of bytes, beside the row of its id.
import { DurableObject } from 'cloudflare:workers';
import { LiveCounts } from './counts.ts';
import { write, type Range } from './message.ts';
import type { Head } from './pass.ts';
import type { Env } from './index.ts';

/** A message's bytes at most: the queue takes 128,000 with everything. */
const MESSAGE_BYTES = 124_000;
const MAX_UNCONFIRMED = 64;
const GATHER_MS = 100;
const RESEND_MS = 30_000;

/** Rows read at once: as many of the usual size as fill a message. */
const ROWS = 16;

interface Row {
  [column: string]: SqlStorageValue;
  seq: number;
  body: ArrayBuffer;
}

export class Log extends DurableObject<Env> {
  private readonly sql = this.ctx.storage.sql;
  private readonly counts = new LiveCounts();
  /** What was sent and is not confirmed, and when: after a restart all of it is sent again. */
  private readonly unconfirmed = new Map<number, Range & { at: number }>();
  private sent = 0;
  /** The number of the next row: never one that was used, though the table may be empty. */
  private next = 1;
  private armedAt = Infinity;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.sql.exec(`
      CREATE TABLE IF NOT EXISTS batches (id BLOB PRIMARY KEY) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, head TEXT, body BLOB);
      CREATE TABLE IF NOT EXISTS saved (minute INTEGER PRIMARY KEY, upto INTEGER, counts TEXT);
    `);
    let upto = 0;
    for (const { minute, upto: row, counts } of this.sql.exec<{ minute: number; upto: number; counts: string }>(
      'SELECT * FROM saved',
    )) {
      this.counts.load(minute, JSON.parse(counts));
      upto = Math.max(upto, row);
    }
    this.next = upto + 1;
    for (const { seq, head } of this.sql.exec<{ seq: number; head: string }>(
      'SELECT seq, head FROM log WHERE seq > ? ORDER BY seq',
      upto,
    )) {
      this.counts.add(JSON.parse(head));
      this.next = seq + 1;
    }
  }

  /** Takes a batch, unless it was taken before. */
  commit(batchId: Uint8Array | undefined, lines: Uint8Array, head: Head): { duplicate: boolean } {
    const taken = this.ctx.storage.transactionSync(() => {
      if (batchId && this.sql.exec('INSERT OR IGNORE INTO batches VALUES (?)', batchId).rowsWritten === 0) return false;
      this.sql.exec('INSERT INTO log VALUES (?, ?, ?)', this.next, JSON.stringify(head), lines);
      return true;
    });
    if (taken) {
      this.next += 1;
      this.counts.add(head);
      this.#arm(GATHER_MS);
    }
    return { duplicate: !taken };
  }

  /** Forgets rows that are in the archive, and saves what they counted. */
  confirm(ranges: Range[]) {
    this.ctx.storage.transactionSync(() => {
      const minutes = new Set<number>();
      for (const { from, to } of ranges) {
        for (const { head } of this.sql.exec<{ head: string }>(
          'SELECT head FROM log WHERE seq BETWEEN ? AND ?',
          from,
          to,
        )) {
          minutes.add(Math.floor((JSON.parse(head) as Head).receivedAt / 60_000));
        }
        this.sql.exec('DELETE FROM log WHERE seq BETWEEN ? AND ?', from, to);
        this.unconfirmed.delete(from);
      }
      // All rows there are have been counted.
      for (const minute of minutes)
        this.sql.exec(
          'INSERT OR REPLACE INTO saved VALUES (?, ?, ?)',
          minute,
          this.next - 1,
          JSON.stringify(this.counts.of(minute)),
        );
    });
    if (this.unconfirmed.size >= MAX_UNCONFIRMED - ranges.length) this.#arm(1);
  }

  live() {
    return this.counts.live(Date.now());
  }

  state() {
    return this.sql.exec<{ waiting: number }>('SELECT count(*) AS waiting FROM log').one();
  }

  override async alarm() {
    this.armedAt = Infinity;
    const now = Date.now();
    this.counts.prune(now);
    for (const range of this.unconfirmed.values()) {
      if (now - range.at > RESEND_MS) await this.#send(range, this.#rows(range.from, range.to, MAX_UNCONFIRMED * ROWS));
    }
    while (this.unconfirmed.size < MAX_UNCONFIRMED) {
      const rows = this.#cut(this.#rows(this.sent + 1, Number.MAX_SAFE_INTEGER, ROWS));
      const [first, last] = [rows[0], rows.at(-1)];
      if (!first || !last) break;
      await this.#send({ from: first.seq, to: last.seq }, rows);
      this.sent = last.seq;
    }
    if (this.unconfirmed.size > 0) this.#arm(RESEND_MS);
  }

  #rows(from: number, to: number, limit: number): Row[] {
    return this.sql
      .exec<Row>('SELECT seq, body FROM log WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?', from, to, limit)
      .toArray();
  }

  /** As many rows as a message holds, at least one. */
  #cut(rows: Row[]): Row[] {
    let bytes = 0;
    const end = rows.findIndex(({ body }, at) => (bytes += body.byteLength) > MESSAGE_BYTES && at > 0);
    return end < 0 ? rows : rows.slice(0, end);
  }

  async #send(range: Range, rows: Row[]) {
    if (rows.length === 0) return;
    await this.env.EVENTS.send(
      write(
        range,
        rows.map(({ body }) => new Uint8Array(body)),
      ),
      { contentType: 'bytes' },
    );
    this.unconfirmed.set(range.from, { ...range, at: Date.now() });
  }

  #arm(ms: number) {
    const at = Date.now() + ms;
    if (this.armedAt <= at) return;
    this.armedAt = at;
    void this.ctx.storage.setAlarm(at);
  }
}
