// The archive of one site: a message is one row, its lines gzipped; events whose id is known are left out.
import { DurableObject } from 'cloudflare:workers';
import { linesOf } from './ids.ts';
import type { Range } from './message.ts';
import type { Env } from './index.ts';

async function gzip(lines: Uint8Array): Promise<ArrayBuffer> {
  return new Response(new Blob([lines]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer();
}

export class Archive extends DurableObject<Env> {
  private readonly sql = this.ctx.storage.sql;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.sql.exec(`
      CREATE TABLE IF NOT EXISTS ids (id BLOB PRIMARY KEY) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS segments
        (seq INTEGER PRIMARY KEY, log_from INTEGER, log_to INTEGER, events INTEGER, lines BLOB);
    `);
  }

  /** Appends a message's lines, once. */
  append({ from, to }: Range, lines: Uint8Array): Promise<void> {
    // One at a time: what is known of ids must hold until the segment is written.
    return this.ctx.blockConcurrencyWhile(async () => {
      const places = linesOf(lines);
      const known = new Set(this.#known(places.map(({ id }) => id)));
      const fresh = places.filter(({ id }) => !known.has(id) && known.add(id));
      if (fresh.length === 0) return;
      const kept =
        fresh.length === places.length ? lines : join(fresh.map(({ start, end }) => lines.subarray(start, end)));
      const packed = await gzip(kept);
      this.ctx.storage.transactionSync(() => {
        this.sql.exec(
          'INSERT INTO ids SELECT unhex(value) FROM json_each(?)',
          JSON.stringify(fresh.map(({ id }) => id)),
        );
        this.sql.exec(
          'INSERT INTO segments (log_from, log_to, events, lines) VALUES (?, ?, ?, ?)',
          from,
          to,
          fresh.length,
          packed,
        );
      });
    });
  }

  #known(ids: string[]): string[] {
    const rows = this.sql.exec<{ id: string }>(
      'SELECT lower(hex(id)) AS id FROM ids WHERE id IN (SELECT unhex(value) FROM json_each(?))',
      JSON.stringify(ids),
    );
    return rows.toArray().map(({ id }) => id);
  }
}

function join(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
