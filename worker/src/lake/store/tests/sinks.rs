//! Several sinks: each for itself, each with everything, whatever fails where.

use std::collections::BTreeSet;

use super::*;
use crate::lake::{FailingSink, Member, SinkState};
use crate::sinks::SinkKind::{R2, S3, Sqs};
use crate::sinks::{Answer, Entry, NoAnswer, SinkRequest, Transport, send_records};
use crate::testing::block_on;

const MINUTE_MS: i64 = 60_000;

pub(super) fn state(store: &LakeStore<&TestSql>, kind: SinkKind) -> SinkState {
    let states = store.state().unwrap().sinks;
    states.into_iter().find(|state| state.sink == kind).unwrap()
}

/// A store with one sealed object of five events, and when it was sealed.
pub(super) fn sealed<'a>(sql: &'a TestSql, sinks: &[SinkKind]) -> (LakeStore<&'a TestSql>, i64) {
    let store = open_with(sql, sinks);
    append(&store, &[1, 2], NOW, NOW);
    append(&store, &[3, 4, 5], NOW, NOW);
    store.seal("demo", 0, NOW + RULE.age_ms).unwrap();
    (store, NOW + RULE.age_ms)
}

pub(super) fn fail(
    store: &LakeStore<&TestSql>,
    kind: SinkKind,
    failure: Failure,
    now: i64,
) -> Option<FailingSink> {
    let delivery = store.due_delivery(kind, now).unwrap().unwrap();
    store.begin(&delivery, now, 0).unwrap();
    store
        .settle(&delivery, &Outcome::Failed(failure), now, 0)
        .unwrap()
}

#[test]
fn an_object_stays_until_every_sink_is_done_with_it() {
    let sql = TestSql::new();
    let (store, now) = sealed(&sql, &[R2, S3]);
    let to_r2 = store.due_delivery(R2, now).unwrap().unwrap();
    let to_s3 = store.due_delivery(S3, now).unwrap().unwrap();
    assert_eq!(to_r2.object, to_s3.object);
    settle(&store, &to_r2, Outcome::Done, now);
    assert_eq!(store.due_delivery(R2, i64::MAX).unwrap(), None);
    assert_eq!(ndjson(&store, 1).lines().count(), 5);
    let full = store.state().unwrap();
    assert_eq!((full.pending_objects, full.landed_events), (1, 0));
    assert_eq!(state(&store, R2).landed_events, 5);
    assert_eq!(state(&store, R2).pending_objects, 0);
    let pending = state(&store, S3);
    assert_eq!((pending.pending_events, pending.pending_bytes), (5, 40));
    assert_eq!(pending.oldest_at, Some(now));
    settle(&store, &to_s3, Outcome::Done, now);
    let empty = store.state().unwrap();
    assert_eq!((empty.pending_events, empty.pending_bytes), (0, 0));
    assert_eq!((empty.pending_objects, empty.landed_events), (0, 5));
    assert_eq!(sql.number("SELECT count(*) FROM objects"), 0);
    assert_eq!(sql.number("SELECT count(*) FROM deliveries"), 0);
    assert_eq!(store.next_due().unwrap(), None);
}

#[test]
fn a_sink_that_fails_waits_by_itself_and_is_seen() {
    let sql = TestSql::new();
    let (store, now) = sealed(&sql, &[R2, S3]);
    let busy = Failure {
        retry_after_ms: Some(30_000),
        ..Failure::passing("SlowDown")
    };
    assert_eq!(fail(&store, S3, busy, now), None);
    let failing = state(&store, S3);
    assert_eq!(failing.failing_since, Some(now));
    assert_eq!(failing.code.as_deref(), Some("SlowDown"));
    assert!(!failing.lasting);
    assert_eq!(store.due_delivery(S3, now + 29_999).unwrap(), None);
    // The other one is not kept waiting.
    assert_eq!(store.next_due().unwrap(), Some(now));
    let to_r2 = due(&store, now).unwrap();
    settle(&store, &to_r2, Outcome::Done, now);
    assert_eq!(state(&store, R2).failing_since, None);
    assert_eq!(store.next_due().unwrap(), Some(now + 30_000));
    // A new object does not make the failing sink due before its time.
    append(&store, &[6], NOW, now);
    store.seal("demo", 0, now + RULE.age_ms - 40_000).unwrap();
    assert_eq!(store.due_delivery(S3, now + 29_999).unwrap(), None);
    let later = now + 30_000;
    let again = store.due_delivery(S3, later).unwrap().unwrap();
    assert_eq!(again.tries, 1);
    settle(&store, &again, Outcome::Done, later);
    let works = state(&store, S3);
    assert_eq!(
        (works.failing_since, works.code, works.failures),
        (None, None, 0)
    );
}

#[test]
fn a_failure_that_lasts_alerts_and_is_tried_again_after_minutes_or_when_it_was_mended() {
    let sql = TestSql::new();
    let (store, now) = sealed(&sql, &[S3]);
    let alert = fail(&store, S3, Failure::lasting("SignatureDoesNotMatch"), now).unwrap();
    let want = FailingSink {
        sink: S3,
        code: "SignatureDoesNotMatch".into(),
        since_ms: now,
        failures: 1,
        lasting: true,
    };
    assert_eq!(alert, want);
    let told = alert.alert("demo");
    assert_eq!(
        (&*told.kind, &*told.code),
        ("sink_failing_s3", "SignatureDoesNotMatch")
    );
    assert!(told.text.contains("mends"), "{}", told.text);
    assert!(state(&store, S3).lasting);
    let next = store.next_due().unwrap().unwrap();
    assert!((now + 5 * MINUTE_MS..=now + 15 * MINUTE_MS).contains(&next));
    // Started anew with the same secret, it waits on; with another one it is tried at once.
    let store = open_with(&sql, &[S3]);
    assert_eq!(store.due_delivery(S3, next - 1).unwrap(), None);
    let mended = LakeSettings {
        sinks: vec![(S3, "2".into())],
        ..settings(&[])
    };
    let store = LakeStore::open(&sql, &mended, now, [0; 4]).unwrap();
    assert!(store.due_delivery(S3, now).unwrap().is_some());
    // It is said to fail until something got through.
    assert_eq!(state(&store, S3).failing_since, Some(now));
}

#[test]
fn a_sink_that_is_down_alerts_after_some_failures_and_backs_off() {
    let sql = TestSql::new();
    let (store, mut now) = sealed(&sql, &[S3]);
    let since = now;
    let mut waits = Vec::new();
    let mut alerts = Vec::new();
    for _ in 0..10 {
        let alert = fail(&store, S3, Failure::passing("no_answer"), now);
        alerts.extend(alert.map(|alert| (alert.failures, alert.since_ms, alert.lasting)));
        let next = store.next_due().unwrap().unwrap();
        waits.push((next - now) / 1_000);
        now = next;
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    let want: Vec<(u32, i64, bool)> = (6..=10).map(|n| (n, since, false)).collect();
    assert_eq!(alerts, want);
}

#[test]
fn an_object_that_fails_for_itself_does_not_stand_in_the_way() {
    let sql = TestSql::new();
    let (store, now) = sealed(&sql, &[S3]);
    append(&store, &[6], NOW, NOW);
    store.seal("demo", 0, now).unwrap();
    fail(&store, S3, Failure::passing("InternalError"), now);
    let later = now + 2_000;
    let next = store.due_delivery(S3, later).unwrap().unwrap();
    assert_eq!(next.object.sequence, 2);
    settle(&store, &next, Outcome::Done, later);
    let again = store.due_delivery(S3, later).unwrap().unwrap();
    assert_eq!((again.object.sequence, again.tries), (1, 1));
}

#[test]
fn an_attempt_that_was_cut_off_is_not_repeated_at_once() {
    let sql = TestSql::new();
    let (store, now) = sealed(&sql, &[R2]);
    let delivery = due(&store, now).unwrap();
    store.begin(&delivery, now, 0).unwrap();
    let store = open(&sql);
    assert_eq!(due(&store, now), None);
    assert_eq!(store.next_due().unwrap(), Some(now + 2_000));
    assert_eq!(due(&store, now + 2_000).unwrap().tries, 1);
}

#[test]
fn a_new_sink_gets_what_waits_and_one_that_is_gone_gives_it_up() {
    let sql = TestSql::new();
    let (store, now) = sealed(&sql, &[R2]);
    let delivery = due(&store, now).unwrap();
    store.begin(&delivery, now, 0).unwrap();
    let store = open_with(&sql, &[R2, S3]);
    assert!(store.due_delivery(S3, now).unwrap().is_some());
    assert_eq!(state(&store, S3).pending_bytes, 40);
    settle(&store, &delivery, Outcome::Done, now);
    // Opened again: R2 keeps what it has, and is not asked for it again.
    let store = open_with(&sql, &[R2, S3]);
    assert_eq!(due(&store, i64::MAX), None);
    let store = open_with(&sql, &[R2]);
    assert_eq!(store.state().unwrap().pending_objects, 0);
    assert_eq!(store.state().unwrap().landed_events, 5);
    assert_eq!(sql.number("SELECT bytes FROM backlog"), 0);
}

#[test]
fn a_record_sink_goes_on_where_it_was() {
    let sql = TestSql::new();
    let (store, now) = sealed(&sql, &[Sqs]);
    let delivery = store.due_delivery(Sqs, now).unwrap().unwrap();
    assert_eq!(delivery.total(), 5);
    let window = delivery.progress.window(delivery.total(), 3);
    let lines = lines_of(&store, 1, &window).unwrap();
    assert_eq!(lines, ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
    // Any part, and no segment that has none of it.
    assert_eq!(
        lines_of(&store, 1, &[1, 4]).unwrap(),
        ["{\"n\":2}", "{\"n\":5}"]
    );
    let last = store.members(1, &[2, 4]).unwrap();
    assert_eq!(
        last,
        [Member {
            seq: 2,
            lines: vec![0, 2]
        }]
    );
    assert_eq!(store.members(1, &[5]).unwrap(), []);
    assert!(store.members(2, &[0]).is_err(), "there is no such object");
    let mut queue = Queue {
        answers: vec![vec![Entry::Taken, Entry::Failed(Failure::passing("x"))]],
        ..Queue::default()
    };
    send_one(&store, &mut queue, now, 2);
    assert_eq!(queue.got, ["{\"n\":1}"]);
    let failing = state(&store, Sqs);
    assert_eq!((failing.landed_events, failing.landed_objects), (1, 0));
    // Part of it got through: it waits for the shortest time, however often.
    let later = store.next_due().unwrap().unwrap();
    assert_eq!(later, now + 2_000);
    queue.answers = vec![vec![Entry::Taken, Entry::Refused("too_large".into())]];
    send_one(&store, &mut queue, later, 2);
    send_one(&store, &mut queue, later, 9);
    assert_eq!(
        queue.got,
        ["{\"n\":1}", "{\"n\":2}", "{\"n\":4}", "{\"n\":5}"]
    );
    let done = store.state().unwrap();
    assert_eq!((done.pending_events, done.landed_objects), (0, 1));
    let sink = state(&store, Sqs);
    assert_eq!((sink.landed_events, sink.refused_events), (4, 1));
    assert_eq!(sink.refused_code.as_deref(), Some("too_large"));
}

/// A record sink whose answers a test says beforehand; after them it takes everything.
#[derive(Default)]
struct Queue {
    answers: Vec<Vec<Entry>>,
    got: Vec<String>,
    /// Whether the answer to the next request is lost.
    lost: bool,
}

struct Wire<'a>(std::cell::RefCell<&'a mut Queue>);

impl Transport for Wire<'_> {
    fn now_ms(&self) -> i64 {
        NOW
    }

    async fn send(&self, request: SinkRequest) -> Result<Answer, NoAnswer> {
        let queue = &mut **self.0.borrow_mut();
        let lines = String::from_utf8(request.body).unwrap();
        let mut codes = Vec::new();
        let answers = queue.answers.pop().unwrap_or_default();
        for (at, line) in lines.lines().enumerate() {
            let entry = answers.get(at).cloned().unwrap_or(Entry::Taken);
            if entry == Entry::Taken {
                queue.got.push(line.to_owned());
            }
            codes.push(match entry {
                Entry::Taken => "taken",
                Entry::Failed(_) => "failed",
                Entry::Refused(_) => "refused",
            });
        }
        if std::mem::take(&mut queue.lost) {
            return Err(NoAnswer("no_answer"));
        }
        Ok(Answer {
            status: 200,
            headers: Vec::new(),
            body: codes.join(","),
        })
    }
}

struct Plain(usize);

impl crate::sinks::RecordSink for Plain {
    fn limits(&self) -> crate::sinks::Limits {
        crate::sinks::Limits {
            entries: 100,
            entry_bytes: 100,
            bytes: 10_000,
            window: self.0,
        }
    }

    fn record(&self, line: &str) -> Result<crate::sinks::Record, &'static str> {
        let json = line.to_owned();
        let size = json.len();
        Ok(crate::sinks::Record { json, size })
    }

    fn request(&self, batch: &[&crate::sinks::Record], _: i64) -> SinkRequest {
        let lines: Vec<&str> = batch.iter().map(|record| record.json.as_str()).collect();
        let body = lines.join("\n").into_bytes();
        SinkRequest::new(crate::sinks::Method::Post, "https://q".into(), body)
    }

    fn judge(&self, answer: &Answer, _: usize) -> Result<Vec<Entry>, Failure> {
        let entries = answer.body.split(',').map(|code| match code {
            "taken" => Entry::Taken,
            "failed" => Entry::Failed(Failure::passing("failed")),
            _ => Entry::Refused("too_large".into()),
        });
        Ok(entries.collect())
    }
}

fn send_one(store: &LakeStore<&TestSql>, queue: &mut Queue, now: i64, most: usize) -> bool {
    let Some(delivery) = store.due_delivery(Sqs, now).unwrap() else {
        return false;
    };
    store.begin(&delivery, now, 0).unwrap();
    let outcome = attempt(store, &delivery, queue, most).unwrap();
    store.settle(&delivery, &outcome, now, 0).unwrap();
    true
}

/// The lines of a window, as the shell gets them.
fn lines_of(
    store: &LakeStore<&TestSql>,
    sequence: i64,
    window: &[u32],
) -> Result<Vec<String>, SqlError> {
    let mut lines = Vec::new();
    for member in store.members(sequence, window)? {
        let text = unpack(&store.member(member.seq)?);
        lines.extend(member.pick(&text).map(str::to_owned));
    }
    Ok(lines)
}

fn attempt(
    store: &LakeStore<&TestSql>,
    delivery: &Delivery,
    queue: &mut Queue,
    most: usize,
) -> Result<Outcome, SqlError> {
    let sink = Plain(most);
    let window = delivery.progress.window(delivery.total(), most);
    let lines = lines_of(store, delivery.object.sequence, &window)?;
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let wire = Wire(std::cell::RefCell::new(queue));
    let sent = send_records(&sink, &wire, &delivery.progress, &window, &lines);
    Ok(Outcome::Sent(block_on(sent)))
}

/// Two buckets and a queue, and what a fault does to each: lost before it landed, lost after, or
/// nothing.
#[derive(Default)]
struct World {
    buckets: [Bucket; 2],
    queue: Queue,
}

impl World {
    /// Delivers what is due, each sink for itself; a statement that fails ends the run.
    fn run(
        &mut self,
        store: &LakeStore<&TestSql>,
        now: i64,
        faults: [u8; 3],
    ) -> Result<(), SqlError> {
        store.seal("demo", 0, now)?;
        for (bucket, (kind, fault)) in self
            .buckets
            .iter_mut()
            .zip([R2, S3].into_iter().zip(faults))
        {
            while let Some(delivery) = store.due_delivery(kind, now)? {
                store.begin(&delivery, now, 0)?;
                let packed = store.packed(delivery.object.sequence)?;
                let landing = match fault {
                    1 => lost(),
                    2 => {
                        bucket.put(&delivery.object, packed);
                        lost()
                    }
                    _ => bucket.put(&delivery.object, packed),
                };
                let outcome = landing.outcome(&delivery.object);
                store.settle(&delivery, &outcome, now, 7)?;
            }
        }
        while let Some(delivery) = store.due_delivery(Sqs, now)? {
            store.begin(&delivery, now, 0)?;
            self.queue.lost = faults[2] == 2;
            if faults[2] == 1 {
                self.queue.answers = vec![vec![Entry::Failed(Failure::passing("x")); 3]];
            }
            let outcome = attempt(store, &delivery, &mut self.queue, 7)?;
            store.settle(&delivery, &outcome, now, 7)?;
        }
        Ok(())
    }

    fn check(&self, store: &LakeStore<&TestSql>, want: &BTreeSet<String>) {
        let want: Vec<String> = want.iter().cloned().collect();
        for bucket in &self.buckets {
            assert_eq!(bucket.events(), want);
        }
        let queued: BTreeSet<String> = self.queue.got.iter().cloned().collect();
        assert_eq!(queued.into_iter().collect::<Vec<_>>(), want);
        let state = store.state().unwrap();
        let events = want.len() as i64;
        assert_eq!((state.pending_events, state.pending_bytes), (0, 0));
        assert_eq!((state.pending_objects, state.landed_events), (0, events));
        for sink in &state.sinks {
            assert_eq!((sink.pending_objects, sink.conflicts), (0, 0));
            assert!(sink.landed_events >= events);
        }
    }
}

#[test]
fn a_statement_that_fails_anywhere_loses_and_doubles_nothing() {
    let mut statements = 0;
    loop {
        let sql = TestSql::new();
        let store = open_with(&sql, &[R2, S3, Sqs]);
        append(&store, &[1, 2, 3], NOW, NOW);
        let mut world = World::default();
        let now = NOW + RULE.age_ms;
        sql.fail_in(statements + 1);
        let clean = world.run(&store, now, [0; 3]).is_ok();
        sql.fail_in(u32::MAX);
        // Started anew, as after a power cut.
        let store = open_with(&sql, &[R2, S3, Sqs]);
        let mut later = now;
        while let Some(due) = store.next_due().unwrap() {
            later = later.max(due);
            world.run(&store, later, [0; 3]).unwrap();
        }
        let want = [1, 2, 3].map(|n| format!("{{\"n\":{n}}}"));
        world.check(&store, &want.into_iter().collect());
        if clean {
            break;
        }
        statements += 1;
    }
    assert!(statements > 30, "{statements}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_event_reaches_every_sink_whatever_fails(
        steps in prop::collection::vec(
            (0_i64..10, 0_i64..40_000, prop::array::uniform3(0_u8..3), any::<bool>()), 1..60,
        ),
    ) {
        let sql = TestSql::new();
        let mut store = open_with(&sql, &[R2, S3, Sqs]);
        let mut world = World::default();
        let mut want = BTreeSet::new();
        let mut now = NOW;
        for (number, (hour, wait, faults, restart)) in steps.into_iter().enumerate() {
            now += wait;
            let events: Vec<usize> = (number * 10..number * 10 + 10).collect();
            append(&store, &events, NOW + hour * HOUR_MS / 2, now);
            want.extend(events.iter().map(|n| format!("{{\"n\":{n}}}")));
            world.run(&store, now, faults).unwrap();
            if restart {
                store = open_with(&sql, &[R2, S3, Sqs]);
            }
        }
        while let Some(due) = store.next_due().unwrap() {
            now = now.max(due);
            world.run(&store, now, [0; 3]).unwrap();
        }
        world.check(&store, &want);
    }
}
