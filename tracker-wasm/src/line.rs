//! The line that sealed batches wait in, oldest first.

use alloc::boxed::Box;
use core::iter::successors;

use crate::batch::SealedBatch;

/// Batches in line. A linked list: all that is done is to take out and put in somewhere, and a
/// vector's code for that is three times as large.
#[derive(Debug, Default)]
pub struct Line(Option<Box<Waiting>>);

/// A batch in line.
#[derive(Debug)]
pub struct Waiting {
    /// The batch.
    pub batch: SealedBatch,
    /// It was posted, and is not answered for yet.
    pub in_flight: bool,
    next: Line,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The batches, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Waiting> {
        successors(self.0.as_deref(), |waiting| waiting.next.0.as_deref())
    }

    /// The sum of something over all batches.
    pub fn sum(&self, of: impl Fn(&Waiting) -> usize) -> usize {
        self.iter().map(of).sum()
    }

    /// The line from the first batch on that is like that; its end if there is none.
    pub fn from(&mut self, is_it: impl Fn(&Waiting) -> bool) -> Option<&mut Self> {
        let mut rest = self;
        while rest.0.as_deref().is_some_and(|waiting| !is_it(waiting)) {
            rest = &mut rest.0.as_mut()?.next;
        }
        Some(rest)
    }

    /// Its first batch.
    pub fn first(&mut self) -> Option<&mut Waiting> {
        self.0.as_deref_mut()
    }

    /// Takes out its first batch.
    pub fn take(&mut self) -> Option<Box<Waiting>> {
        let mut waiting = self.0.take()?;
        self.0 = waiting.next.0.take();
        Some(waiting)
    }

    /// Puts a batch in before its first.
    pub fn put(&mut self, batch: SealedBatch) {
        let next = Self(self.0.take());
        self.0 = Some(Box::new(Waiting {
            batch,
            in_flight: false,
            next,
        }));
    }
}
