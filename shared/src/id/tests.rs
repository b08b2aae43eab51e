#![allow(clippy::arithmetic_side_effects)]

use proptest::prelude::*;
use uuid::{Uuid, Variant};

use super::*;

#[test]
fn only_the_hyphenated_form_is_a_uuid() {
    assert_eq!(
        parse_uuid("0198C1D2-ABCD-7000-8000-00000000000F").as_deref(),
        Some("0198c1d2-abcd-7000-8000-00000000000f")
    );
    // Any version and variant: the id is the sender's.
    assert!(parse_uuid("00000000-0000-0000-0000-000000000000").is_some());
    for bad in [
        "",
        "0198c1d2abcd7000800000000000000f",
        "{0198c1d2-abcd-7000-8000-00000000000f}",
        "urn:uuid:0198c1d2-abcd-7000-8000-00000000000f",
        "0198c1d2-abcd-7000-8000-00000000000g",
        "0198c1d2-abcd-7000-8000-00000000000",
        " 0198c1d2-abcd-7000-8000-00000000000",
        "0198c1d2-abcd-7000-80000-0000000000f",
        "0198c1d2-abcd-7000-8000-0000000000é",
    ] {
        assert_eq!(parse_uuid(bad), None, "{bad}");
    }
}

#[cfg(feature = "pipeline")]
#[test]
fn fields_of_a_derived_id_do_not_run_into_each_other() {
    let ids = [
        derived("a", "bc", 0),
        derived("ab", "c", 0),
        derived("a", "bc", 1),
        derived("a", "", 0),
        foreign("a", "bc"),
        foreign("ab", "c"),
    ];
    for (at, id) in ids.iter().enumerate() {
        assert!(!ids[..at].contains(id), "{id}");
    }
    // Pinned: events that are already stored were named so.
    assert_eq!(
        derived("demo", "0198c1d2-0000-7000-8000-000000000001", 3),
        PINNED_DERIVED
    );
    assert_eq!(foreign("demo", "ajs-next-1705334400000"), PINNED_FOREIGN);
}

#[cfg(feature = "pipeline")]
const PINNED_DERIVED: &str = "a248c143-9fd3-8542-8ad4-efada82df578";
#[cfg(feature = "pipeline")]
const PINNED_FOREIGN: &str = "bf0a1f24-4def-8a13-b8ce-a313ff53d2bc";

proptest! {
    #[cfg(feature = "pipeline")]
    #[test]
    fn the_bits_of_an_id_are_its_own(bits: u128, at in 0_usize..36, byte in 0x01_u8..0x7f) {
        let text = Uuid::from_u128(bits).to_string();
        prop_assert_eq!(uuid_bits(&text), Some(bits));
        prop_assert_eq!(uuid_bits(&text.to_uppercase()), Some(bits));
        let mut bytes = text.into_bytes();
        bytes[at] = byte;
        let text = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(uuid_bits(&text).is_some(), parse_uuid(&text).is_some());
    }

    #[test]
    fn v7_ids_are_valid_and_sort_by_time(now in 0_i64..253_402_300_800_000, later in 1_i64..1_000_000, random: [u8; 10], other: [u8; 10]) {
        let id = uuid_v7(now, random);
        let parsed = Uuid::parse_str(&id).unwrap();
        prop_assert_eq!(parsed.get_version_num(), 7);
        prop_assert_eq!(parsed.get_variant(), Variant::RFC4122);
        prop_assert_eq!(parse_uuid(&id.to_uppercase()), Some(id.clone()));
        prop_assert_eq!(i64::try_from(parsed.as_u128() >> 80).unwrap(), now);
        prop_assert!(id < uuid_v7(now + later, other));
    }

    #[test]
    fn no_moment_breaks_an_id(now: i64, random: [u8; 10]) {
        prop_assert!(parse_uuid(&uuid_v7(now, random)).is_some());
    }

    #[cfg(feature = "pipeline")]
    #[test]
    fn derived_ids_are_stable_and_valid(site: String, key: String, index: usize) {
        for (id, again) in [
            (derived(&site, &key, index), derived(&site, &key, index)),
            (foreign(&site, &key), foreign(&site, &key)),
        ] {
            let parsed = Uuid::parse_str(&id).unwrap();
            prop_assert_eq!(parsed.get_version_num(), 8);
            prop_assert_eq!(parsed.get_variant(), Variant::RFC4122);
            prop_assert_eq!(id, again);
        }
    }
}

#[test]
fn a_uuid_is_sixteen_bytes_and_nothing_else_is() {
    let uuid = "0198c1d2-0a0b-7c0d-8e0f-00112233445F";
    let bytes = uuid_bits(uuid).unwrap().to_be_bytes();
    assert_eq!(bytes[..4], [0x01, 0x98, 0xc1, 0xd2]);
    assert_eq!(bytes[15], 0x5f);
    for bad in [
        "",
        "0198c1d2",
        "0198c1d20a0b7c0d8e0f00112233445f",
        "0198c1d2-0a0b-7c0d-8e0f-00112233445",
        "0198c1d2-0a0b-7c0d-8e0f-00112233445f0",
        "0198c1d2-0a0b-7c0d-8e0f-0011223344-f",
        "0198c1d2-0a0b-7c0d-8e0f+00112233445f",
        "0198c1d2-0a0b-7c0d-8e0f-001122334xyz",
    ] {
        assert_eq!(uuid_bits(bad), None, "{bad}");
    }
}
