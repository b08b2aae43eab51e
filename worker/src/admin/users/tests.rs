use shoreline_shared::privacy::user_hash;

use super::*;
use crate::base::time::DAY_MS;
use crate::read::brute::{DAY, KEY, ask};
use crate::testing::TestSql;

const NOW: i64 = (DAY + 20) * DAY_MS;
const SECRET: &str = "00112233445566778899aabbccddeeff";

fn alias(sql: &TestSql, random: &str, now: i64) -> Suppressed {
    let hash = user_hash(KEY, "demo", "u1");
    ask(sql, &suppress("demo", &[hash], now, random))
        .pop()
        .unwrap()
}

#[test]
fn all_ids_of_a_person_are_listed_with_one_secret() {
    let sql = database();
    alias(&sql, SECRET, NOW);
    let ids = ["u1", "u2", "u3"].map(|id| user_hash(KEY, "demo", id));
    let rows: Vec<Suppressed> = ask(&sql, &suppress("demo", &ids, NOW + 5, "ffff"));
    let told = |id: &String| {
        let row = rows.iter().find(|row| row.user_hash == *id).unwrap();
        (row.alias_key.as_str(), row.erased_at)
    };
    let want = [(SECRET, NOW + 5), ("ffff", NOW + 5), ("ffff", NOW + 5)];
    assert_eq!(ids.each_ref().map(told), want);
}

fn database() -> TestSql {
    let sql = TestSql::new();
    sql.migrate();
    sql
}

#[test]
fn a_second_erasure_keeps_the_ids_of_the_first_and_takes_what_came_since() {
    let sql = database();
    let first = alias(&sql, SECRET, NOW);
    assert_eq!((first.alias_key.as_str(), first.erased_at), (SECRET, NOW));
    // With other random bytes, by a clock that went back, and later.
    assert_eq!(alias(&sql, "ffff", NOW - 5), first);
    let later = alias(&sql, "ffff", NOW + 5);
    assert_eq!(
        (later.alias_key.as_str(), later.erased_at),
        (SECRET, NOW + 5)
    );
    assert_eq!(sql.number("SELECT count(*) FROM erasures"), 1);
}

#[test]
fn a_profile_tells_what_is_kept() {
    let sql = database();
    let hash = user_hash(KEY, "demo", "u1");
    let asked = |hash: &str| -> Option<i64> {
        let rows: Vec<ErasedAt> = ask(&sql, &erased_at("demo", hash));
        rows.first().map(|row| row.erased_at)
    };
    assert_eq!(Profile::of(None, asked(&hash)), Profile::default());
    alias(&sql, SECRET, NOW);
    let known = people::Profile {
        first_at: DAY * DAY_MS + 7,
        registered_at: Some(NOW - 1),
        days: vec![DAY, DAY + 3],
    };
    let profile = Profile::of(Some(&known), asked(&hash));
    assert_eq!(profile.first_seen_at, Some(known.first_at));
    assert_eq!(profile.registered_at, Some(NOW - 1));
    assert_eq!(profile.erased_at, Some(NOW));
    assert_eq!(profile.active_days, [date(DAY), date(DAY + 3)]);
    assert_eq!(asked("somebody else"), None);
}
