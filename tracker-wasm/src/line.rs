//! The line that batches wait in, oldest first.

use crate::batch::{Batch, State};

/// Events kept at most while the collector cannot be reached: some hours of a busy visitor, and
/// what Snowplow keeps. The oldest batches give way.
pub const QUEUE_EVENTS: u32 = 1000;

/// Places in the line. No batch is empty, so there are never more batches than events.
const PLACES: usize = QUEUE_EVENTS as usize;

/// Batches in line: sealed ones, and the open one, if there is one, at the end.
#[derive(Debug)]
pub struct Line {
    places: [Batch; PLACES],
    len: usize,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Self {
        Self {
            places: [Batch::NONE; PLACES],
            len: 0,
        }
    }

    /// The batches, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Batch> {
        self.places.iter().take(self.len)
    }

    /// The batches, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Batch> {
        self.places.iter_mut().take(self.len)
    }

    /// The batch that takes events.
    pub fn open(&mut self) -> Option<&mut Batch> {
        self.iter_mut().find(|batch| batch.state == State::Open)
    }

    /// The sum of something over all batches; wrapping, as bytes in memory are fewer than there
    /// are numbers.
    pub fn sum(&self, of: impl Fn(&Batch) -> u32) -> u32 {
        self.iter()
            .fold(0, |sum, batch| sum.wrapping_add(of(batch)))
    }

    /// Where the batch with this handle stands.
    pub fn position(&self, handle: u32) -> Option<usize> {
        self.iter().position(|batch| batch.handle == handle)
    }

    /// Puts a batch in at a position, or at the end if the line is shorter; false if all places
    /// are taken.
    pub fn insert(&mut self, at: usize, batch: Batch) -> bool {
        if self.len >= PLACES {
            return false;
        }
        let at = at.min(self.len);
        self.len = self.len.wrapping_add(1);
        let mut moved = batch;
        for place in self.iter_mut().skip(at) {
            moved = core::mem::replace(place, moved);
        }
        true
    }

    /// Takes out the batch at a position.
    pub fn remove(&mut self, at: usize) -> Option<Batch> {
        let mut moved = Batch::NONE;
        let len = self.len;
        for place in self.places.iter_mut().take(len).skip(at).rev() {
            moved = core::mem::replace(place, moved);
        }
        if at < len {
            self.len = len.wrapping_sub(1);
        }
        (at < len).then_some(moved)
    }

    /// Takes out all of them.
    pub fn clear(&mut self) {
        self.len = 0;
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batch(handle: u32) -> Batch {
        Batch {
            handle,
            ..Batch::NONE
        }
    }

    proptest! {
        #[test]
        fn it_is_a_vector(steps in prop::collection::vec((any::<bool>(), 0_usize..12), 0..60)) {
            let mut line = Line::new();
            let mut model: Vec<u32> = Vec::new();
            for (n, (put, at)) in (1..).zip(steps) {
                if put {
                    prop_assert!(line.insert(at, batch(n)));
                    model.insert(at.min(model.len()), n);
                } else {
                    let expected = (at < model.len()).then(|| model.remove(at));
                    prop_assert_eq!(line.remove(at).map(|batch| batch.handle), expected);
                }
                let handles: Vec<u32> = line.iter().map(|batch| batch.handle).collect();
                prop_assert_eq!(&handles, &model);
            }
        }
    }

    #[test]
    fn it_has_an_end() {
        let mut line = Line::new();
        for _ in 0..PLACES {
            assert!(line.insert(0, batch(1)));
        }
        assert!(!line.insert(0, batch(1)));
    }
}
