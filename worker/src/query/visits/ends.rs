//! The first or the last views of sessions, and what is kept of them.

use shoreline_shared::crowd::{Chunks, Crowd};

use crate::query::ask::KEPT;

/// Stands for a number while several views of one moment are the nearest and do not have the same: no text has it.
const TIED: u32 = u32::MAX;

/// The views at one end of sessions. Views of one moment are in the order of their ids. Those take twice the memory of
/// a time, so they are looked at in a second pass, of those sessions alone where they matter.
#[derive(Debug)]
pub(super) struct Ends {
    is_last: bool,
    /// When the nearest view is, as [`Ends::near`] has it.
    at: Chunks<i64>,
    /// The numbers of its page, source and channel; 0 for none.
    numbers: [Chunks<u32>; KEPT],
    /// Places of sessions that are tied, and the id of the nearest view of each.
    tied: Crowd,
    ids: Chunks<u128>,
}

impl Ends {
    pub(super) fn new(is_last: bool) -> Self {
        Self {
            is_last,
            at: Chunks::new(i64::MAX),
            numbers: [const { Chunks::new(0) }; KEPT],
            tied: Crowd::default(),
            ids: Chunks::new(u128::MAX),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let numbers = self.numbers.iter().map(Chunks::bytes);
        numbers
            .fold(self.at.bytes(), usize::saturating_add)
            .saturating_add(self.tied.bytes())
            .saturating_add(self.ids.bytes())
    }

    /// The nearer a view is to this end, the less this is.
    const fn near(&self, at: i64) -> i64 {
        if self.is_last { !at } else { at }
    }

    /// Whether sessions are tied.
    pub(super) fn is_tied(&self) -> bool {
        !self.tied.is_empty()
    }

    /// Whether the id of a view matters.
    pub(super) fn wants(&self, place: u32, at: i64) -> bool {
        self.is_tied()
            && self.at.get(place) == self.near(at)
            && self.tied.find(place.into()).is_some()
    }

    /// Takes a view and what it has; with its id where that matters.
    pub(super) fn take(&mut self, place: u32, at: i64, id: Option<u128>, has: [u32; KEPT]) {
        let is_tie = match id {
            Some(id) => {
                if !self.wants(place, at) || !self.is_before(place, id) {
                    return;
                }
                false
            }
            None => {
                let near = self.near(at);
                let Some(nearest) = self.at.slot(place).filter(|nearest| near <= **nearest) else {
                    return;
                };
                let is_tie = *nearest == near;
                *nearest = near;
                is_tie
            }
        };
        // Source and channel are those of the first view.
        let kept = if self.is_last { 1 } else { KEPT };
        for (numbers, number) in self.numbers.iter_mut().zip(has).take(kept) {
            if numbers.get(place) != number
                && let Some(slot) = numbers.slot(place)
            {
                *slot = if is_tie { TIED } else { number };
            }
        }
    }

    /// Whether the view of an id is the nearest of a tied session so far.
    fn is_before(&mut self, place: u32, id: u128) -> bool {
        let id = if self.is_last { !id } else { id };
        let slot = self.tied.find(place.into());
        let slot = slot.and_then(|slot| self.ids.slot(slot));
        slot.is_some_and(|nearest| {
            let is_before = id <= *nearest;
            *nearest = id.min(*nearest);
            is_before
        })
    }

    /// All views of so many sessions were taken. Whether there are ties, for which all are to be taken again, with ids.
    pub(super) fn has_ties(&mut self, sessions: u32) -> bool {
        for place in 0..sessions {
            if self.numbers.iter().any(|all| all.get(place) == TIED) {
                self.tied.place(place.into());
            }
        }
        self.is_tied()
    }

    /// Keeps no more than [`Ends::number`] needs.
    pub(super) fn settle(&mut self) {
        let kept = std::mem::replace(self, Self::new(self.is_last));
        self.numbers = kept.numbers;
    }

    /// The number of what is kept of a session's view.
    pub(super) fn number(&self, place: u32, what: usize) -> u32 {
        self.numbers.get(what).map_or(0, |all| all.get(place))
    }
}
