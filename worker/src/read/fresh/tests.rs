use super::*;
use crate::archive::fold::{Sums, Table};
use crate::archive::testing::{append, fold_here, look, open, take};
use crate::archive::{Archive, standing};
use crate::base::sql::Statement;
use crate::read::brute::{ask, event};
use crate::read::health::{self, Metrics, TotalRow};
use crate::testing::{NOW, TestSql, message};

/// A read as the worker does it; `between` comes between the archives' answers and D1's.
pub(crate) fn fresh<T: serde::de::DeserializeOwned>(
    archives: &[Archive<&TestSql>],
    d1: &TestSql,
    wants: &[Want],
    statement: &dyn Fn(&Sums) -> Statement,
    between: &mut dyn FnMut(),
) -> (Sums, Vec<T>) {
    let mut fresh = Fresh::default();
    loop {
        let asked = fresh.look(wants.to_vec(), u32::try_from(archives.len()).unwrap());
        let looked = archives
            .iter()
            .map(|archive| look(archive, &asked).unwrap());
        let (at, sums) = united(&looked.collect::<Vec<_>>(), wants);
        between();
        let sums = match fresh.next(&at, ask(d1, &standing("demo"))) {
            Next::Answer => sums,
            Next::Again => continue,
            Next::Alone => Sums::default(),
        };
        let rows = ask(d1, &statement(&sums));
        return (sums, rows);
    }
}

/// All events, counted by a read.
fn total(archive: &Archive<&TestSql>, d1: &TestSql, between: &mut dyn FnMut()) -> i64 {
    let statement = |_: &Sums| health::totals("demo");
    let archives = std::slice::from_ref(archive);
    let (lacking, rows) = fresh::<TotalRow>(archives, d1, &health::wants(), &statement, between);
    let mut metrics = Metrics::default();
    metrics.add(rows, &lacking);
    assert_eq!(
        metrics.events_by_type.values().sum::<i64>(),
        metrics.total_events
    );
    metrics.total_events
}

fn send(archive: &Archive<&TestSql>, row: usize) {
    let body = message("demo", 0, &[(row, NOW, &[event("demo", row)])]);
    append(archive, &body, false).unwrap();
}

#[test]
fn what_d1_takes_between_the_two_questions_is_counted_once() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let archive = open(&sql, "demo");
    let sent = std::cell::Cell::new(0);
    let send = || {
        sent.set(sent.get() + 1);
        send(&archive, sent.get());
    };
    let all = || i64::try_from(sent.get()).unwrap();
    send();
    assert_eq!(total(&archive, &d1, &mut || ()), all());
    // D1 takes what was told as pending, and the archive hears of it, or not.
    for told in [true, false] {
        send();
        fold_here(&archive);
        let found = total(&archive, &d1, &mut || take(&archive, &d1, told));
        assert_eq!(found, all());
    }
    // What was told as not folded is folded and taken meanwhile, with more: once, and up to the last try.
    for times in 1..TRIES {
        send();
        let mut left = times;
        let found = total(&archive, &d1, &mut || {
            if left > 0 {
                left -= 1;
                send();
                fold_here(&archive);
                // Among them may be one that D1 has taken already.
                (0..3).for_each(|_| take(&archive, &d1, true));
            }
        });
        assert_eq!(found, all());
    }
}

#[test]
fn a_d1_that_runs_ahead_each_time_answers_alone_and_counts_nothing_twice() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let archive = open(&sql, "demo");
    let mut asked = 0_usize;
    let found = total(&archive, &d1, &mut || {
        send(&archive, asked);
        asked += 1;
        fold_here(&archive);
        take(&archive, &d1, true);
    });
    assert_eq!((found, asked), (4, usize::try_from(TRIES).unwrap()));
}

#[test]
fn a_d1_that_was_lost_answers_alone() {
    let (sql, d1) = (TestSql::new(), TestSql::new());
    d1.migrate();
    let archive = open(&sql, "demo");
    send(&archive, 1);
    fold_here(&archive);
    take(&archive, &d1, true);
    send(&archive, 2);
    assert_eq!(total(&archive, &d1, &mut || ()), 2);
    let empty = TestSql::new();
    empty.migrate();
    assert_eq!(total(&archive, &empty, &mut || ()), 0);
    // An archive that was lost counts on top.
    let anew = TestSql::new();
    let archive = open(&anew, "demo");
    anew.execute_batch("UPDATE folded SET epoch = epoch + 1");
    send(&archive, 3);
    assert_eq!(total(&archive, &d1, &mut || ()), 2);
}

#[test]
fn d1_is_asked_for_what_its_archive_follows() {
    let mut fresh = Fresh::default();
    let at = |fold| Cursor { epoch: 7, fold };
    let stand = |shard, fold| Stand {
        shard,
        epoch: 7,
        fold,
    };
    let wants = vec![Want::new(Table::Minutes, &[], (1, 2))];
    assert_eq!(fresh.look(wants.clone(), 2).at, []);
    let stands = vec![stand(0, 3), stand(1, 5)];
    assert_eq!(fresh.next(&[at(3), at(4)], stands.clone()), Next::Again);
    let look = fresh.look(wants.clone(), 2);
    assert_eq!((&look.at, look.wants), (&stands, wants));
    assert_eq!(fresh.next(&[at(3), at(5)], stands), Next::Answer);
    // One of which D1 has heard nothing yet.
    let stands = vec![stand(0, 3)];
    assert_eq!(fresh.next(&[at(3), at(0)], stands.clone()), Next::Answer);
    assert_eq!(fresh.next(&[at(3), at(1)], stands), Next::Alone);
}
