//! What D1 takes, and how often.

use super::*;
use crate::base::json_rows::MAX_TEXT;

#[test]
fn d1_takes_a_fold_once_whatever_comes_again_or_fails() {
    let (sql, d1) = (archive(), d1());
    let events: Vec<Event<'_>> = (0..90).map(event).collect();
    let folds: Vec<Sums> = events
        .chunks(30)
        .map(|some| fold(&sql, some, TODAY, Mode::Write).unwrap())
        .collect();
    let at = |fold| Some(Cursor { epoch: 1, fold });
    // One that is ahead of its time changes nothing.
    assert_eq!(take(&d1, 0, 2, &folds[1]), None);
    assert_eq!(read(&d1), count(&[]));
    for (n, sums) in folds.iter().enumerate() {
        let n = i64::try_from(n).unwrap() + 1;
        let statements = sums.statements(SITE, 0, Cursor { epoch: 1, fold: n });
        for fails in 1..=u32::try_from(statements.len()).unwrap() {
            d1.fail_in(fails);
            assert!(d1.batch::<Cursor>(&statements).is_err());
        }
        // The answer was lost: it is asked again, and once more.
        for _ in 0..3 {
            let found = take(&d1, 0, n, sums);
            assert_eq!(found, at(n));
            assert!(Cursor { epoch: 1, fold: n }.is_taken(found));
            assert_eq!(
                read(&d1),
                count(&events[..30 * usize::try_from(n).unwrap()])
            );
        }
        assert_eq!(take(&d1, 0, n - 1, &folds[0]), at(n));
    }
    assert_eq!(read(&d1), count(&events));
    // Another shard has its own cursor.
    assert_eq!(take(&d1, 1, 1, &Sums::default()), at(1));
    let stands: Vec<Stand> = d1.batch(&[standing(SITE)]).unwrap();
    assert_eq!(
        [0, 1, 2].map(|shard| Cursor::of(&stands, shard)),
        [at(3), at(1), None]
    );
}

#[test]
fn an_archive_that_was_lost_begins_anew_on_top_of_what_is_there() {
    let (old, new, d1) = (archive(), archive(), d1());
    let events: Vec<Event<'_>> = (0..90).map(event).collect();
    let run = |epoch, fold, sums: &Sums| -> Option<Cursor> {
        d1.batch(&sums.statements(SITE, 0, Cursor { epoch, fold }))
            .unwrap()
            .pop()
    };
    let first = fold(&old, &events[..30], TODAY, Mode::Write).unwrap();
    let second = fold(&old, &events[30..60], TODAY, Mode::Write).unwrap();
    run(5, 1, &first);
    let anew = fold(&new, &events[60..], TODAY, Mode::Write).unwrap();
    // Its first fold only, not a later one.
    assert_eq!(run(6, 2, &anew), Some(Cursor { epoch: 5, fold: 1 }));
    assert_eq!(run(6, 1, &anew), Some(Cursor { epoch: 6, fold: 1 }));
    let events_of = || read(&d1).minutes.values().sum::<i64>();
    assert_eq!(events_of(), 60);
    // What the lost one had on its way comes too late, be it its next fold or its first.
    for (fold, sums) in [(2, &second), (1, &first)] {
        let at = run(5, fold, sums);
        assert_eq!(at, Some(Cursor { epoch: 6, fold: 1 }));
        assert!(
            !Cursor { epoch: 5, fold }.is_taken(at) && Cursor { epoch: 5, fold }.is_outlived(at)
        );
    }
    assert_eq!(events_of(), 60);
    assert_eq!(
        run(6, 2, &Sums::default()),
        Some(Cursor { epoch: 6, fold: 2 })
    );
}

#[test]
fn statements_and_pieces_of_many_rows_are_bounded() {
    let sql = archive();
    let page = |n: usize| format!("/{n}/{}", "\u{e4}".repeat(100));
    let events = (0..20_000_usize).map(|n| page_view(n, &page(n % 5_000), DAY + (n / 400) as i64));
    let events: Vec<Event<'_>> = events.collect();
    let sums = fold(&sql, &events, TODAY, Mode::Write).unwrap();
    let statements = sums.statements(SITE, 0, Cursor { epoch: 1, fold: 1 });
    let longest = statements
        .iter()
        .flat_map(|statement| &statement.params)
        .map(|param| match param {
            crate::base::sql::Param::Text(text) => text.len(),
            _ => 0,
        });
    assert!((500_000..=MAX_TEXT).contains(&longest.max().unwrap()));
    let d1 = d1();
    d1.batch::<Cursor>(&statements).unwrap();
    assert_eq!(read(&d1), count(&events));
    for len in [0, 1, 2, 1_000] {
        assert_eq!(Sums::unpack(&sums.pack().concat()[..len]), None);
    }
}

#[test]
fn calls_are_counted_by_site_action_and_status() {
    use serde_json::json;
    let (sql, d1) = (archive(), d1());
    let call = |site: Option<&str>,
                calls: i64,
                duration: i64,
                durations: Option<serde_json::Value>| {
        let mut event = json!({"eventType": "x", "timestamp": 1_700_000_000_123_i64, "metadata": {"duration": duration},
            "eventData": {"action": "ingest", "httpStatus": 202, "calls": calls, "totalDuration": calls * duration,
                "outcomes": {"accepted": 2}}});
        if let Some(site) = site {
            event["eventData"]["site"] = site.into();
        }
        if let Some(durations) = durations {
            event["eventData"]["durations"] = durations;
        }
        event.to_string()
    };
    let mut gathered = Gathered::default();
    for line in [
        call(Some("a"), 1, 700, None),
        call(Some("a"), 3, 3, Some(json!({"5": 3}))),
        call(None, 1, 20_000, None),
        json!({"eventType": "x", "eventData": {}, "metadata": {}}).to_string(),
        "no event".to_owned(),
    ] {
        gathered.add_operation(&line);
    }
    let sums = gathered.fold(&sql, TODAY, Mode::Write).unwrap();
    assert_eq!(Sums::unpack(&sums.pack().concat()).as_ref(), Some(&sums));
    for _ in 0..2 {
        take(&d1, 0, 1, &sums);
    }
    take(&d1, 0, 2, &sums);
    let n = |what: &str| d1.number(&format!("SELECT {what}"));
    assert_eq!(
        n("n FROM operation_minutes WHERE site_id = 'a' AND action = 'ingest' AND status = 202"),
        8
    );
    assert_eq!(n("le_5 FROM operation_minutes WHERE site_id = 'a'"), 6);
    assert_eq!(n("le_1000 FROM operation_minutes WHERE site_id = 'a'"), 8);
    assert_eq!(
        n("duration_ms FROM operation_minutes WHERE site_id = 'a'"),
        1_418
    );
    assert_eq!(
        n("minute FROM operation_minutes WHERE site_id = ''"),
        1_699_999_980_000
    );
    assert_eq!(n("n FROM operation_totals"), 10);
    assert_eq!(n("le_10000 FROM operation_totals"), 8);
    assert_eq!(n("n FROM operation_outcomes"), 12);
}
