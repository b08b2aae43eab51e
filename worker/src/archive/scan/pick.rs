//! What takes events that were picked by somebody else.

use std::ops::Range;

use crate::archive::segment::{Broken, Segment};

/// The events of a segment, and what each is; 0 of those that were not picked.
#[derive(Debug, Clone, Copy)]
pub struct Picked<'p, 'a> {
    /// The events.
    pub segment: &'p Segment<'a>,
    /// What they are: bits whose meaning whoever takes them tells.
    pub what: &'p [u32],
}

/// What takes events that were picked, as a [`super::Scan`] takes segments.
pub trait Pick {
    /// The moments (Unix milliseconds) whose events it is to be given now.
    fn window(&self) -> Range<i64>;
    /// Forgets all that it was given.
    fn reset(&mut self);
    /// Takes events of a segment. Nothing of one that is broken may be counted.
    ///
    /// # Errors
    /// Where the segment is broken.
    fn pick(&mut self, picked: Picked<'_, '_>) -> Result<(), Broken>;
    /// As [`super::Scan::is_full`].
    fn is_full(&self) -> bool {
        false
    }
    /// As [`super::Scan::settle`].
    fn settle(&mut self, _before: i64) {}
    /// As [`super::Scan::again`].
    fn again(&mut self) -> bool;
    /// Bytes that it holds, about.
    fn bytes(&self) -> usize;
    /// The hashes of the users whose ids are asked for, once it has seen all.
    fn whom(&self) -> Vec<u64> {
        Vec::new()
    }
    /// As [`super::Scan::part`].
    ///
    /// # Errors
    /// None, as what was found always serializes.
    fn part(&self, alone: bool) -> serde_json::Result<String>;
}
