//! What is damaged is mended.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_wrong_is_mended_and_reported() {
    for (damage, model) in [
        (
            "UPDATE breakdowns SET events = events + 3 WHERE dim = 'page' AND key = '/1'",
            "page",
        ),
        ("UPDATE breakdowns SET b = 0 WHERE dim = 'model'", "model"),
        (
            "DELETE FROM breakdowns WHERE dim = 'country' AND key = 'DE'",
            "country",
        ),
        (
            "INSERT INTO breakdowns SELECT site_id, dim, day, 'made up', 5, 0, 0 FROM breakdowns \
             WHERE dim = 'feature' GROUP BY 1, 2, 3",
            "feature",
        ),
        ("DELETE FROM member_gaps WHERE dim = 'user'", "user gaps"),
        ("DELETE FROM member_gaps WHERE dim = 'anon'", "anon gaps"),
        (
            "UPDATE member_gaps SET n = n + 1 WHERE dim = 'page'",
            "page gaps",
        ),
        (
            "INSERT INTO member_gaps SELECT site_id, dim, day, key, 77, 5 FROM member_gaps \
             WHERE dim = 'country' GROUP BY 1, 2, 3, 4",
            "country gaps",
        ),
        (
            "DELETE FROM domain_hours WHERE event_type = 'order.placed'",
            "domain_hours",
        ),
        ("UPDATE domain_hours SET n = n + 1", "domain_hours"),
        (
            "INSERT INTO domain_hours SELECT site_id, hour, 'made.up', '', 3 FROM domain_hours \
             GROUP BY 1, 2",
            "domain_hours",
        ),
        ("UPDATE user_days SET signups = signups + 1", "user_days"),
        ("DELETE FROM user_days", "user_days"),
        ("UPDATE session_days SET duration_ms = 0", "session_days"),
    ] {
        let (system, events) = database();
        let right = system.dump();
        // Only of the days that are counted again; users and sessions began on the first ones.
        let is_early = ["user_days", "session_days"].contains(&model);
        let today = if is_early { DAY + 1 } else { DAY + 5 };
        let now = today * DAY_MS + 3 * HOUR_MS;
        let days = if damage.contains("domain_hours") {
            format!("hour >= {}", (today - 1) * DAY_MS)
        } else {
            format!("day BETWEEN {} AND {today}", today - 1)
        };
        let link = if damage.contains("WHERE") {
            "AND"
        } else {
            "WHERE"
        };
        let damage = match damage.find(" GROUP BY") {
            Some(at) => format!("{} {link} {days}{}", &damage[..at], &damage[at..]),
            None => format!("{damage} {link} {days}"),
        };
        system.damage(&damage);
        assert_ne!(system.dump(), right, "{damage}");
        let repairs = system.recount(now);
        assert!(
            repairs.iter().all(|repair| repair.model == model) && !repairs.is_empty(),
            "{damage}: {repairs:?}"
        );
        assert_eq!(system.dump(), right, "{damage}");
        let noted = system
            .d1
            .number("SELECT count(*) FROM repairs WHERE was IS NOT NULL");
        assert_eq!(noted, repairs.iter().map(|repair| repair.n).sum::<i64>());
        let want = count("demo", &events);
        for (dim, key) in [("user", ""), ("page", "/1")] {
            for from in DAY..DAY + 6 {
                let days = from..=DAY + 5;
                assert_eq!(
                    distinct(&system.d1, "demo", dim, key, days.clone()),
                    want.distinct(dim, key, days),
                    "{damage}"
                );
            }
        }
        assert_eq!(system.recount(now + 1), []);
    }
}

#[test]
fn what_the_report_says_is_what_was_and_what_is() {
    let (system, _) = database();
    let day = DAY + 5;
    let of_page = format!("FROM breakdowns WHERE dim = 'page' AND day = {day} AND key = '/1'");
    let n = system.d1.number(&format!("SELECT events {of_page}"));
    system.damage(&format!(
        "UPDATE breakdowns SET events = 40 WHERE dim = 'page' AND day = {day} AND key = '/1'"
    ));
    system.recount(NOW);
    let rows: Vec<Value> = system
        .d1
        .rows(
            "SELECT repaired_at, site_id, day, model, key, was, is_now FROM repairs",
            &[],
        )
        .unwrap();
    let want = json!({"repaired_at": NOW, "site_id": "demo", "day": day, "model": "page",
        "key": "/1", "was": 40, "is_now": n});
    assert_eq!(rows, [want]);
}

#[test]
fn what_was_received_is_mended_from_minutes_and_minutes_by_the_archive() {
    let received = DAY + 9;
    for (damage, models) in [
        ("UPDATE hour_counts SET n = n + 1", &["hour_counts"][..]),
        (
            "DELETE FROM hour_counts WHERE event_type = 'error'",
            &["hour_counts"],
        ),
        (
            "INSERT INTO hour_counts SELECT site_id, hour + 3600000, event_type, source, n \
             FROM hour_counts",
            &["hour_counts"],
        ),
        ("UPDATE daily_counts SET n = n - 1", &["daily_counts"]),
        (
            "DELETE FROM daily_counts; INSERT INTO daily_counts \
             SELECT site_id, date(hour / 1000, 'unixepoch'), 'made.up', 5 FROM hour_counts GROUP BY 1, 2",
            &["daily_counts"],
        ),
        ("UPDATE minute_counts SET n = n + 1", &["minute_counts"]),
        (
            "DELETE FROM minute_counts WHERE event_type = 'error'",
            &["minute_counts"],
        ),
        (
            "INSERT INTO minute_counts SELECT site_id, minute + 60000, 'made.up', source, sum(n) \
             FROM minute_counts GROUP BY 1, 2, 4",
            &["minute_counts"],
        ),
        (
            "DELETE FROM minute_counts; DELETE FROM hour_counts WHERE event_type = 'error'",
            &["minute_counts", "hour_counts"],
        ),
    ] {
        let (system, _) = database();
        system
            .sql
            .execute_batch(&format!("INSERT INTO erased_days VALUES ({received})"));
        let want = system.dump();
        system.damage(damage);
        assert_ne!(system.dump(), want);
        let now = received * DAY_MS + HOUR_MS;
        let repairs = system.recount(now);
        let mended: Vec<&str> = repairs.iter().map(|repair| repair.model.as_str()).collect();
        assert_eq!(mended, models, "{damage}");
        assert_eq!(system.dump(), want, "{damage}");
        assert_eq!(system.recount(now + 1), []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However events come, in however many archives, and whatever is damaged, a recount brings the sums back, and a second one has
    /// nothing to do.
    #[test]
    fn whatever_is_damaged_comes_back(
        order in Just((0..150_usize).collect::<Vec<_>>()).prop_shuffle(),
        sizes in prop::collection::vec(1_usize..60, 1..6),
        damage in prop::collection::vec((0_usize..8, 0_usize..4, 1_u32..7), 1..6),
        archives in 1_usize..4,
    ) {
        let system = System::of(archives);
        let mut rest = order.as_slice();
        for (row, size) in sizes.iter().cycle().enumerate() {
            let (some, left) = rest.split_at((*size).min(rest.len()));
            let some: Vec<Value> = some.iter().map(|n| event("demo", *n)).collect();
            system.take(row, &some);
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        let right = system.dump();
        let (first, received) = ((DAY + 4) * DAY_MS, (DAY + 9) * DAY_MS);
        for (table, how, nth) in damage {
            let (table, n, days) = [
                ("breakdowns", "events", format!("day >= {} AND dim <> 'type'", DAY + 4)),
                ("breakdowns", "a", format!("day >= {} AND dim <> 'type'", DAY + 4)),
                ("member_gaps", "n", format!("day >= {}", DAY + 4)),
                ("domain_hours", "n", format!("hour >= {first}")),
                ("user_days", "signups", format!("day >= {}", DAY + 4)),
                ("session_days", "duration_ms", format!("day >= {}", DAY + 4)),
                ("minute_counts", "n", format!("minute >= {received}")),
                ("hour_counts", "n", format!("hour >= {received}")),
            ][table].clone();
            let some = format!("{days} AND (length(hex({n})) + {n} * 7 + {nth}) % {nth} = 0");
            system.damage(&match how {
                0 => format!("DELETE FROM {table} WHERE {some}"),
                1 => format!("UPDATE {table} SET {n} = {n} + {nth} WHERE {some}"),
                2 => format!("UPDATE {table} SET {n} = 0 WHERE {some}"),
                _ => format!("UPDATE {table} SET {n} = -{n} WHERE {some}"),
            });
        }
        system.recount(NOW);
        system.recount(received + 1);
        prop_assert_eq!(system.dump(), right);
        prop_assert_eq!(system.recount(NOW + 1), []);
        prop_assert_eq!(system.recount(received + 2), []);
    }
}
