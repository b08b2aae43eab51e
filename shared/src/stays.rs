//! How long sessions were, and whether they were a bounce.
//!
//! Here, not in the worker beside the questions that ask for it, for the reason that [`crate::bits`] is here.

use crate::crowd::Chunks;

/// From how many milliseconds on a page was looked at, a session is no bounce.
pub const ENGAGED_MS: u16 = 10_000;

/// What an event of a type tells of its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    /// When it was, and no more.
    Moment,
    /// A page was viewed.
    View,
    /// Something was done beside viewing.
    Act,
    /// A page was left, which had been looked at for some time.
    Leave,
}

/// Events of sessions, each list with an entry for each event.
#[derive(Debug, Clone, Copy)]
pub struct Events<'e> {
    /// Places of the sessions; those of no session are passed over.
    pub places: &'e [u32],
    /// When they happened, Unix milliseconds.
    pub at: &'e [i64],
    /// Codes of their types.
    pub types: &'e [u32],
    /// Codes of how long a page was looked at.
    pub engaged: &'e [u32],
}

/// Milliseconds that the pages of a session were looked at, up to [`ENGAGED_MS`], and above them [`VIEWED`] and
/// [`STAYED`].
type State = u64;

/// Has a view.
const VIEWED: State = 1 << 14;

/// Has more than one view, or did something beside viewing.
const STAYED: State = 1 << 15;

/// Bits of a [`State`].
const STATE_BITS: u32 = 16;

const STATE: u64 = (1 << STATE_BITS) - 1;

/// How long a session may be: what is left of 64 bits, 8,900 years.
const LONGEST_MS: u64 = u64::MAX >> STATE_BITS;

/// A session: its first moment, and above its state how long it was.
#[derive(Debug, Clone, Copy)]
struct Stay {
    first: i64,
    rest: u64,
}

/// Before there is any event.
const NONE: Stay = Stay {
    first: i64::MAX,
    rest: 0,
};

/// Sessions by their places.
#[derive(Debug)]
pub struct Stays(Chunks<Stay>);

impl Default for Stays {
    fn default() -> Self {
        Self(Chunks::new(NONE))
    }
}

impl Stays {
    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// Takes events. `tells` and `engaged_ms` are by the codes of types and of how long a page was looked at, from
    /// code 1 on.
    #[inline(never)]
    pub fn take(&mut self, events: &Events<'_>, tells: &[Tells], engaged_ms: &[u16]) {
        let each = events.places.iter().zip(events.at);
        let each = each.zip(events.types).zip(events.engaged);
        for (((place, at), kind), engaged) in each {
            if *place == crate::crowd::NOBODY {
                continue;
            }
            let Some(stay) = self.0.slot(*place) else {
                continue;
            };
            let tells = entry(tells, *kind).unwrap_or(Tells::Moment);
            let ms = match tells {
                Tells::Leave => entry(engaged_ms, *engaged).unwrap_or(0),
                _ => 0,
            };
            *stay = stay.after(*at, tells, ms);
        }
    }

    /// Whether the session of a place was a bounce, and how long it was in milliseconds.
    pub fn of(&self, place: u32) -> (bool, i64) {
        let Stay { rest, .. } = self.0.get(place);
        let state = rest & STATE;
        let looked = state & (VIEWED - 1);
        let is_bounce = state & (VIEWED | STAYED) == VIEWED && looked < u64::from(ENGAGED_MS);
        (is_bounce, (rest >> STATE_BITS) as i64)
    }
}

/// What a code from 1 on stands for.
fn entry<T: Copy>(all: &[T], code: u32) -> Option<T> {
    all.get((code as usize).wrapping_sub(1)).copied()
}

impl Stay {
    /// With one more event.
    fn after(self, at: i64, tells: Tells, engaged: u16) -> Self {
        let mut lasted = self.rest >> STATE_BITS;
        let mut first = self.first;
        if first == i64::MAX {
            first = at;
        } else if at < first {
            lasted = lasted.saturating_add(first.abs_diff(at));
            first = at;
        } else {
            lasted = lasted.max(at.abs_diff(first));
        }
        let state = self.rest & STATE;
        let ms = (state & (VIEWED - 1)).saturating_add(u64::from(engaged));
        let mut next = state & (VIEWED | STAYED) | ms.min(u64::from(ENGAGED_MS));
        next |= match tells {
            Tells::View if state & VIEWED == 0 => VIEWED,
            Tells::View | Tells::Act => STAYED,
            Tells::Moment | Tells::Leave => 0,
        };
        let rest = lasted.min(LONGEST_MS) << STATE_BITS | next;
        Self { first, rest }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crowd::NOBODY;

    const TELLS: [Tells; 4] = [Tells::Moment, Tells::View, Tells::Act, Tells::Leave];
    const MS: [u16; 3] = [0, 4_000, 10_000];

    proptest! {
        #[test]
        fn they_are_what_their_events_are(
            all in prop::collection::vec((0_u32..5, 0_i64..1_000, 0_u32..6, 0_u32..5), 0..60),
        ) {
            let places: Vec<u32> = all.iter().map(|each| if each.0 == 4 { NOBODY } else { each.0 }).collect();
            let at: Vec<i64> = all.iter().map(|each| each.1).collect();
            let types: Vec<u32> = all.iter().map(|each| each.2).collect();
            let engaged: Vec<u32> = all.iter().map(|each| each.3).collect();
            let events = Events { places: &places, at: &at, types: &types, engaged: &engaged };
            let mut stays = Stays::default();
            stays.take(&events, &TELLS, &MS);
            for place in 0..4 {
                let own: Vec<_> = all.iter().filter(|each| each.0 == place).collect();
                let tells = |each: &(u32, i64, u32, u32)| entry(&TELLS, each.2).unwrap_or(Tells::Moment);
                let count = |want| own.iter().filter(|each| tells(each) == want).count();
                let looked: i64 = own.iter().filter(|each| tells(each) == Tells::Leave)
                    .map(|each| i64::from(entry(&MS, each.3).unwrap_or(0))).sum();
                let (first, last) = (own.iter().map(|each| each.1).min(), own.iter().map(|each| each.1).max());
                let is_bounce = count(Tells::View) == 1 && count(Tells::Act) == 0 && looked < i64::from(ENGAGED_MS);
                let lasted = last.unwrap_or(0).saturating_sub(first.unwrap_or(0));
                prop_assert_eq!(stays.of(place), (is_bounce, lasted));
            }
        }
    }
}
