//! What was found of a user agent, for when it comes again.

/// Agents that are remembered. A busy isolate sees some hundred, most of them often.
const SLOTS: usize = 256;

/// Bytes of an agent that is worth remembering; browsers' have up to 300. With [`SLOTS`] this keeps
/// it under 128 KiB, whatever is sent.
const MAX_BYTES: usize = 512;

/// What was found of the agents seen last. Each has one place, which it shares with others: who comes
/// last has it.
#[derive(Debug)]
pub(crate) struct Remembered<T> {
    slots: Vec<Option<(Box<str>, T)>>,
}

impl<T: Copy> Remembered<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new() }
    }

    /// What `find` finds of this agent, now or before.
    pub(crate) fn get(&mut self, agent: &str, find: impl FnOnce(&str) -> T) -> T {
        if agent.len() > MAX_BYTES {
            return find(agent);
        }
        self.slots.resize_with(SLOTS, || None);
        let Some(slot) = self.slots.get_mut(place(agent.as_bytes())) else {
            return find(agent);
        };
        match slot {
            Some((known, found)) if **known == *agent => *found,
            _ => {
                let found = find(agent);
                *slot = Some((agent.into(), found));
                found
            }
        }
    }
}

/// Eight bytes at a time, mixed by the golden ratio (Knuth).
fn place(bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let (chunks, rest) = bytes.as_chunks::<8>();
    let rest = rest
        .iter()
        .fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    let words = chunks.iter().map(|chunk| u64::from_le_bytes(*chunk));
    let hash = words.chain([rest]).fold(bytes.len() as u64, |hash, word| {
        (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR)
    });
    (hash >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn an_agent_is_read_once_and_never_taken_for_another() {
        let mut remembered = Remembered::new();
        let reads = Cell::new(0);
        let mut get = |agent: &str| {
            remembered.get(agent, |agent| {
                reads.set(reads.get() + 1);
                agent.len()
            })
        };
        for _ in 0..3 {
            assert_eq!(get("Mozilla/5.0 (X11)"), 17);
            assert_eq!(get(""), 0);
        }
        assert_eq!(reads.get(), 2);
        // More of them than there are places.
        for n in 0..2_000_usize {
            let agent = format!("{n:0>width$}", width = 5 + n % 40);
            assert_eq!(get(&agent), agent.len());
            assert_eq!(get(&agent), agent.len());
        }
        assert_eq!(reads.get(), 2_002);
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let mut remembered = Remembered::new();
        let long = "x".repeat(MAX_BYTES + 1);
        assert_eq!(remembered.get(&long, str::len), MAX_BYTES + 1);
        assert!(remembered.slots.is_empty());
    }
}
