//! What the consumer does with queue messages: the site's archives, then the confirmation to the log. Where a site has
//! one archive, no event is read on the way.

use crate::archive::Appended;
use crate::archive::reshard::PAUSED;
use crate::protocol::{Confirmation, Message};

/// How long a message that failed waits before it is tried again, in seconds.
pub const RETRY_DELAY_S: u32 = 5;

/// Why a message could not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unstored {
    /// Its archives pause, which passes, and would be told of every message: it is no line of the log.
    Paused,
    /// Anything else.
    Failed,
}

impl Unstored {
    /// What an error says: it crosses from an object as text.
    pub fn of(error: &str) -> Self {
        match error.contains(PAUSED) {
            true => Self::Paused,
            false => Self::Failed,
        }
    }

    /// Its code in operation events.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Failed => "not_stored",
        }
    }
}

/// What all archives of a site say of a message.
pub fn united(parts: Vec<Appended>) -> Appended {
    let mut all = Appended::default();
    for part in parts {
        all.duplicates.extend(part.duplicates);
        all.unreadable.extend(part.unreadable);
    }
    all
}

/// What the log is told of a message that every archive has appended: all rows but those that nobody can
/// read, which it keeps until they are dead letters.
pub fn confirmation(message: &Message<'_>, appended: &Appended) -> Confirmation {
    let readable = |row: i64| appended.unreadable.iter().all(|(other, _)| *other != row);
    let rows = message.rows.iter().map(|row| row.seq);
    let rows = rows.filter(|row| readable(*row)).map(|row| {
        let found = appended.duplicates.iter().filter(|(of, _)| *of == row);
        (
            row,
            found.flat_map(|(_, ids)| ids.iter().cloned()).collect(),
        )
    });
    Confirmation::of(&message.epoch, rows)
}

/// Which of a queue's messages are of one site, in the order in which they came: an archive takes them
/// one after the other.
pub fn by_site<'a, T>(items: Vec<T>, site: impl Fn(&T) -> &'a str) -> Vec<Vec<T>> {
    let mut groups: Vec<(&'a str, Vec<T>)> = Vec::new();
    for item in items {
        let of = site(&item);
        match groups.iter_mut().find(|(site, _)| *site == of) {
            Some((_, group)) => group.push(item),
            None => groups.push((of, vec![item])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::MessageRow;

    #[test]
    fn an_archive_that_pauses_is_told_apart() {
        let paused = Unstored::of(&format!("/append: {PAUSED}"));
        assert_eq!((paused, paused.code()), (Unstored::Paused, "paused"));
        let failed = Unstored::of("/append: disk I/O error");
        assert_eq!((failed, failed.code()), (Unstored::Failed, "not_stored"));
    }

    #[test]
    fn rows_that_nobody_can_read_are_not_confirmed() {
        let row = |seq| MessageRow {
            seq,
            at: 1,
            n: 1,
            lines: b"",
        };
        let message = Message {
            site: "demo".into(),
            shard: 0,
            epoch: "e".into(),
            replay: None,
            rows: [1, 2, 3, 4].map(row).to_vec(),
        };
        let appended = Appended {
            duplicates: vec![(4, vec!["x".into()])],
            unreadable: vec![(2, "why".into())],
        };
        let other = Appended {
            duplicates: vec![(4, vec!["y".into()])],
            unreadable: Vec::new(),
        };
        let told = confirmation(&message, &united(vec![appended, other]));
        assert_eq!(
            (told.epoch.as_str(), told.ranges),
            ("e", vec![(1, 1), (3, 4)])
        );
        assert_eq!(told.duplicates, [(4, vec!["x".to_owned(), "y".to_owned()])]);
    }

    #[test]
    fn messages_of_a_site_stay_in_order() {
        let sites = ["a", "b", "a", "c", "b"];
        let groups = by_site((0..5).collect(), |n: &usize| sites[*n]);
        assert_eq!(groups, [vec![0, 2], vec![1, 4], vec![3]]);
    }
}
