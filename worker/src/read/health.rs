//! `GET /health`: whether each dependency answers, and, with a read token, how full each is.

use serde::{Deserialize, Serialize};

use crate::archive::fold::{Sums, Table, Want};
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::lake::LakeState;
use crate::log::OutboxState;
use crate::observe::alert::SLOW_MS;

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It answers and keeps up.
    Healthy,
    /// It answers, and something needs a look.
    Degraded,
    /// It does not answer.
    Unhealthy,
}

/// What a check of one service found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Service {
    /// The finding.
    pub status: Condition,
    /// Why it is not healthy, in one sentence free of user data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
}

/// The answer for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The worst of the services.
    pub status: Condition,
    /// Everything else, for the holder of a read token alone.
    #[serde(flatten)]
    pub details: Option<Details>,
}

/// The answer's details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = HealthDetails))]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// When it was checked, Unix milliseconds.
    pub timestamp: i64,
    /// By service: `d1`, `site_do`, `events_queue`, `archive_do`, `r2`.
    pub services: Map<&'static str, Service>,
    /// Counts of the site.
    pub metrics: Metrics,
    /// What is durable and not landed yet.
    pub backlog: Backlog,
    /// Bytes of the D1 database, where the platform tells.
    #[cfg_attr(test, schema(required))]
    pub database_bytes: Option<u64>,
}

/// Stored events, ever.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = HealthMetrics))]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// All of them.
    pub total_events: i64,
    /// By type.
    pub events_by_type: Map<String, i64>,
    /// How events ended at the collector in the last 24 hours, by outcome.
    pub outcomes: Map<String, i64>,
}

/// What waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Backlog {
    /// In the outboxes, over all shards.
    pub outbox: OutboxState,
    /// In the lake's objects, over all shards.
    pub lake: LakeState,
}

/// One row of [`totals`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TotalRow {
    /// The type.
    pub event_type: String,
    /// Events of it.
    pub n: i64,
}

/// The statement that counts a site's stored events by type.
pub fn totals(site: &str) -> Statement {
    Statement::new(
        "SELECT event_type, sum(n) AS n FROM daily_counts WHERE site_id = ?1 GROUP BY event_type",
        [site.into()],
    )
}

/// What of the sums that D1 lacks it needs.
pub fn wants() -> Vec<Want> {
    vec![Want::new(Table::Minutes, &[], (i64::MIN, i64::MAX))]
}

impl Metrics {
    /// Takes the rows of [`totals`], and what these lack.
    pub fn add(&mut self, rows: Vec<TotalRow>, lacking: &Sums) {
        let more = lacking.minutes().map(|(_, event_type, _, n)| TotalRow {
            event_type: event_type.to_owned(),
            n,
        });
        for row in rows.into_iter().chain(more) {
            self.total_events = self.total_events.saturating_add(row.n);
            let sum = self.events_by_type.entry(row.event_type).or_default();
            *sum = sum.saturating_add(row.n);
        }
    }
}

/// How D1 does: whether its tables answer, and whether it takes a write.
pub fn database_service(reads: bool, writes: bool) -> Service {
    if !reads {
        return Service::unhealthy("The database does not answer, or lacks its tables.");
    }
    Service::degraded_if(!writes, "The database takes no write.")
}

/// How long what a write to D1 said is good, in milliseconds.
pub const WRITE_PROBE_MS: i64 = 20_000;

impl Service {
    /// It works.
    pub const HEALTHY: Self = Self {
        status: Condition::Healthy,
        detail: None,
    };

    /// It does not answer.
    pub fn unhealthy(detail: &'static str) -> Self {
        Self {
            status: Condition::Unhealthy,
            detail: Some(detail),
        }
    }

    /// It answers, and needs a look where `wrong`.
    pub fn degraded_if(wrong: bool, detail: &'static str) -> Self {
        if wrong {
            Self {
                status: Condition::Degraded,
                detail: Some(detail),
            }
        } else {
            Self::HEALTHY
        }
    }
}

impl Backlog {
    /// Adds a shard's outbox.
    pub fn add_outbox(&mut self, shard: &OutboxState) {
        let sum = &mut self.outbox;
        sum.parts = sum.parts.saturating_add(shard.parts);
        sum.events = sum.events.saturating_add(shard.events);
        sum.bytes = sum.bytes.saturating_add(shard.bytes);
        sum.unconfirmed_messages = sum
            .unconfirmed_messages
            .saturating_add(shard.unconfirmed_messages);
        sum.oldest_at = sum.oldest_at.into_iter().chain(shard.oldest_at).min();
    }

    /// Adds a lake shard.
    pub fn add_lake(&mut self, shard: &LakeState) {
        let sum = &mut self.lake;
        sum.pending_events = sum.pending_events.saturating_add(shard.pending_events);
        sum.pending_objects = sum.pending_objects.saturating_add(shard.pending_objects);
        sum.most_tries = sum.most_tries.max(shard.most_tries);
        sum.conflicts = sum.conflicts.saturating_add(shard.conflicts);
        sum.landed_events = sum.landed_events.saturating_add(shard.landed_events);
        sum.landed_objects = sum.landed_objects.saturating_add(shard.landed_objects);
        sum.pending_bytes = sum.pending_bytes.saturating_add(shard.pending_bytes);
        sum.backlog_limit_bytes = sum
            .backlog_limit_bytes
            .saturating_add(shard.backlog_limit_bytes);
        for state in &shard.sinks {
            match sum.sinks.iter_mut().find(|known| known.sink == state.sink) {
                Some(known) => known.add(state),
                None => sum.sinks.push(state.clone()),
            }
        }
    }
}

/// How the queue does, told by what waits for it: it has no check of its own.
pub fn queue_service(outbox: &OutboxState, now_ms: i64) -> Service {
    let slow = outbox
        .oldest_at
        .is_some_and(|at| now_ms.saturating_sub(at) > SLOW_MS);
    Service::degraded_if(
        slow,
        "Parts have been waiting for confirmation for minutes.",
    )
}

/// How the lake does, told by its sinks.
pub fn lake_service(lake: &LakeState) -> Service {
    let full = lake.pending_bytes.saturating_mul(2) > lake.backlog_limit_bytes;
    let findings = [
        (
            lake.conflicts > 0,
            "A key in the lake holds something else.",
        ),
        (
            lake.sinks.iter().any(|sink| sink.lasting),
            "A sink refuses what it gets; its code says why.",
        ),
        (
            lake.sinks.iter().any(|sink| sink.dead_objects > 0),
            "Objects that a sink refused are dead letters.",
        ),
        (lake.most_tries > 3, "Puts into the lake keep failing."),
        (
            lake.backlog_limit_bytes > 0 && full,
            "The lake's backlog is more than half full.",
        ),
    ];
    let found = findings.into_iter().find(|(wrong, _)| *wrong);
    found.map_or(Service::HEALTHY, |(wrong, detail)| {
        Service::degraded_if(wrong, detail)
    })
}

/// The worst condition of some services.
pub fn worst<'a>(services: impl IntoIterator<Item = &'a Service>) -> Condition {
    services
        .into_iter()
        .fold(Condition::Healthy, |worst, service| {
            match (worst, service.status) {
                (Condition::Unhealthy, _) | (_, Condition::Unhealthy) => Condition::Unhealthy,
                (Condition::Degraded, _) | (_, Condition::Degraded) => Condition::Degraded,
                _ => Condition::Healthy,
            }
        })
}
