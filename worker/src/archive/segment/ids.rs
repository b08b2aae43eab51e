//! Ids of events: of a UUIDv7 the time is not written again, of any other all 16 bytes are.

use super::Broken;
use super::bytes::{Reader, put_varint, unzigzag, zigzag};

/// Version and variant of a UUIDv7.
const V7: u128 = 0x7000_8000_0000_0000_0000;
/// Where they stand.
const VERSION_AND_VARIANT: u128 = 0xf000_c000_0000_0000_0000;
/// Bits of a UUIDv7 before its random ones are its time, Unix milliseconds.
const TIME_AT: u32 = 80;
/// Random bits behind the variant.
const LOW_BITS: u32 = 62;
const LOW: u128 = (1 << LOW_BITS) - 1;
/// Random bits that are written as they are: nine bytes. Two of the 74 are left for the varint.
const RAW_BITS: u32 = 72;
/// A varint that says: 16 bytes of any id follow.
const ANY: u64 = 1;
/// The first step that has no room beside two random bits and [`ANY`].
const FAR: u64 = 1 << 61;

/// The 74 random bits of an id, where it is a UUIDv7.
fn random(id: u128) -> Option<u128> {
    let is_v7 = id & VERSION_AND_VARIANT == V7;
    is_v7.then_some((id >> 64 & 0xfff) << LOW_BITS | id & LOW)
}

/// Writes ids beside the times of their events. Of a UUIDv7 that is how much further its time is from
/// the event's than that of the UUIDv7 before it was: 0 among events of one sender, whatever its clock.
pub(super) fn put_ids(out: &mut Vec<u8>, events: impl Iterator<Item = (u128, i64)>) {
    let mut last = 0_i64;
    for (id, at) in events {
        let drift = ((id >> TIME_AT) as i64).wrapping_sub(at);
        let step = zigzag(drift.wrapping_sub(last));
        match random(id).filter(|_| step < FAR) {
            Some(random) => {
                last = drift;
                let top = (random >> RAW_BITS) as u64;
                put_varint(out, step << 3 | top << 1);
                let [raw @ .., _, _, _, _, _, _, _] = random.to_le_bytes();
                out.extend_from_slice(&raw);
            }
            None => {
                put_varint(out, ANY);
                out.extend_from_slice(&id.to_le_bytes());
            }
        }
    }
}

/// Reads the ids of events that happened at these times.
pub(super) fn read_ids(bytes: &[u8], at: &[i64]) -> Result<Vec<u128>, Broken> {
    let mut reader = Reader(bytes);
    let mut last = 0_i64;
    let mut ids = Vec::with_capacity(at.len());
    for at in at {
        let head = reader.varint()?;
        if head & 1 == ANY {
            ids.push(u128::from_le_bytes(reader.array()?));
            continue;
        }
        let raw: [u8; 9] = reader.array()?;
        let raw = raw.iter().rev();
        let raw = raw.fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
        let random = u128::from(head >> 1 & 3) << RAW_BITS | raw;
        last = last.wrapping_add(unzigzag(head >> 3));
        let time = at.wrapping_add(last) as u128;
        let high = random >> LOW_BITS;
        ids.push(time << TIME_AT | high << 64 | V7 | random & LOW);
    }
    reader.end()?;
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v7(time: u64, random: u128) -> u128 {
        let random = random & !VERSION_AND_VARIANT & ((1 << TIME_AT) - 1);
        u128::from(time) << TIME_AT | V7 | random
    }

    proptest! {
        #[test]
        fn any_ids_come_back(
            events in prop::collection::vec(
                (any::<u128>(), any::<bool>(), 0_u64..1 << 48, prop_oneof![any::<i64>(), 0_i64..1 << 48]),
                0..20,
            ),
        ) {
            let made = |&(bits, is_v7, time, at): &(u128, bool, u64, i64)| {
                (if is_v7 { v7(time, bits) } else { bits }, at)
            };
            let events: Vec<(u128, i64)> = events.iter().map(made).collect();
            let (ids, at): (Vec<u128>, Vec<i64>) = events.iter().copied().unzip();
            let mut out = Vec::new();
            put_ids(&mut out, events.into_iter());
            prop_assert_eq!(read_ids(&out, &at), Ok(ids));
        }
    }

    #[test]
    fn ids_of_one_clock_take_ten_bytes() {
        // The sender's clock is 90 s behind; its ids and the times of its events differ by that.
        let events = (0..100).map(|n| {
            (
                v7(1_700_000_000_000 + n, u128::MAX),
                1_700_000_090_000 + n as i64,
            )
        });
        let mut out = Vec::new();
        put_ids(&mut out, events);
        assert_eq!(out.len(), 100 * 10 + 2);
    }
}
