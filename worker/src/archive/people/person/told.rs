//! What is told of a user, and what several ids of one person come to.

use super::{Person, USER, gap_on, joined};

impl Person {
    /// Takes what else is known of the user: all of it.
    pub(crate) fn unite_all(&mut self, other: Self) {
        self.unite(&other);
        for (id, days) in other.keys {
            match self.keys.binary_search_by_key(&id, |(id, _)| *id) {
                Err(place) => self.keys.insert(place, (id, days)),
                Ok(place) => {
                    if let Some((_, own)) = self.keys.get_mut(place) {
                        *own = joined(own, days.into_iter(), &mut |_, _, _| ());
                    }
                }
            }
        }
    }

    /// The keys that they had, by id and day, each with the days since they had it last.
    pub(crate) fn gaps(&self, tell: &mut dyn FnMut(u32, i64, i64)) {
        let keys = self.keys.iter().map(|(id, days)| (*id, days));
        for (id, days) in [(USER, &self.days)].into_iter().chain(keys) {
            joined(&[], days.iter().copied(), &mut |day, gap, _| {
                tell(id, day, gap)
            });
        }
    }

    /// The keys that the user had on a day, by their ids, each with the days since they had it last.
    pub(crate) fn gaps_on(&self, day: i64, tell: &mut dyn FnMut(u32, i64)) {
        let keys = self.keys.iter().map(|(id, days)| (*id, days));
        for (id, days) in [(USER, &self.days)].into_iter().chain(keys) {
            if let Some(gap) = gap_on(days, day) {
                tell(id, gap);
            }
        }
    }
}
