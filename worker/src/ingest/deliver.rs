//! From drafts to the answer, the same for every door.

use shoreline_shared::privacy::anonymous_id;
use shoreline_shared::sanitize::Privacy;
use shoreline_shared::validate::{Rules, Sender};

use super::{Platform, gate, tallied};
use crate::base::time::DAY_MS;
use crate::http::error::Fault;
use crate::http::outcome::{Answer, EventResult, Status};
use crate::ingest::admit::{Admitted, Door};
use crate::ingest::draft::Delivery;
use crate::ingest::enrich::agents::Told;
use crate::ingest::enrich::skew;
use crate::ingest::judge::{Context, Judged, judge};
use crate::ingest::publish::{Publication, Taken};
use crate::ingest::rejected::rejected;

/// Judges what was delivered, publishes what may be published, and says how each event ended.
pub(super) async fn deliver(
    admitted: &Admitted,
    delivery: Delivery<'_>,
    platform: &impl Platform,
) -> Result<Answer, Fault> {
    // The request itself was charged as one.
    gate::charge(admitted, delivery.drafts.len().saturating_sub(1), platform);
    let privacy = privacy_of(admitted, platform).await?;
    let sender = sender_of(admitted);
    let stored_batch_id = delivery
        .batch_id
        .clone()
        .unwrap_or_else(|| platform.fresh_id());
    let facts = admitted.facts();
    // What a service sends is judged by what each event says of itself.
    let told = admitted
        .is_page()
        .then(|| platform.told_by(facts.user_agent.as_deref().unwrap_or_default()));
    let clock_offset = clock_offset(admitted, &delivery, privacy.anonymous.is_some(), platform);
    let context = Context {
        site: &admitted.grant().site,
        sender,
        source: source_of(admitted.door()),
        privacy,
        rules: Rules {
            now_ms: platform.now_ms(),
            retention_days: if admitted.is_page() {
                let policy = &admitted.grant().policy;
                policy.retention(platform.settings().retention_days)
            } else {
                days_since(SERVICES_SINCE_MS, platform.now_ms())
            },
            any_past: false,
        },
        batch_id: delivery.batch_id.as_deref(),
        stored_batch_id: &stored_batch_id,
        sent_at: delivery.sent_at,
        clock_offset,
        hash_ids: (admitted.is_page() && facts.hash_ids())
            .then_some(platform.settings().hash_key.as_slice()),
        country: facts.country.as_deref().filter(|_| admitted.is_page()),
        region: facts.region.as_deref().filter(|_| admitted.is_page()),
        is_bot: told.is_some_and(|told| is_unwanted_bot(admitted, told)),
        agent: told.map(|told| told.agent),
    };
    let judged = judge(delivery.drafts, &delivery.body, &context, &|| {
        platform.fresh_id()
    });
    if !judged.unknown.is_empty() {
        platform.note_unknown(context.site, &judged.unknown);
    }
    let is_kept = admitted.door() == Door::Ingest
        && platform.settings().keep_rejected
        && !admitted.facts().dry_run();
    let kept = match is_kept {
        true => {
            let site = (context.site, platform.now_ms());
            rejected(site, &delivery.texts, &judged.results, &context.privacy)
        }
        false => Vec::new(),
    };
    let dropped = delivery.dropped;
    let answer = answer(admitted, context.batch_id, dropped, judged, platform).await;
    // What was not taken at all comes again, and is refused then.
    let is_told = matches!(answer, Ok(_) | Err(Fault::NoValidEvent(_)));
    if is_told && !kept.is_empty() {
        platform.keep_rejected(kept);
    }
    answer
}

/// The earliest moment, 2000-01-01, at which an event of a service may have happened: a topic that is read from its
/// beginning tells of years. What is older is seconds that were taken for milliseconds.
const SERVICES_SINCE_MS: i64 = 946_684_800_000;

/// Days up to now, the begun one included.
fn days_since(at_ms: i64, now_ms: i64) -> u32 {
    let days = now_ms.saturating_sub(at_ms).div_euclid(DAY_MS);
    u32::try_from(days).unwrap_or(0).saturating_add(1)
}

/// By how much the sender's clock is to be moved: the same for all batches of a page's session, where it is no
/// private visit's, of which nothing is remembered.
fn clock_offset(
    admitted: &Admitted,
    delivery: &Delivery<'_>,
    is_private: bool,
    platform: &impl Platform,
) -> i64 {
    let Some(sent_at) = delivery.sent_at else {
        return 0;
    };
    match delivery.session() {
        Some(session) if admitted.is_page() && !is_private => {
            platform.clock_offset(&admitted.grant().site, session, sent_at)
        }
        _ => skew::offset(Some(sent_at), platform.now_ms(), None),
    }
}

/// Replaces who the visitor is by a day-scoped id, where the visitor asked not to be followed.
async fn privacy_of(admitted: &Admitted, platform: &impl Platform) -> Result<Privacy, Fault> {
    let facts = admitted.facts();
    let anonymous = if admitted.is_page() && facts.is_private() {
        let ip = facts.ip.as_deref().unwrap_or_default();
        let agent = facts.user_agent.as_deref().unwrap_or_default();
        let key = platform.day_key().await?;
        Some(anonymous_id(&key, &admitted.grant().site, ip, agent))
    } else {
        None
    };
    Ok(Privacy {
        hash_routing: admitted.grant().hash_routing,
        anonymous,
    })
}

fn sender_of(admitted: &Admitted) -> Sender<'_> {
    let facts = admitted.facts();
    if admitted.is_page() {
        Sender::Browser {
            user_agent: facts.user_agent.as_deref(),
            ip: facts.ip.as_deref(),
            adapted: admitted.door() != Door::Events,
        }
    } else {
        Sender::Source {
            name: (admitted.door() == Door::Segment).then_some("segment"),
        }
    }
}

/// The source of an event that names none.
fn source_of(door: Door) -> &'static str {
    match door {
        Door::Events => "tracker",
        Door::Ingest => "service",
        Door::Segment => "segment",
        Door::Plausible => "plausible",
    }
}

/// A page that is a bot's, on a site that wants none. What a service sends, it vouches for.
fn is_unwanted_bot(admitted: &Admitted, told: Told) -> bool {
    let facts = admitted.facts();
    // A request without the header counts as one with an empty one: every browser says what it is.
    !admitted.grant().policy.keep_bots && (facts.known_bot || told.is_bot)
}

/// Publishes what may be published and says how each event ended.
async fn answer(
    admitted: &Admitted,
    batch_id: Option<&str>,
    dropped: u32,
    judged: Judged,
    platform: &impl Platform,
) -> Result<Answer, Fault> {
    let Judged {
        lines,
        places,
        mut results,
        ..
    } = judged;
    // Other protocols have no word for it: their answers say that events are kept.
    let may_be_dry = matches!(admitted.door(), Door::Events | Door::Ingest);
    if may_be_dry && admitted.facts().dry_run() {
        return Ok(Answer::new(lines.len(), results));
    }
    let taken = Taken {
        site: &admitted.grant().site,
        policy: &admitted.grant().policy,
        batch_id,
        events: &lines,
        results: &results,
        dropped,
    };
    let publication = Publication::new(&taken, platform);
    if lines.is_empty() {
        platform.count_later(publication);
        // A duplicate within the batch has an accepted event beside it.
        return if results
            .iter()
            .any(|result| result.status == Status::Skipped)
        {
            Ok(Answer::new(0, results))
        } else {
            Err(Fault::NoValidEvent(results))
        };
    }
    if publication.is_over_any_hour() {
        return Err(Fault::PayloadTooLarge(
            "The batch holds more events than the site may send in an hour; split it.",
        ));
    }
    let duplicate = tallied(platform.publish(&publication).await, admitted, platform)?;
    if !duplicate {
        return Ok(Answer::new(lines.len(), results));
    }
    let message = "This batch was taken before.";
    results.extend(
        places
            .iter()
            .zip(lines.iter())
            .map(|(index, event)| EventResult::duplicate(*index, event.event_id, message)),
    );
    Ok(Answer::new(0, results))
}
