// Statements, with one crossing from wasm for each and one back with all of its rows, as `sql/table.rs` reads them.

/**
 * The rows of a statement of a Durable Object: `[columns, rows]`.
 * @param {any} storage
 * @param {string} statement
 * @param {any[]} params
 */
export function table(storage, statement, params) {
  const cursor = storage.exec(statement, ...params);
  const columns = cursor.columnNames;
  return JSON.stringify([columns, [...cursor.raw()]]);
}

/**
 * The rows of a statement of a Durable Object, of which some values are bytes: the rows as JSON, in which these are
 * `[]`, and behind it the bytes, in their order.
 * @param {any} storage
 * @param {string} statement
 * @param {any[]} params
 */
export function cells(storage, statement, params) {
  const rows = [...storage.exec(statement, ...params).raw()];
  const blobs = [];
  for (const row of rows) {
    for (let at = 0; at < row.length; at += 1) {
      if (row[at] instanceof ArrayBuffer) {
        blobs.push(new Uint8Array(row[at]));
        row[at] = [];
      }
    }
  }
  return [JSON.stringify(rows), ...blobs];
}

/**
 * The rows of each of some statements of D1, which all are done or none: `[columns, rows]`, and behind these how many
 * rows were read and the bytes of the database, where D1 tells.
 * @param {Record<string, any>} env
 * @param {string} database
 * @param {any[]} statements each a text followed by its parameters
 */
export async function batch(env, database, statements) {
  const prepared = statements.map(([text, ...params]) => env[database].prepare(text).bind(...params));
  const results = prepared.length === 1 ? [await prepared[0].all()] : await env[database].batch(prepared);
  return JSON.stringify(
    results.map(({ results: rows = [], meta }) => {
      const columns = rows.length === 0 ? [] : Object.keys(rows[0]);
      return [columns, rows.map(Object.values), meta?.rows_read, meta?.size_after];
    }),
  );
}
