//! What the pass asks of the collector.

use shoreline_shared::id;
use shoreline_shared::pass::{self, Collector, Common, Origin, Pass, Told};

use super::Context;
use crate::ingest::draft::Body;
use crate::ingest::enrich::agent::{Agent, read_agent};
use crate::ingest::enrich::bots::is_spam_referrer;
use crate::ingest::enrich::campaign;
use crate::ingest::enrich::skew;

/// Bytes that a line has and its event did not: about what the edge adds.
const STAMP_BYTES: usize = 640;

/// The collector, in one request.
pub(super) struct Asked<'a, F> {
    context: &'a Context<'a>,
    fresh_id: &'a F,
}

/// The pass over a body's events; `None` where all of them take the slow way.
pub(super) fn pass<'a, F: Fn() -> String>(
    body: &Body<'a>,
    context: &'a Context<'a>,
    page: Option<Agent>,
    fresh_id: &'a F,
) -> Option<Pass<'a, Asked<'a, F>>> {
    // A bot's events are only counted; few pages ask for hashes, and the other way makes them.
    if body.text.is_empty() || context.is_bot || context.hash_ids.is_some() {
        return None;
    }
    let common = Common {
        sender: context.sender,
        rules: context.rules,
        privacy: &context.privacy,
        site_id: context.site,
        source: context.source,
        batch_id: Some(context.stored_batch_id),
        country: context.country,
        region: context.region,
        agent: page.map(told),
    };
    Pass::new(common, Asked { context, fresh_id })
}

/// Bytes that the lines of a body take, about.
pub(super) fn room(body: &Body<'_>, events: usize) -> usize {
    let stamps = events.saturating_mul(STAMP_BYTES);
    if body.text.is_empty() {
        0
    } else {
        body.text.len().saturating_add(stamps)
    }
}

fn told(agent: Agent) -> pass::Agent {
    [agent.browser, agent.os, agent.device]
}

impl<F: Fn() -> String> Collector for Asked<'_, F> {
    fn event_id(&self, index: usize) -> String {
        match self.context.batch_id {
            Some(batch_id) => id::derived(self.context.site, batch_id, index),
            None => (self.fresh_id)(),
        }
    }

    fn timestamp(&self, told: i64) -> i64 {
        let context = self.context;
        skew::correct(
            told,
            context.sent_at,
            context.clock_offset,
            context.rules.now_ms,
        )
    }

    fn agent(&self, user_agent: &str) -> pass::Agent {
        told(read_agent(user_agent))
    }

    fn origin<'t>(&self, told: &'t Told<'_>) -> Option<Origin<'t>> {
        let origin = campaign::origin(told);
        let is_spam = origin.host.as_deref().is_some_and(is_spam_referrer);
        (!is_spam).then_some(origin)
    }
}
