//! What is looked at every minute, and told when it begins and when it is over.

use super::Alert;
use crate::protocol::names::OWN_SITE;

/// A row that waits longer than this for its confirmation means that the queue or its consumer
/// does not keep up: well over the few seconds of a healthy way, and over one resend.
pub const SLOW_MS: i64 = 5 * 60_000;

/// How long a run of the cron may take, in milliseconds: the next one begins a minute after it.
pub const LONG_MS: i64 = 50_000;

/// Whether something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    kind: &'static str,
    code: &'static str,
    site: String,
    is_wrong: bool,
    wrong: &'static str,
    right: &'static str,
}

/// What a run of the cron came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// The jobs that failed.
    pub failed: Vec<&'static str>,
    /// Of each site that was looked at, when the oldest of what waits in its logs was received, Unix milliseconds.
    pub waiting: Vec<(String, Option<i64>)>,
}

impl Condition {
    /// D1 takes no write.
    pub fn d1_writes(is_wrong: bool) -> Self {
        Self {
            kind: "d1_writes",
            code: "refused",
            site: OWN_SITE.to_owned(),
            is_wrong,
            wrong: "D1 takes no write. Events are taken and landed all the same; sums, keys and dead letters wait.",
            right: "D1 takes writes again.",
        }
    }

    /// A run of the cron takes long, or did.
    pub fn cron_slow(is_wrong: bool) -> Self {
        Self {
            kind: "cron_slow",
            code: "slow",
            site: OWN_SITE.to_owned(),
            is_wrong,
            wrong: "a run of the cron takes longer than 50 seconds.",
            right: "the cron is done in time again.",
        }
    }

    /// A site's logs are not worked off.
    fn backlog(site: &str, is_wrong: bool) -> Self {
        Self {
            kind: "backlog",
            code: "growing",
            site: site.to_owned(),
            is_wrong,
            wrong: "events wait in the log for more than five minutes: the queue, its consumer or the archive does not \
                keep up. Nothing is lost. See backlog in GET /health.",
            right: "the log is worked off again.",
        }
    }

    /// A site's reconciliation does not close.
    pub fn reconciliation(site: &str, is_wrong: bool) -> Self {
        Self {
            kind: "reconciliation",
            code: "difference",
            site: site.to_owned(),
            is_wrong,
            wrong: "the reconciliation does not close. See GET /v1/analytics/reconciliation.",
            right: "the reconciliation closes again.",
        }
    }

    /// The alert that tells it, or that it is over.
    pub fn alert(&self) -> Alert {
        let text = if self.is_wrong {
            self.wrong
        } else {
            self.right
        };
        let of_site = match self.site.as_str() {
            OWN_SITE => String::new(),
            site => format!(" of site {site}"),
        };
        Alert {
            kind: self.kind.to_owned(),
            site_id: self.site.clone(),
            code: self.code.to_owned(),
            over: !self.is_wrong,
            text: format!("Shoreline{of_site}: {text}"),
        }
    }
}

impl Ran {
    /// What it tells.
    pub fn conditions(&self, took_ms: i64, now_ms: i64) -> Vec<Condition> {
        let failed = Condition {
            kind: "cron_failed",
            code: "failed",
            site: OWN_SITE.to_owned(),
            is_wrong: !self.failed.is_empty(),
            wrong: "a job of the cron failed; it is tried again every minute. See the log.",
            right: "the cron's jobs are done again.",
        };
        let is_late =
            |oldest: &Option<i64>| oldest.is_some_and(|at| now_ms.saturating_sub(at) > SLOW_MS);
        let backlogs = self
            .waiting
            .iter()
            .map(|(site, oldest)| Condition::backlog(site, is_late(oldest)));
        [failed, Condition::cron_slow(took_ms > LONG_MS)]
            .into_iter()
            .chain(backlogs)
            .collect()
    }

    /// Notes what waits in one of a site's logs.
    pub fn note(&mut self, site: &str, oldest: Option<i64>) {
        match self
            .waiting
            .iter_mut()
            .rev()
            .find(|(known, _)| known == site)
        {
            Some((_, known)) => *known = known.iter().copied().chain(oldest).min(),
            None => self.waiting.push((site.to_owned(), oldest)),
        }
    }

    /// The sites whose reconciliation is looked at in this minute: some of those that were woken, in turns.
    pub fn reconciled(&self, now_ms: i64) -> impl Iterator<Item = &str> {
        let turns = self.waiting.len().div_ceil(RECONCILED).max(1) as u64;
        let minute = now_ms.div_euclid(60_000).unsigned_abs();
        let turn = minute.checked_rem(turns).unwrap_or(0) as usize;
        let sites = self
            .waiting
            .chunks(RECONCILED)
            .nth(turn)
            .unwrap_or_default();
        sites.iter().map(|(site, _)| site.as_str())
    }
}

/// Sites whose reconciliation is looked at in a minute: each is a statement of D1 and some calls of objects.
const RECONCILED: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    fn told(conditions: &[Condition]) -> Vec<(String, String, bool)> {
        let alerts = conditions.iter().map(Condition::alert);
        alerts
            .map(|alert| (alert.kind, alert.site_id, alert.over))
            .collect()
    }

    #[test]
    fn a_run_tells_what_is_wrong_and_what_is_not() {
        let mut ran = Ran::default();
        ran.note("a", Some(NOW - SLOW_MS));
        ran.note("b", None);
        // Another shard of the same site waits longer.
        ran.note("b", Some(NOW - SLOW_MS - 1));
        ran.note("b", Some(NOW));
        let of = |kind: &str, site: &str, over| (kind.to_owned(), site.to_owned(), over);
        assert_eq!(
            told(&ran.conditions(LONG_MS, NOW)),
            [
                of("cron_failed", OWN_SITE, true),
                of("cron_slow", OWN_SITE, true),
                of("backlog", "a", true),
                of("backlog", "b", false),
            ]
        );
        ran.failed.push("recount");
        assert_eq!(
            told(&ran.conditions(LONG_MS + 1, NOW))[..2],
            [
                of("cron_failed", OWN_SITE, false),
                of("cron_slow", OWN_SITE, false)
            ]
        );
        let text = Condition::reconciliation("a", true).alert().text;
        assert!(text.starts_with("Shoreline of site a: the reconciliation does not close"));
    }

    #[test]
    fn every_site_is_reconciled_in_turn() {
        let mut ran = Ran::default();
        (0..25).for_each(|n| ran.note(&format!("s{n}"), None));
        let mut seen: Vec<&str> = Vec::new();
        for minute in 0..3 {
            seen.extend(ran.reconciled(NOW + minute * 60_000));
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 25);
        assert_eq!(Ran::default().reconciled(NOW).count(), 0);
    }
}
