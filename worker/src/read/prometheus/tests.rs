use openmetrics_parser::prometheus::parse_prometheus;

use serde_json::json;

use super::*;
use crate::archive::fold::Gathered;
use crate::archive::people::Mode;
use crate::base::sql::Sql;
use crate::lake::{LakeState, SinkState};
use crate::observe::operations::BOUNDS_MS;
use crate::sinks::SinkKind;
use crate::testing::{NOW, TestSql};

fn sink(kind: SinkKind) -> SinkState {
    SinkState {
        sink: kind,
        pending_objects: 1,
        pending_events: 5,
        pending_bytes: 100,
        oldest_at: Some(NOW),
        conflicts: 0,
        dead_objects: 0,
        failing_since: Some(NOW),
        failures: 3,
        lasting: true,
        code: Some("AccessDenied".into()),
        landed_events: 7,
        landed_objects: 2,
        refused_events: 1,
        refused_code: None,
    }
}

fn found() -> Findings {
    let sql = TestSql::new();
    sql.migrate();
    for (action, status, n) in [("events", 202, 5), ("events", 503, 2), ("live", 200, 1)] {
        let within = BOUNDS_MS.map(|bound| if bound >= 50 { n - 1 } else { 0 });
        let within = within.map(|n| n.to_string()).join(",");
        sql.execute_batch(&format!(
            "INSERT INTO operation_totals VALUES ('{action}', {status}, {n}, 12345, {within})"
        ));
    }
    sql.execute_batch(
        "INSERT INTO operation_outcomes VALUES ('accepted', 40), ('bot', 2); \
         INSERT INTO dead_letters VALUES ('a', 'p', 0, 'not_stored', '', 0, 3, 0, 0, 1, 'k'), \
         ('a', 'q', 0, 'not_stored', '', 0, 4, 0, 0, 1, 'k')",
    );
    let mut found = Findings {
        calls: sql.rows(calls().sql, &[]).unwrap(),
        outcomes: sql.rows(outcomes().sql, &[]).unwrap(),
        dead: sql.rows(dead_letters().sql, &[]).unwrap(),
        database_bytes: Some(4_096),
        answered: 2,
        ..Findings::default()
    };
    found.backlog.outbox.oldest_at = Some(NOW);
    found.backlog.add_lake(&LakeState {
        landed_events: 12,
        sinks: vec![sink(SinkKind::R2), sink(SinkKind::S3)],
        ..LakeState::default()
    });
    found
}

#[test]
fn the_page_is_one_that_a_scraper_reads() {
    let page = found().page();
    let read = parse_prometheus(&page).unwrap();
    assert!(read.families.len() > 15);
    for line in [
        "shoreline_requests_total{action=\"events\",status=\"503\"} 2",
        "shoreline_request_duration_seconds_bucket{action=\"events\",le=\"0.02\"} 0",
        "shoreline_request_duration_seconds_bucket{action=\"events\",le=\"0.05\"} 5",
        "shoreline_request_duration_seconds_bucket{action=\"events\",le=\"10\"} 5",
        "shoreline_request_duration_seconds_bucket{action=\"events\",le=\"+Inf\"} 7",
        "shoreline_request_duration_seconds_sum{action=\"events\"} 24.69",
        "shoreline_request_duration_seconds_count{action=\"events\"} 7",
        "shoreline_ingest_events_total{outcome=\"accepted\"} 40",
        "shoreline_sink_lasting{sink=\"s3\"} 1",
        "shoreline_sink_landed_events_total{sink=\"r2\"} 7",
        "shoreline_lake_landed_events_total 12",
        "shoreline_dead_letters{code=\"not_stored\"} 2",
        "shoreline_dead_letter_events{code=\"not_stored\"} 7",
        "shoreline_database_size_bytes 4096",
        "shoreline_shards{state=\"answered\"} 2",
        "shoreline_outbox_oldest_timestamp_seconds 1705334412.345",
    ] {
        assert!(
            page.lines().any(|own| own == line),
            "{line} is not in\n{page}"
        );
    }
}

#[test]
fn every_family_has_its_help_and_type_once_and_its_samples_after_them() {
    let page = found().page();
    let mut seen = std::collections::BTreeSet::new();
    let mut family = "";
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap();
            assert!(seen.insert(family.to_owned()), "{family} comes twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, of) = rest.split_once(' ').unwrap();
            assert_eq!(name, family);
            assert_eq!(of == "counter", name.ends_with("_total"), "{name}");
        } else {
            assert!(line.starts_with(family), "{line} is not of {family}");
        }
    }
}

#[test]
fn a_part_of_a_counter_is_not_told() {
    for (silent, unasked) in [(1, 0), (0, 1)] {
        let page = Findings {
            silent,
            unasked,
            ..found()
        }
        .page();
        assert!(parse_prometheus(&page).is_ok());
        assert!(!page.contains("landed_events_total"), "{page}");
        assert!(page.contains("shoreline_sink_failing"));
        assert!(page.contains("shoreline_requests_total"));
    }
}

#[test]
fn a_new_deployment_has_a_page_too() {
    let page = Findings::default().page();
    assert!(page.contains("shoreline_lake_pending_events 0\n"), "{page}");
    assert!(page.ends_with('\n'));
}

#[test]
fn what_d1_lacks_is_on_the_page_too() {
    let people = TestSql::new();
    crate::archive::fold::create(&people).unwrap();
    let mut gathered = Gathered::default();
    for action in ["events", "new"] {
        gathered.add_operation(
            &json!({"timestamp": NOW, "metadata": {"duration": 60}, "eventData":
                {"action": action, "httpStatus": 202, "calls": 3, "totalDuration": 180,
                "outcomes": {"accepted": 2, "quota": 1}}})
            .to_string(),
        );
    }
    let sums = gathered.fold(&people, 0, Mode::Look).unwrap();
    let mut found = found();
    found.lacking.take(&sums, &wants());
    let page = found.page();
    for line in [
        "shoreline_requests_total{action=\"events\",status=\"202\"} 8",
        "shoreline_requests_total{action=\"events\",status=\"503\"} 2",
        "shoreline_requests_total{action=\"new\",status=\"202\"} 3",
        "shoreline_request_duration_seconds_bucket{action=\"events\",le=\"0.05\"} 5",
        "shoreline_request_duration_seconds_bucket{action=\"events\",le=\"0.1\"} 8",
        "shoreline_request_duration_seconds_sum{action=\"events\"} 24.87",
        "shoreline_ingest_events_total{outcome=\"accepted\"} 44",
        "shoreline_ingest_events_total{outcome=\"bot\"} 2",
        "shoreline_ingest_events_total{outcome=\"quota\"} 2",
    ] {
        assert!(
            page.lines().any(|own| own == line),
            "{line} is not in\n{page}"
        );
    }
}
