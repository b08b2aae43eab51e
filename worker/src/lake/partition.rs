//! Where an object lies: one hour of `receivedAt` each, named so that no two are alike.

use chrono::{DateTime, Datelike, Timelike};

use crate::access::auth::is_site_id;
use crate::base::hash::hex;
use crate::base::time::HOUR_MS;
use crate::base::time::day;
use crate::protocol::names::OWN_SITE;

/// The hour (count of hours since 1970, UTC) that a moment lies in.
pub fn hour_of(at_ms: i64) -> i64 {
    at_ms.checked_div_euclid(HOUR_MS).unwrap_or(0)
}

/// The epoch of an `archive_do` whose storage was made at `now_ms`: 12 hex digits of the time and 8
/// random ones. An object whose storage was lost and made anew never names its objects like before.
pub fn epoch_name(now_ms: i64, random: [u8; 4]) -> String {
    format!("{now_ms:012x}{}", hex(&random))
}

/// `events/date=YYYY-MM-DD/hour=HH/<site>-<shard>-<epoch>-<sequence>.ndjson.gz`. The sequence has
/// ten digits, so that names sort as they were sealed.
pub fn object_key(site: &str, shard: u32, epoch: &str, sequence: i64, hour: i64) -> String {
    let at = DateTime::from_timestamp(hour.saturating_mul(3600), 0).unwrap_or_default();
    let (year, month, day) = (at.year(), at.month(), at.day());
    format!(
        "events/date={year:04}-{month:02}-{day:02}/hour={:02}/\
         {site}-{shard}-{epoch}-{sequence:010}.ndjson.gz",
        at.hour(),
    )
}

/// What the key of an object tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectName<'a> {
    /// The day of its events, since 1970.
    pub day: i64,
    /// The site.
    pub site: &'a str,
    /// Which of the site's archives made it.
    pub shard: u32,
    /// Of which storage of a shard it is.
    pub epoch: &'a str,
    /// Which of its objects.
    pub sequence: &'a str,
}

impl<'a> ObjectName<'a> {
    /// Reads an [`object_key`]; none: it is no such key.
    pub fn parse(key: &'a str) -> Option<Self> {
        let (date, rest) = key.strip_prefix("events/date=")?.split_once("/hour=")?;
        let (_, name) = rest.split_once('/')?;
        let mut parts = name.strip_suffix(".ndjson.gz")?.rsplitn(4, '-');
        let (sequence, epoch) = (parts.next()?, parts.next()?);
        let (shard, site) = (parts.next()?.parse::<u32>().ok()?, parts.next()?);
        (is_site_id(site) || site == OWN_SITE).then_some(())?;
        Some(Self {
            day: day(date)?,
            site,
            shard,
            epoch,
            sequence,
        })
    }

    /// A name for its events when they come from it: the object's own, and no batch's.
    pub fn part(&self) -> String {
        format!("lake-{}-{}", self.epoch, self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_tells_date_hour_site_shard_epoch_and_sequence() {
        let at = 1_705_334_400_000; // 2024-01-15T16:00:00Z
        assert_eq!(
            object_key("demo", 3, "epoch", 7, hour_of(at)),
            "events/date=2024-01-15/hour=16/demo-3-epoch-0000000007.ndjson.gz"
        );
        assert_eq!(epoch_name(at, [1, 2, 3, 255]), "018d0dd9e400010203ff");
    }

    #[test]
    fn shorelines_own_events_have_objects_too() {
        let key = object_key(OWN_SITE, 0, "epoch", 7, 0);
        assert_eq!(ObjectName::parse(&key).unwrap().site, OWN_SITE);
    }

    #[test]
    fn what_is_no_key_is_none() {
        for bad in [
            "",
            "events/",
            "events/date=2024-01-15/hour=16/notes.txt",
            "events/date=2024-01-15/hour=16/demo-x-epoch-0000000007.ndjson.gz",
            "events/date=2024-01-15/hour=16/-3-epoch.ndjson.gz",
            "events/date=2024-02-30/hour=16/demo-3-epoch-0000000007.ndjson.gz",
            "events/date=2024-01-15/hour=16/_other-3-epoch-0000000007.ndjson.gz",
            "erasures/0.json",
        ] {
            assert_eq!(ObjectName::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_read_as_it_was_made(
            site in "[a-z0-9-]{1,40}", shard in 0_u32..1_000, at in 0_i64..4_102_444_800_000,
            sequence in 0_i64..10_000_000_000, random: [u8; 4],
        ) {
            let epoch = epoch_name(at, random);
            let key = object_key(&site, shard, &epoch, sequence, hour_of(at));
            let read = ObjectName::parse(&key).unwrap();
            prop_assert_eq!(
                (read.day, read.site, read.epoch), (at / 86_400_000, site.as_str(), epoch.as_str())
            );
            prop_assert_eq!(read.part(), format!("lake-{epoch}-{sequence:010}"));
        }

        #[test]
        fn moments_share_a_partition_exactly_when_they_share_an_hour(
            a in 0_i64..4_102_444_800_000, step in 0_i64..7_200_000,
        ) {
            let b = a + step;
            let key = |at| object_key("s", 0, "e", 1, hour_of(at));
            prop_assert_eq!(key(a) == key(b), a / 3_600_000 == b / 3_600_000);
        }
    }
}
