//! What comes from outside, or from disk, read by everything that reads it: nothing may panic, hang, or say what cannot
//! be. Used by the fuzz targets and by `tests/fuzz`.

use std::io::Read as _;

use shoreline_worker::access::auth::{lookup_hash, origin_allowed, origin_pattern};
use shoreline_worker::archive::segment::Segment;
use shoreline_worker::archive::{Column, segment};
use shoreline_worker::base::gunzip::gunzip;
use shoreline_worker::dead_letter::{ListQuery, Selection};
use shoreline_worker::http::cloud_event::CloudEventHeaders;
use shoreline_worker::http::head::Head;
use shoreline_worker::http::params::Params;
use shoreline_worker::import::{new_import, part_number};
use shoreline_worker::ingest::adapters::{self, SegmentCall, SegmentKind};
use shoreline_worker::live::Presented;
use shoreline_worker::protocol::{Commit, Message};
use shoreline_worker::query::Question;
use shoreline_worker::read::recent::Recent;

const NOW: i64 = 1_705_334_400_000;

/// A target: its name, which its folder of the corpus has, too, and what it does; `true` where the input was taken for
/// good, and is worth changing further.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// All of them.
pub const TARGETS: [Target; 8] = [
    ("adapters", adapters),
    ("kafka", kafka),
    ("segment", segment_columns),
    ("cursors", cursors),
    ("questions", questions),
    ("tickets", tickets),
    ("gzip", gzip),
    ("messages", messages),
];

fn drafts(content_type: &str, body: &[u8]) -> bool {
    let headers = CloudEventHeaders::default();
    let taken = adapters::ingest_delivery(Some(content_type), &headers, body);
    let Ok(delivery) = taken else {
        return false;
    };
    delivery
        .drafts
        .into_iter()
        .filter(|draft| matches!(draft.clone().into_raw(), Ok(Some(_))))
        .count()
        > 0
}

/// Every shape that a service may send, and those of Segment's and Plausible's libraries.
pub fn adapters(body: &[u8]) -> bool {
    let mut taken = false;
    for content_type in [
        "application/json",
        "application/x-ndjson",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    ] {
        taken |= drafts(content_type, body);
    }
    for call in [SegmentCall::Batch, SegmentCall::One(SegmentKind::Track)] {
        taken |= adapters::segment(call, body).is_ok();
    }
    taken | adapters::plausible(body).is_ok()
}

/// Records of Kafka's sinks.
pub fn kafka(body: &[u8]) -> bool {
    drafts("application/vnd.kafka.json.v2+json", body)
}

/// All columns of a segment, as a scan, an erasure and a merge read them.
pub fn segment_columns(bytes: &[u8]) -> bool {
    let Ok(segment) = Segment::parse(bytes) else {
        return false;
    };
    let n = segment.len();
    assert!(n <= bytes.len(), "{n} events in {} bytes", bytes.len());
    let whole = [
        segment.at().map(|all| all.len()),
        segment.received().map(|all| all.len()),
        segment.ids().map(|all| all.len()),
        segment.users().map(|all| all.codes.len()),
        segment.sessions().map(|all| all.codes.len()),
        segment.a().map(|all| all.len()),
        segment.b().map(|all| all.len()),
        segment.values().map(|all| all.len()),
        segment.lines().map(|all| all.len()),
    ];
    for length in whole.iter().flatten() {
        assert_eq!(*length, n, "a column of another length");
    }
    for column in Column::ALL {
        if let Ok(coded) = segment.column(column) {
            assert_eq!(coded.codes.len(), n);
            // A code that stands for nothing is none.
            for code in coded.codes {
                let _ = coded.dict.get((code as usize).wrapping_sub(1));
            }
        }
    }
    if let Ok(names) = segment.property_names() {
        for name in names.into_iter().take(segment::MAX_PROPERTIES) {
            let _ = segment.property(name);
        }
    }
    segment.events().is_ok()
}

/// Queries of lists: cursors, limits, filters.
pub fn cursors(query: &[u8]) -> bool {
    let params = Params::parse(&String::from_utf8_lossy(query));
    let recent = Recent::parse(&params, NOW).map(|recent| recent.asked());
    let letters = ListQuery::parse(&params).map(|list| list.statement());
    let _ = Recent::of_user("u", &params, NOW).map(|recent| recent.asked());
    recent.is_ok() || letters.is_ok()
}

/// Bodies of questions, of several at once, and of the admin's calls.
pub fn questions(body: &[u8]) -> bool {
    let one = Question::parse(body).map(|question| question.window(NOW));
    let panels = Question::parse_panels(body).map(|question| question.window(NOW));
    let _ = Selection::parse(body).map(|selection| selection.statement());
    let _ = new_import(body);
    one.is_ok() || panels.is_ok()
}

/// Keys, tickets, origins, and the head of a request.
pub fn tickets(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let key = [7_u8; 32];
    // Nobody makes a ticket without the key.
    assert_eq!(Presented::read(&text, &key), None);
    let _ = part_number(&text);
    let pattern = origin_pattern(&text);
    if let Some(pattern) = &pattern {
        // What is on a list of origins never lets in an origin of no scheme.
        assert!(!origin_allowed("null", std::slice::from_ref(pattern)));
    }
    if let Some(head) = Head::parse(&text) {
        let facts = head.facts();
        let _ = (
            facts.write_key(),
            facts.key(),
            facts.is_private(),
            head.path(),
        );
    }
    pattern.is_some() || lookup_hash(&text).is_some()
}

/// Bodies of several members: what another decoder reads of them, or refused.
pub fn gzip(packed: &[u8]) -> bool {
    const LIMIT: usize = 1 << 16;
    let Ok(ours) = gunzip(packed, LIMIT) else {
        return false;
    };
    assert!(ours.len() <= LIMIT);
    let mut theirs = Vec::new();
    // It refuses zeros behind the last member, which are padding to us as to gzip; by then it has read all there is.
    let _ = flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut theirs);
    assert_eq!(ours, theirs);
    true
}

/// What travels between worker, log, queue and archive.
pub fn messages(bytes: &[u8]) -> bool {
    let commit = Commit::parse(bytes).is_ok_and(|commit| commit.rows().count() > 0);
    let Ok(message) = Message::parse(bytes) else {
        return commit;
    };
    let again = message.write();
    let again = Message::parse(&again).map(|again| again.rows.len());
    assert_eq!(
        again.ok(),
        Some(message.rows.len()),
        "a message that is written is read"
    );
    for row in &message.rows {
        let _ = message.alone(*row).write();
    }
    true
}
