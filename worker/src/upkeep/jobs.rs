//! How far the cron's jobs have come, over its runs.

use serde::Deserialize;

use crate::base::sql::Statement;

/// A row of [`load`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Job {
    /// The hour (start, Unix milliseconds) it last finished.
    pub done_for: i64,
    /// Where it goes on.
    pub cursor: String,
}

/// The statement that tells how far a job is.
pub fn load(job: &'static str) -> Statement {
    Statement::new(
        "SELECT done_for, cursor FROM jobs WHERE job = ?1",
        [job.into()],
    )
}

/// The statement that loads the one of a kind of job that was noted last.
pub fn latest(kind: &'static str) -> Statement {
    Statement::new(
        "SELECT done_for, cursor FROM jobs WHERE job >= ?1 || '/' AND job < ?1 || '0' \
         ORDER BY done_for DESC LIMIT 1",
        [kind.into()],
    )
}

/// The statement that forgets a job.
pub fn end(job: &str) -> Statement {
    Statement::new("DELETE FROM jobs WHERE job = ?1", [job.into()])
}

/// The statement that notes how far it is.
pub fn save(job: &str, progress: &Job) -> Statement {
    Statement::new(
        "INSERT INTO jobs (job, done_for, cursor) VALUES (?1, ?2, ?3) \
         ON CONFLICT (job) DO UPDATE SET done_for = excluded.done_for, cursor = excluded.cursor",
        [
            job.into(),
            progress.done_for.into(),
            progress.cursor.as_str().into(),
        ],
    )
}
