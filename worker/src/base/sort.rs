//! Sorting in little code. The library's sorts are 3 to 5 KB of the worker for each type that is sorted; here
//! one heap sort of places serves all, and each type brings a comparison and a loop of swaps. It takes two
//! to three times as long, so what has a hundred thousand entries is sorted by the library: [`sort_pairs`].

use std::cmp::Ordering;

/// Sorts a list; what is equal stays in its order.
pub fn sort<T: Ord>(list: &mut [T]) {
    sort_by(list, T::cmp);
}

/// Sorts a list by an order; what is equal stays as it is.
pub fn sort_by<T>(list: &mut [T], order: impl Fn(&T, &T) -> Ordering) {
    let mut to = places(list.len(), &|a, b| {
        let pair = list.get(a).zip(list.get(b));
        pair.map_or(Ordering::Equal, |(a, b)| order(a, b))
    });
    for place in 0..list.len() {
        while let Some(target) = to.get(place).copied().filter(|target| *target != place) {
            list.swap(place, target);
            to.swap(place, target);
        }
    }
}

/// Sorts by the library what there may be hundreds of thousands of: numbers that are followed by others, in one
/// instance of its code for all.
#[inline(never)]
pub fn sort_pairs(list: &mut [(u64, u32)]) {
    list.sort_unstable();
}

/// Sorts in the total order of doubles.
pub fn sort_floats(list: &mut [f64]) {
    let mut pairs: Vec<(u64, u32)> = list.iter().map(|float| (ordered(*float), 0)).collect();
    sort_pairs(&mut pairs);
    for (float, (bits, _)) in list.iter_mut().zip(pairs) {
        *float = f64::from_bits(ordered_back(bits));
    }
}

/// A double as a number of the same order: of negative ones all bits are turned, of others the sign.
fn ordered(float: f64) -> u64 {
    let bits = float.to_bits();
    match bits >> 63 {
        0 => bits | SIGN,
        _ => !bits,
    }
}

/// The bits of the double that a number stands for.
fn ordered_back(ordered: u64) -> u64 {
    match ordered >> 63 {
        0 => !ordered,
        _ => ordered & !SIGN,
    }
}

const SIGN: u64 = 1 << 63;

/// Of each place, the one that its entry goes to.
fn places(len: usize, order: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let before = |a: usize, b: usize| order(a, b).then(a.cmp(&b)).is_lt();
    let mut heap: Vec<usize> = (0..len).collect();
    for root in (0..len / 2).rev() {
        sink(&mut heap, root, &before);
    }
    let mut to = vec![0; len];
    for end in (0..len).rev() {
        heap.swap(0, end);
        let (largest, rest) = (heap.get(end).copied(), heap.get_mut(..end));
        if let Some(slot) = largest.and_then(|largest| to.get_mut(largest)) {
            *slot = end;
        }
        sink(rest.unwrap_or_default(), 0, &before);
    }
    to
}

/// Lets an entry of a heap sink to where no entry below it is larger.
fn sink(heap: &mut [usize], mut root: usize, before: &dyn Fn(usize, usize) -> bool) {
    loop {
        let left = root.saturating_mul(2).saturating_add(1);
        let right = left.saturating_add(1);
        let at = |place: usize| heap.get(place).copied();
        let (Some(parent), Some(mut larger)) = (at(root), at(left)) else {
            return;
        };
        let mut child = left;
        if let Some(other) = at(right).filter(|other| before(larger, *other)) {
            (larger, child) = (other, right);
        }
        if !before(parent, larger) {
            return;
        }
        heap.swap(root, child);
        root = child;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_library_does(list in prop::collection::vec((0_u8..20, any::<u8>()), 0..200)) {
            let (mut ours, mut theirs) = (list.clone(), list.clone());
            sort(&mut ours);
            theirs.sort();
            prop_assert_eq!(ours, theirs);
            let (mut ours, mut theirs) = (list.clone(), list);
            sort_by(&mut ours, |a, b| a.0.cmp(&b.0));
            theirs.sort_by_key(|each| each.0);
            prop_assert_eq!(ours, theirs);
        }
    }
}
