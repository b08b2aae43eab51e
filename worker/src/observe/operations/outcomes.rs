//! How the events that calls brought ended.

use serde::{Serialize, Serializer};

use crate::protocol::counters::ACCEPTED;

/// Events by outcome, as the senders were told. Most calls bring nothing but what is accepted, which
/// is counted without memory of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes {
    accepted: u64,
    /// Few, each once, and none with 0.
    others: Vec<(&'static str, u64)>,
}

impl Outcomes {
    /// Adds `n` events that ended so.
    pub fn add(&mut self, code: &'static str, n: u64) {
        if n == 0 {
            return;
        }
        if code == ACCEPTED {
            self.accepted = self.accepted.saturating_add(n);
            return;
        }
        match self.others.iter_mut().find(|(known, _)| *known == code) {
            Some((_, sum)) => *sum = sum.saturating_add(n),
            None => self.others.push((code, n)),
        }
    }

    /// Adds another call's events.
    pub fn add_all(&mut self, other: &Self) {
        self.add(ACCEPTED, other.accepted);
        for (code, n) in &other.others {
            self.add(code, *n);
        }
    }

    /// Whether there were no events.
    pub fn is_empty(&self) -> bool {
        self.accepted == 0 && self.others.is_empty()
    }

    /// The outcomes that there were.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let accepted = (self.accepted > 0).then_some((ACCEPTED, self.accepted));
        accepted.into_iter().chain(self.others.iter().copied())
    }
}

impl Serialize for Outcomes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_added_by_their_code_and_what_did_not_happen_is_not_told() {
        let mut sum = Outcomes::default();
        sum.add(ACCEPTED, 0);
        sum.add("bot", 0);
        assert!(sum.is_empty());
        assert_eq!(serde_json::to_string(&sum).unwrap(), "{}");
        sum.add(ACCEPTED, 3);
        sum.add("bot", 1);
        let other = sum.clone();
        sum.add_all(&other);
        sum.add("duplicate", 1);
        assert_eq!(
            serde_json::to_string(&sum).unwrap(),
            r#"{"accepted":6,"bot":2,"duplicate":1}"#
        );
    }
}
