//! Which rows go to the queue, when, and how often.

use std::collections::VecDeque;

use super::super::flights::MAX_UNCONFIRMED_MESSAGES;
use super::*;

#[test]
fn a_message_is_sent_again_until_it_is_confirmed() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    assert_eq!(log.next_due(NOW), None);
    commit(&log, &view(1, 10, NOW)).unwrap();
    assert_eq!(log.drain_due(NOW), Some(NOW));
    let mut now = NOW;
    let mut waits = Vec::new();
    for _ in 0..3 {
        assert_eq!(send_all(&log, now), [[1]]);
        let due = log.drain_due(now).unwrap();
        waits.push(due - now);
        now = due;
    }
    assert_eq!(waits, [RESEND, 2 * RESEND, 4 * RESEND]);
    confirm(&log, 1, &[], now);
    confirm(&log, 1, &[], now);
    assert_eq!(log.outbox_state().unwrap(), OutboxState::default());
    assert_eq!(log.drain_due(now), None);
    assert_eq!(live_total(&log, NOW), 1);
}

#[test]
fn a_queue_that_takes_nothing_is_left_alone_for_a_while() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    commit(&log, &view(1, 10, NOW)).unwrap();
    let writes = sql.number("SELECT total_changes()");
    let message = log.next_message("demo", 0, NOW).unwrap().unwrap();
    log.pause(&message, NOW + 5_000);
    assert_eq!(log.next_message("demo", 0, NOW + 4_999).unwrap(), None);
    assert_eq!(log.drain_due(NOW + 1), Some(NOW + 5_000));
    assert_eq!(send_all(&log, NOW + 5_000), [[1]]);
    // One that is refused when it goes again is still under way.
    let late = NOW + 5_000 + RESEND;
    let message = log.next_message("demo", 0, late).unwrap().unwrap();
    log.pause(&message, late + 5_000);
    assert_eq!(log.outbox_state().unwrap().unconfirmed_messages, 1);
    assert_eq!(send_all(&log, late + 5_000), [[1]]);
    assert_eq!(
        sql.number("SELECT total_changes()"),
        writes,
        "nothing was written for it"
    );
}

#[test]
fn a_stalled_consumer_is_not_drowned() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    // Each batch is far over half a message, so that each is a message of its own.
    for batch in 0..70 {
        let head = commit::Head {
            at: NOW,
            ..commit::Head::default()
        };
        let body = commit::write(head, &lines_of(&[(batch, NOW, 90_000)]));
        commit(&log, &body).unwrap();
    }
    let sent = send_all(&log, NOW);
    assert_eq!(sent.len(), MAX_UNCONFIRMED_MESSAGES);
    assert_eq!(log.outbox_state().unwrap().unconfirmed_messages, 64);
    // The next thing to do is to send again what is overdue; nothing new until a confirmation.
    assert_eq!(log.drain_due(NOW), Some(NOW + RESEND));
    assert_eq!(send_all(&log, NOW + RESEND), sent);
    confirm(&log, 3, &[], NOW + RESEND);
    assert_eq!(send_all(&log, NOW + RESEND), [[65]]);
}

#[test]
fn a_batch_over_a_message_goes_in_several_rows_and_whole() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    let events: Vec<(usize, i64, usize)> = (0..100).map(|n| (n, NOW, 5_000)).collect();
    let head = commit::Head {
        at: NOW,
        ..commit::Head::default()
    };
    let lines = lines_of(&events);
    commit(&log, &commit::write(head, &lines)).unwrap();
    let mut text = Vec::new();
    while let Some(message) = log.next_message("demo", 0, NOW).unwrap() {
        for row in Message::parse(&message.body).unwrap().rows {
            text.extend_from_slice(row.lines);
        }
        log.sent(message, NOW);
    }
    assert_eq!(text, lines.text().as_bytes());
    assert_eq!(log.outbox_state().unwrap().events, 100);
}

#[test]
fn a_row_that_never_succeeds_goes_alone() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    for n in 0..3 {
        commit(&log, &view(n, n, NOW)).unwrap();
    }
    let mut now = NOW;
    for _ in 0..3 {
        assert_eq!(send_all(&log, now), [[1, 2, 3]]);
        now = log.drain_due(now).unwrap();
    }
    let mut alone = send_all(&log, now);
    alone.sort();
    assert_eq!(alone, [[1], [2], [3]]);
}

#[test]
fn a_read_that_fails_does_not_forget_what_is_under_way() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    commit(&log, &view(1, 10, NOW)).unwrap();
    assert_eq!(send_all(&log, NOW), [[1]]);
    let late = NOW + RESEND;
    sql.fail_in(1);
    assert!(log.next_message("demo", 0, late).is_err());
    assert_eq!(send_all(&log, late), [[1]]);
}

#[test]
fn a_confirmation_that_overtakes_the_word_of_its_sending_leaves_nothing_under_way() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    commit(&log, &view(1, 10, NOW)).unwrap();
    let message = log.next_message("demo", 0, NOW).unwrap().unwrap();
    confirm(&log, 1, &[], NOW);
    log.sent(message, NOW);
    assert!(send_all(&log, NOW + RESEND).is_empty());
    assert_eq!(log.drain_due(NOW + RESEND), None);
    assert_eq!(log.outbox_state().unwrap(), OutboxState::default());
}

/// The bodies of what is due, sent.
fn bodies(log: &Log<&TestSql>) -> Vec<Vec<u8>> {
    let next = || log.next_message("demo", 0, NOW).unwrap();
    std::iter::from_fn(next)
        .map(|message| {
            let body = message.body.clone();
            log.sent(message, NOW);
            body
        })
        .collect()
}

#[test]
fn rows_in_memory_and_rows_of_the_log_make_the_same_messages() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    let add = |ids: std::ops::Range<usize>, bytes: usize| {
        for id in ids {
            let head = commit::Head {
                at: NOW,
                ..commit::Head::default()
            };
            commit(&log, &commit::write(head, &lines_of(&[(id, NOW, bytes)]))).unwrap();
        }
    };
    // Some are sent before the rest comes; then more comes than is kept in memory, and then little again.
    add(0..3, 500);
    let mut sent = bodies(&log);
    add(3..53, 90_000);
    sent.extend(bodies(&log));
    add(53..56, 500);
    sent.extend(bodies(&log));
    let rows = |bodies: &[Vec<u8>]| -> Vec<(i64, i64, usize, Vec<u8>)> {
        let messages = bodies.iter().map(|body| Message::parse(body).unwrap());
        messages
            .flat_map(|message| message.rows)
            .map(|row| (row.seq, row.at, row.n, row.lines.to_vec()))
            .collect()
    };
    let sent = rows(&sent);
    let seqs: Vec<i64> = sent.iter().map(|(seq, ..)| *seq).collect();
    assert_eq!(seqs, (1..=56).collect::<Vec<i64>>());
    // An instance that begins anew has nothing in memory.
    assert_eq!(rows(&bodies(&open(&sql, NOW))), sent);
}

#[test]
fn a_row_that_was_just_committed_is_not_read_back() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    commit(&log, &view(1, 10, NOW)).unwrap();
    assert_eq!(send_all(&log, NOW), [[1]]);
    commit(&log, &view(2, 10, NOW)).unwrap();
    sql.run("UPDATE log SET lines = x'00'", &[]).unwrap();
    let message = log.next_message("demo", 0, NOW).unwrap().unwrap();
    let lines = Message::parse(&message.body).unwrap().rows[0]
        .lines
        .to_vec();
    assert!(lines.starts_with(b"{"), "from memory");
}

/// After a long failure the backlog waits for tries that are far apart. The first confirmation is the sign that it is
/// over: everything goes at once, but for what was tried a moment ago.
#[test]
fn a_consumer_that_is_back_gets_the_backlog_at_once() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    let mut now = NOW;
    for n in 0..3 {
        commit(&log, &view(n, n, NOW)).unwrap();
    }
    // Six tries that nobody confirms; each row goes alone by then.
    for _ in 0..6 {
        send_all(&log, now);
        now = log.drain_due(now).unwrap();
    }
    send_all(&log, now);
    let far = log.drain_due(now).unwrap();
    assert!(far > now + 30 * RESEND, "{}", far - now);
    // The consumer is back. Nobody sends anything, but the cron comes by: it tries one.
    let back = now + 2 * RESEND;
    assert_eq!(send_all(&log, back), [[0; 0]; 0]);
    log.probe(back);
    assert_eq!(log.drain_due(back), Some(back));
    assert_eq!(send_all(&log, back), [[1]]);
    log.probe(back + 1);
    assert_eq!(
        send_all(&log, back + 1),
        [[0; 0]; 0],
        "a try is a moment ago"
    );
    confirm(&log, 1, &[], back + 5);
    assert_eq!(send_all(&log, back + 5), [[2], [3]]);
    confirm(&log, 2, &[], back + 6);
    // One that fails by itself is not sent with every confirmation of another.
    assert_eq!(send_all(&log, back + 6), [[0; 0]; 0]);
    assert_eq!(log.drain_due(back + 6), Some(back + 5 + RESEND));
    confirm(&log, 3, &[], back + 7);
    assert_eq!(log.drain_due(back + 7), None);
}

#[test]
fn a_queue_that_is_slower_than_the_resend_time_is_not_filled_with_copies() {
    let sql = TestSql::new();
    let log = open(&sql, NOW);
    // Two rows a message.
    let batches = 200;
    for batch in 0..batches {
        let head = commit::Head {
            at: NOW,
            ..commit::Head::default()
        };
        let body = commit::write(head, &lines_of(&[(batch, NOW, 50_000)]));
        commit(&log, &body).unwrap();
    }
    // The consumer takes five messages in the time after which they are sent again, and the queue holds many.
    let mut queue = VecDeque::new();
    let (mut sent, mut now) = (0, NOW);
    while log.outbox_state().unwrap() != OutboxState::default() {
        let some = send_all(&log, now);
        sent += some.len();
        queue.extend(some);
        for row in queue.pop_front().into_iter().flatten() {
            confirm(&log, row, &[], now);
        }
        let bound = 10 * batches;
        assert!(
            sent < bound,
            "{sent} messages of {batches} rows, of which {} wait",
            queue.len()
        );
        now += RESEND / 5;
    }
}
