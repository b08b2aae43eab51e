//! What a site allows, where it differs from the deployment's defaults.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Days for which events may be kept, of a site or of all: what the longest funnel looks at, 2,160
/// hours, and what a database of 10 GB has room for.
pub const RETENTION_DAYS: RangeInclusive<u32> = 1..=90;

/// A site's own limits. What is left out is the deployment's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// Events of one visitor (address, user agent and key) a minute, 1 or more.
    #[serde(
        deserialize_with = "crate::base::whole::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(test, schema(minimum = 1, maximum = 4_294_967_295_u64))]
    pub visitor_per_minute: Option<u32>,
    /// Events of the whole site an hour (UTC), 1 or more.
    #[serde(
        deserialize_with = "crate::base::whole::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(test, schema(minimum = 1, maximum = 4_294_967_295_u64))]
    pub hourly_quota: Option<u32>,
    /// Days for which its events are kept ([`RETENTION_DAYS`]); what is older is not taken, either.
    #[serde(
        deserialize_with = "crate::base::whole::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(test, schema(minimum = 1, maximum = 90))]
    pub retention_days: Option<u32>,
    /// Whether the events of bots are stored, instead of counted and left out.
    pub keep_bots: bool,
}

/// The deployment's limits for sites that set none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// Events of one visitor a minute.
    pub visitor_per_minute: u32,
    /// Events of a site an hour; none where there is no quota.
    pub hourly_quota: Option<u32>,
}

impl Policy {
    /// Events of one visitor a minute.
    pub fn rate(&self, defaults: &Defaults) -> u32 {
        self.visitor_per_minute
            .unwrap_or(defaults.visitor_per_minute)
    }

    /// Days for which events are kept, where the deployment's default is `default` of them.
    pub fn retention(&self, default: u32) -> u32 {
        self.retention_days.unwrap_or(default)
    }

    /// Events that one of the site's `shards` may take an hour: the quota is cut evenly, so that the
    /// sum is never above it; but each may take one. A shard may be full while another has room.
    pub fn shard_quota(&self, defaults: &Defaults, shard: u32, shards: u32) -> Option<u32> {
        let quota = self.hourly_quota.or(defaults.hourly_quota)?;
        let share = quota.checked_div(shards)?;
        let rest = quota.checked_rem(shards)?;
        Some(share.saturating_add(u32::from(shard < rest)).max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEFAULTS: Defaults = Defaults {
        visitor_per_minute: 1_200,
        hourly_quota: None,
    };

    proptest! {
        #[test]
        fn the_shares_of_a_quota_are_the_quota(quota in 64_u32..1_000_000, shards in 1_u32..=64) {
            let policy = Policy { hourly_quota: Some(quota), ..Policy::default() };
            let shares = (0..shards).map(|shard| policy.shard_quota(&DEFAULTS, shard, shards).unwrap());
            prop_assert_eq!(shares.sum::<u32>(), quota);
        }
    }

    #[test]
    fn what_a_site_does_not_set_is_the_deployments() {
        let own = Policy {
            visitor_per_minute: Some(5),
            ..Policy::default()
        };
        assert_eq!(
            (own.rate(&DEFAULTS), Policy::default().rate(&DEFAULTS)),
            (5, 1_200)
        );
        assert_eq!(own.shard_quota(&DEFAULTS, 0, 1), None);
        assert_eq!(own.retention(30), 30);
        let short = Policy {
            retention_days: Some(7),
            ..own
        };
        assert_eq!(short.retention(30), 7);
        let quota = Defaults {
            hourly_quota: Some(7),
            ..DEFAULTS
        };
        assert_eq!(own.shard_quota(&quota, 0, 1), Some(7));
    }
}
