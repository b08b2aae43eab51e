//! Visits: when one ends and the next begins.

use alloc::string::String;

use crate::text::{cut, push_all, push_number, read_number};

/// A visit ends after this long without an event, milliseconds: the half hour that the other
/// analytics systems use, so that numbers can be compared.
pub const SESSION_IDLE_MS: f64 = 30.0 * 60.0 * 1000.0;

/// A visit is never longer than this, milliseconds. A tab that reports something every minute
/// (a player, a dashboard) would otherwise be one visit for weeks.
pub const SESSION_MAX_MS: f64 = 24.0 * 60.0 * 60.0 * 1000.0;

/// One visit, as text: id, begin and latest event, with blanks between. That is how the browser
/// keeps it, where all tabs of the site share it.
#[derive(Debug, Default)]
pub struct Session {
    text: String,
}

impl Session {
    /// None yet.
    pub const fn new() -> Self {
        Self {
            text: String::new(),
        }
    }

    /// The visit an event at `now` belongs to; a new one, with the id that is asked for then, if
    /// neither what is `stored` nor what this page remembers goes on.
    pub fn at(&mut self, now: f64, stored: &str, new_id: impl FnOnce() -> String) -> &str {
        // Another tab may have carried the visit on, or begun the next: what is stored goes first.
        let live = live(stored, now).or_else(|| live(&self.text, now));
        let (id, began) = match live {
            Some((id, began)) => (String::from(id), began),
            None => (new_id(), now),
        };
        self.text = id;
        for time in [began, now] {
            push_all(&mut self.text, &[" "]);
            push_number(&mut self.text, time);
        }
        &self.text
    }

    /// The visit's id.
    pub fn id(&self) -> &str {
        cut(&self.text, b' ').0
    }
}

/// The id and begin of a visit that goes on at `now`; none if it is over, or not one at all: what
/// is stored may have been written by anybody, and goes into every event as it is.
///
/// A visit that lies ahead of the clock is measured by the same limits: after a clock was set
/// back, it must not go on until the clock has caught up.
fn live(text: &str, now: f64) -> Option<(&str, f64)> {
    let (id, times) = cut(text, b' ');
    let (began, latest) = cut(times, b' ');
    let began = read_number(began);
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_live = id.bytes().all(is_id)
        && !id.is_empty()
        && (now - read_number(latest)).abs() <= SESSION_IDLE_MS
        && (now - began).abs() <= SESSION_MAX_MS;
    is_live.then_some((id, began))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: f64 = 1_705_334_400_000.0;
    const MINUTE: f64 = 60_000.0;

    /// The visit at `now` in a page that remembers nothing, and what would be stored of it.
    fn visit(now: f64, stored: &str) -> (String, String) {
        let mut session = Session::new();
        let text = String::from(session.at(now, stored, || String::from("new")));
        (String::from(session.id()), text)
    }

    #[test]
    fn a_visit_is_kept_as_text() {
        assert_eq!(
            visit(START, ""),
            ("new".into(), "new 1705334400000 1705334400000".into())
        );
        let stored = "old 1705334400000 1705334400000";
        assert_eq!(
            visit(START + 9.0, stored),
            ("old".into(), "old 1705334400000 1705334400009".into())
        );
    }

    #[test]
    fn half_an_hour_of_silence_ends_it() {
        let stored = "old 1705334400000 1705334400000";
        assert_eq!(visit(START + 30.0 * MINUTE, stored).0, "old");
        assert_eq!(visit(START + 30.0 * MINUTE + 1.0, stored).0, "new");
    }

    #[test]
    fn a_day_ends_it_however_busy_it_is() {
        let mut session = Session::new();
        let mut now = START;
        while now <= START + SESSION_MAX_MS {
            session.at(now, "", || String::from("first"));
            assert_eq!(session.id(), "first");
            now += 20.0 * MINUTE;
        }
        session.at(now, "", || String::from("second"));
        assert_eq!(session.id(), "second");
    }

    #[test]
    fn other_tabs_are_heard_first() {
        let mut session = Session::new();
        session.at(START, "", || String::from("mine"));
        let stored = "theirs 1705334400000 1705334400500";
        session.at(START + 1000.0, stored, || String::from("new"));
        assert_eq!(session.id(), "theirs");
        // Their visit is over, or the storage was cleared or is not writable: ours goes on.
        session.at(START + 2000.0, "theirs 1 2", || String::from("new"));
        assert_eq!(session.id(), "theirs");
        session.at(START + 3000.0, "", || String::from("new"));
        assert_eq!(session.id(), "theirs");
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_alive() {
        let ahead = "old 1705334400000 1705334400000";
        assert_eq!(visit(START - 31.0 * MINUTE, ahead).0, "new");
    }

    #[test]
    fn what_is_not_a_visit_is_not_taken_for_one() {
        let now = "1705334400000 1705334400000";
        for not_one in [
            "",
            " ",
            "x",
            "x y z",
            "18446744073709551616 9 9",
            "x -5 1e99",
        ] {
            assert_eq!(visit(START, not_one).0, "new", "{not_one}");
        }
        for id in ["", "\"", "a\"b", "a\\", "é", "{}"] {
            assert_eq!(visit(START, &format!("{id} {now}")).0, "new", "{id}");
        }
        // A line break belongs to the last line that the shell is given.
        assert_eq!(visit(START, &format!("a\nb {now}")).0, "new");
    }
}
