//! Records by a hash, packed in pages: a table `(first BLOB PRIMARY KEY, body BLOB)` whose rows are what the
//! leaf pages of a B-tree are. A page holds the records from its `first` on (eight bytes, big endian) up to
//! the next page's. What changes many records goes through them in order of their hash, so it reads and
//! writes each page once: it costs pages, not records.

mod records;

use records::{Entries, Records, Visit, splits};

pub(crate) use records::unreadable;

use crate::base::sql::{Cell, Param, Sql, SqlError};

/// Bytes of a page at most, unless a single record is larger. Measured (`figures` in the tests of people) with
/// 200,000 users of 44 bytes: 240 pages, so a fold that touches all of them writes 240 rows and 9 MB. Pages of
/// 16 KB are 920 rows and no faster; of 256 KB 64 rows, but a fold of a few users then rewrites all of it.
pub const PAGE_BYTES: usize = 64 * 1024;

/// What a fold does beside computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It writes what it finds.
    Write,
    /// It writes nothing.
    Look,
}

/// A table of pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pages {
    /// Its name.
    pub(crate) table: &'static str,
    /// Bytes of a page at most.
    pub(crate) limit: usize,
}

/// What becomes of the records.
pub(crate) trait Change {
    /// The record of the hash at `place` of those that are changed, as it will be; `old` is empty where
    /// there is none yet. Nothing: it goes.
    ///
    /// # Errors
    /// Where the old one cannot be read.
    fn change(&mut self, place: usize, old: &[u8]) -> Result<Vec<u8>, SqlError>;

    /// Whether a record stays that is on a page with one that changes.
    fn keeps(&self, record: &[u8]) -> bool;
}

/// A page as it is read. One that is not stored is the empty page before the first.
struct Page {
    first: u64,
    next: Option<u64>,
    body: Option<Vec<u8>>,
}

impl Pages {
    /// Makes the table.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) fn create(self, sql: &impl Sql) -> Result<(), SqlError> {
        // Without rowids: a page that is new is one row written, not two.
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {} (first BLOB PRIMARY KEY, body BLOB NOT NULL) \
             WITHOUT ROWID",
            self.table
        );
        sql.run(&create, &[])
    }

    /// Changes the records of these hashes, which are in order and each once.
    ///
    /// # Errors
    /// Whatever the database or `change` says, and where a page cannot be read.
    pub(crate) fn update(
        self,
        sql: &impl Sql,
        hashes: &[u64],
        mode: Mode,
        change: &mut dyn Change,
    ) -> Result<(), SqlError> {
        let mut merge = Merge {
            hashes,
            done: 0,
            change,
            mode,
        };
        while let Some(hash) = hashes.get(merge.done) {
            let page = self.page_of(sql, *hash)?;
            let mut records = Records::default();
            merge.take(&page, &mut records)?;
            if mode == Mode::Look {
                continue;
            }
            // What has become small takes in what follows, so that pages do not get ever smaller.
            let mut next = page.next;
            while let Some(first) = next.filter(|_| records.body.len() < self.limit / 4) {
                let follows = self.page_of(sql, first)?;
                merge.take(&follows, &mut records)?;
                self.delete(sql, first)?;
                next = follows.next;
            }
            self.write(sql, &page, &records)?;
        }
        Ok(())
    }

    /// The record of a hash; nothing where there is none.
    ///
    /// # Errors
    /// Whatever the database says, and where the page cannot be read.
    pub(crate) fn get(self, sql: &impl Sql, hash: u64) -> Result<Vec<u8>, SqlError> {
        let page = self.page_of(sql, hash)?;
        let mut entries = Entries::of(page.body.as_deref().unwrap_or_default());
        while let Some(entry) = entries.next()? {
            if entry.hash == hash {
                return Ok(entry.record.to_vec());
            }
        }
        Ok(Vec::new())
    }

    /// Goes through the records of `pages` pages, from that on whose first hash is `from` or the next
    /// higher, and answers where to go on, as long as there are any.
    ///
    /// # Errors
    /// Whatever the database or `visit` says, and where a page cannot be read.
    pub(crate) fn walk(
        self,
        sql: &impl Sql,
        from: u64,
        pages: i64,
        visit: &mut Visit<'_>,
    ) -> Result<Option<u64>, SqlError> {
        let query = format!(
            "SELECT first, body FROM {} WHERE first >= ?1 ORDER BY first LIMIT ?2",
            self.table
        );
        let rows: Vec<[Cell; 2]> = sql.cells(&query, &[blob(from), pages.into()])?;
        let mut next = None;
        for [first, body] in rows {
            let mut entries = Entries::of(body.bytes());
            while let Some(entry) = entries.next()? {
                visit(entry.hash, entry.record)?;
            }
            next = hash_of(&first).and_then(|first| first.checked_add(1));
        }
        Ok(next)
    }

    fn page_of(self, sql: &impl Sql, hash: u64) -> Result<Page, SqlError> {
        let table = self.table;
        let query = format!(
            "SELECT p.first, p.body, \
             (SELECT min(n.first) FROM {table} AS n WHERE n.first > p.first) \
             FROM {table} AS p WHERE p.first <= ?1 ORDER BY p.first DESC LIMIT 1"
        );
        let rows: Vec<[Cell; 3]> = sql.cells(&query, &[blob(hash)])?;
        if let Some([first, body, next]) = rows.first() {
            return Ok(Page {
                first: hash_of(first).ok_or_else(unreadable)?,
                next: hash_of(next),
                body: Some(body.bytes().to_vec()),
            });
        }
        let lowest: Vec<[Cell; 1]> = sql.cells(&format!("SELECT min(first) FROM {table}"), &[])?;
        Ok(Page {
            first: 0,
            next: lowest.first().and_then(|[first]| hash_of(first)),
            body: None,
        })
    }

    /// Writes records in place of a page, as so many pages of about one size as they need.
    fn write(self, sql: &impl Sql, page: &Page, records: &Records) -> Result<(), SqlError> {
        if records.starts.is_empty() {
            return match page.body {
                Some(_) => self.delete(sql, page.first),
                None => Ok(()),
            };
        }
        if page.body.as_ref() == Some(&records.body) {
            return Ok(());
        }
        let upsert = format!(
            "INSERT INTO {} (first, body) VALUES (?1, ?2) \
             ON CONFLICT (first) DO UPDATE SET body = excluded.body",
            self.table
        );
        let mut first = page.first;
        let mut rest = records.body.as_slice();
        for (hash, start) in splits(records, self.limit) {
            let taken = records.body.len().saturating_sub(rest.len());
            let at = start.saturating_sub(taken);
            let (body, more) = rest.split_at_checked(at).ok_or_else(unreadable)?;
            sql.run(&upsert, &[blob(first), body.into()])?;
            (first, rest) = (hash, more);
        }
        sql.run(&upsert, &[blob(first), rest.into()])
    }

    fn delete(self, sql: &impl Sql, first: u64) -> Result<(), SqlError> {
        let delete = format!("DELETE FROM {} WHERE first = ?1", self.table);
        sql.run(&delete, &[blob(first)])
    }
}

/// The records that change, up to that at `done`, and what becomes of a page.
struct Merge<'m> {
    hashes: &'m [u64],
    done: usize,
    change: &'m mut dyn Change,
    mode: Mode,
}

impl Merge<'_> {
    /// Takes a page: its records and those that change, in order. A look leaves out what stays.
    fn take(&mut self, page: &Page, records: &mut Records) -> Result<(), SqlError> {
        let mut entries = Entries::of(page.body.as_deref().unwrap_or_default());
        while let Some(entry) = entries.next()? {
            self.add(Some(entry.hash), records)?;
            if self.hashes.get(self.done) == Some(&entry.hash) {
                self.put(entry.hash, entry.record, records)?;
            } else if self.mode == Mode::Write && self.change.keeps(entry.record) {
                records.keep(entry);
            }
        }
        self.add(page.next, records)
    }

    /// Adds those up to before `end` that change, of which there is no record.
    fn add(&mut self, end: Option<u64>, records: &mut Records) -> Result<(), SqlError> {
        while let Some(hash) = self.hashes.get(self.done) {
            if end.is_some_and(|end| *hash >= end) {
                break;
            }
            self.put(*hash, &[], records)?;
        }
        Ok(())
    }

    fn put(&mut self, hash: u64, old: &[u8], records: &mut Records) -> Result<(), SqlError> {
        let record = self.change.change(self.done, old)?;
        if !record.is_empty() && self.mode == Mode::Write {
            records.push(hash, &record);
        }
        self.done = self.done.saturating_add(1);
        Ok(())
    }
}

fn blob(hash: u64) -> Param {
    Param::Blob(hash.to_be_bytes().to_vec())
}

fn hash_of(cell: &Cell) -> Option<u64> {
    cell.bytes().try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests;
