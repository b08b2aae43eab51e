//! Events that pass filters.

use super::filter::Filter;
use super::loaded::Loaded;

/// Events that pass, and what further filters ask of them.
#[derive(Clone, Copy)]
pub(super) struct Passing<'p, 'a> {
    pub(super) mask: &'p [bool],
    pub(super) loaded: &'p [Option<Loaded<'a>>],
    pub(super) did: &'p [Vec<bool>],
}

impl Passing<'_, '_> {
    /// Those that pass a filter, too, and what that takes.
    pub(super) fn through(&self, filter: Option<&Filter>) -> (Vec<bool>, usize) {
        let mut passing = self.mask.to_vec();
        let Some(filter) = filter else {
            return (passing, 0);
        };
        let mask = filter.mask(self.mask.len(), self.loaded, self.did);
        for (passes, more) in passing.iter_mut().zip(mask) {
            *passes &= more;
        }
        (passing, filter.work(self.loaded))
    }
}
