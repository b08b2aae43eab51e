use std::io::Write;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const MANY: usize = 1_000_000;

fn packed(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn members_are_read_one_behind_the_other() {
    let members: Vec<u8> = [&b"{\"events\":"[..], b"", b"[1,2]", b"}"]
        .into_iter()
        .zip([0, 6, 9, 1])
        .flat_map(|(bytes, level)| packed(bytes, level))
        .collect();
    assert_eq!(gunzip(&members, MANY).unwrap(), b"{\"events\":[1,2]}");
    let padded = [members.as_slice(), &[0; 100]].concat();
    assert_eq!(gunzip(&padded, MANY).unwrap(), b"{\"events\":[1,2]}");
    let dirty = [members.as_slice(), b"{}"].concat();
    assert_eq!(gunzip(&dirty, MANY), Err(GunzipError::Broken));
}

#[test]
fn a_header_may_say_more() {
    let mut bytes = Vec::new();
    let builder = GzBuilder::new().filename("a").comment("b").extra([1, 2, 3]);
    let mut encoder = builder.write(&mut bytes, Compression::best());
    encoder.write_all(b"text").unwrap();
    encoder.finish().unwrap();
    assert_eq!(gunzip(&bytes, MANY).unwrap(), b"text");
    // With a check of the header, too, which no packer writes.
    let mut checked = packed(b"text", 6);
    checked[3] |= 2;
    let [low, high, ..] = crc32(&checked[..10]).to_le_bytes();
    checked.splice(10..10, [low, high]);
    assert_eq!(gunzip(&checked, MANY).unwrap(), b"text");
    checked[10] ^= 1;
    assert_eq!(gunzip(&checked, MANY), Err(GunzipError::Broken));
}

#[test]
fn no_body_unpacks_without_end() {
    let bomb = packed(&vec![0; 50_000_000], 9);
    assert!(bomb.len() < 60_000);
    assert_eq!(gunzip(&bomb, MANY), Err(GunzipError::TooLarge));
    let members: Vec<u8> = (0..10).flat_map(|_| packed(&[7; 1_000], 6)).collect();
    assert_eq!(gunzip(&members, 10_000).unwrap(), [7; 10_000]);
    assert_eq!(gunzip(&members, 9_999), Err(GunzipError::TooLarge));
    assert_eq!(
        gunzip(&packed(&[7; 1_000], 0), 999),
        Err(GunzipError::TooLarge)
    );
}

#[test]
fn what_is_no_gzip_is_told() {
    let good = packed(b"some text, some text", 6);
    for end in 0..good.len() {
        assert_eq!(
            gunzip(&good[..end], MANY),
            Err(GunzipError::Broken),
            "{end}"
        );
    }
    for at in (0..4).chain(10..good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        assert!(gunzip(&bad, MANY).is_err(), "{at}");
    }
    // A member looks back into none before it: this one begins with a distance of 1.
    let mut back = good.clone();
    back.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x03, 0x02, 0x00]);
    back.extend([0; 8]);
    assert_eq!(gunzip(&back, MANY), Err(GunzipError::Broken));
    assert_eq!(gunzip(b"", MANY), Err(GunzipError::Broken));
}

/// Bytes as they are sent, and odd ones: texts that repeat themselves, noise, runs.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..2_000),
        ("[a-f{}\",:]{1,40}", 1_usize..3_000)
            .prop_map(|(text, times)| text.repeat(times).into_bytes()),
        vec((any::<u8>(), 1_usize..400), 0..200)
            .prop_map(|runs| runs.iter().flat_map(|(byte, n)| vec![*byte; *n]).collect()),
        // Rare symbols have long codes.
        vec(0_u32..65_536, 0..20_000)
            .prop_map(|all| all.iter().map(|n| (n.leading_zeros() as u8) * 7).collect()),
    ]
}

proptest! {
    #[test]
    fn what_was_packed_comes_back(parts in vec((bytes(), 0_u32..=9), 1..4)) {
        let members: Vec<u8> = parts.iter().flat_map(|(bytes, level)| packed(bytes, *level)).collect();
        let all: Vec<u8> = parts.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        prop_assert_eq!(gunzip(&members, MANY.max(all.len())).unwrap(), all);
    }

    /// Whatever is done to a body, it is refused or gives what another reader makes of it.
    #[test]
    fn what_is_damaged_is_read_as_others_read_it(bytes in bytes(), level in 0_u32..=9, at: prop::sample::Index, byte: u8) {
        let mut body = packed(&bytes, level);
        let at = at.index(body.len());
        body[at] = byte;
        let mut theirs = Vec::new();
        let read = std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&body[..]), &mut theirs);
        match gunzip(&body, 10 * MANY) {
            Ok(ours) => prop_assert!(read.is_ok() && ours == theirs),
            Err(_) => prop_assert!(read.is_err() || at < 10),
        }
    }

    #[test]
    fn anything_is_read(bytes in vec(any::<u8>(), 0..300)) {
        let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        body.extend(&bytes);
        prop_assert!(gunzip(&body, 1_000).map_or(true, |out| out.len() <= 1_000));
    }
}
