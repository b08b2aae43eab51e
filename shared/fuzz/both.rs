//! One event both ways: by the pass, and by the tree. Used by the fuzz target and by `tests/fuzz`.

use std::borrow::Cow;

use shoreline_shared::event::RawEvent;
use shoreline_shared::id::is_derived;
use shoreline_shared::limits::MAX_DEPTH;
use shoreline_shared::lines::Lines;
use shoreline_shared::pass::{Agent, Change, Collector, Common, Origin, Own, Pass, Tape, Told};
use shoreline_shared::sanitize::{Privacy, sanitize};
use shoreline_shared::stamp::{Stamp, StampedEvent, stamp};
use shoreline_shared::validate::{Rules, Sender, validate};

const NOW: i64 = 1_705_334_400_000;
const MADE_ID: &str = "0198c1d2-0000-8000-8000-00000000000d";

/// What the worker would do, as simply as it can be done: each of it changes what is written.
struct Edge;

impl Collector for Edge {
    fn event_id(&self, _: usize) -> String {
        MADE_ID.to_owned()
    }

    fn timestamp(&self, told: i64) -> i64 {
        told.saturating_sub(1_000)
    }

    fn agent(&self, user_agent: &str) -> Agent {
        let browser = user_agent.contains("Firefox").then_some("Firefox");
        [browser, None, Some("desktop")]
    }

    fn origin<'t>(&self, told: &'t Told<'_>) -> Option<Origin<'t>> {
        let mut origin = Origin::default();
        for (change, own) in origin.parameters.iter_mut().zip(&told.own) {
            *change = match own {
                Own::Text(text) if text.is_empty() => Change::Remove,
                Own::Text(text) => Change::Set(Cow::Owned(text.to_lowercase())),
                Own::Number(number) => Change::Set(Cow::Borrowed(number)),
                Own::Absent | Own::Other => Change::Keep,
            };
        }
        origin.drops_referrer = told.referrer.as_deref() == Some("");
        origin.host = told.addresses.iter().flatten().next().cloned();
        origin.source.clone_from(&told.referrer);
        Some(origin)
    }
}

/// The requests an event can come in.
fn commons<'a>(open: &'a Privacy, routed: &'a Privacy, private: &'a Privacy) -> [Common<'a>; 6] {
    let page = Common {
        sender: Sender::Browser {
            user_agent: Some("Mozilla/5.0 \"x\" Firefox"),
            ip: Some("203.0.113.77"),
            adapted: false,
        },
        rules: Rules {
            now_ms: NOW,
            retention_days: 30,
            any_past: false,
        },
        privacy: open,
        site_id: "demo",
        source: "tracker",
        batch_id: Some("b\\1"),
        country: Some("DE"),
        region: None,
        agent: Some([Some("Firefox"), Some("Linux"), None]),
    };
    let service = |name| Common {
        sender: Sender::Source { name },
        agent: None,
        country: None,
        ..page
    };
    [
        page,
        Common {
            privacy: routed,
            batch_id: None,
            ..page
        },
        Common {
            privacy: private,
            ..page
        },
        service(None),
        service(Some("billing")),
        Common {
            rules: Rules {
                any_past: true,
                ..page.rules
            },
            ..service(None)
        },
    ]
}

/// Judges the event in `data` both ways, as a sender chosen by its first byte would send it.
///
/// # Panics
/// Where the pass writes another line than the tree, or one where the tree refuses.
pub fn check(data: &[u8]) -> Option<bool> {
    let (choice, text) = data.split_first()?;
    let text = core::str::from_utf8(text).ok()?;
    let open = Privacy::default();
    let routed = Privacy {
        hash_routing: true,
        anonymous: None,
    };
    let anonymous = Some("anon-6f5282f465a44b1a29b3561f6137c768".to_owned());
    let private = Privacy {
        hash_routing: false,
        anonymous,
    };
    let commons = commons(&open, &routed, &private);
    // Digits, so that the files of the corpus can be read.
    let common = commons.get(usize::from(choice.wrapping_sub(b'0')) % commons.len())?;
    let by_tree = by_tree(text, common);
    let mut tape = Tape::default();
    let mut lines = Lines::default();
    if tape.scan(text, MAX_DEPTH).is_none() {
        return Some(false);
    }
    let mut pass = Pass::new(*common, Edge)?;
    let event = tape.root(text);
    // A second time, for what the first left behind.
    for round in 1..=2 {
        let id = pass.event(event, 0, &mut lines);
        if id.is_none() {
            assert!(
                lines.is_empty() && lines.text().is_empty(),
                "something was left: {text}"
            );
            return Some(false);
        }
        assert_eq!(lines.len(), round);
    }
    let by_tree = by_tree.unwrap_or_else(|| panic!("the tree refuses {text}"));
    for line in lines.iter() {
        assert_eq!(line, by_tree.line(), "{text}");
    }
    Some(true)
}

fn by_tree(text: &str, common: &Common<'_>) -> Option<StampedEvent> {
    let raw = RawEvent::parse(text).ok()?;
    let mut valid = validate(raw, &common.sender, &common.rules).ok()?;
    if valid.event_type() == "page_view" {
        let data = valid.event_data_mut();
        let origin = Edge.origin(&Told::of(data))?.into_owned();
        origin.put_into(data);
    }
    let clean = sanitize(valid, common.privacy);
    if common.agent.is_some() && clean.event_id().is_some_and(is_derived) {
        return None;
    }
    let event_id = clean.event_id().unwrap_or(MADE_ID).to_owned();
    let told = clean.user_agent().map(|agent| Edge.agent(agent));
    let [browser, os, device] = common.agent.or(told).unwrap_or_default();
    let timestamp = Some(Edge.timestamp(clean.timestamp()));
    Some(stamp(
        clean,
        &Stamp {
            site_id: common.site_id,
            source: common.source,
            event_id: &event_id,
            received_at: common.rules.now_ms,
            batch_id: common.batch_id,
            country: common.country,
            region: common.region,
            timestamp,
            browser,
            os,
            device,
        },
    ))
}
