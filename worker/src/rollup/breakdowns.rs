//! Events and users by day, dimension and key.

/// Keys of a dimension on one day at most. Anybody can send events whose every page is another one;
/// what comes when a day is full counts under [`OTHER`], so the sums stay exact.
pub const MAX_KEYS_PER_DAY: i64 = 500;

/// The key of what has no key of its own any more.
pub const OTHER: &str = "(other)";

/// Gaps from here on are one: a range of 366 days reaches back 365 at most.
pub const MAX_GAP: i64 = 367;

/// Dimensions that count events only, not users.
pub(super) const WITHOUT_USERS: [&str; 3] = ["type", "content", "model"];

/// Dimensions whose events have measures.
pub(super) const MEASURED: [&str; 2] = ["feature", "model"];

/// `p`: of the keys of `t`, which have a row already (`known`), and at which place among those of the
/// day one that has none would stand.
macro_rules! places {
    () => {
        ", k AS MATERIALIZED (SELECT *, key <> '(other)' AND NOT EXISTS (SELECT 1 \
         FROM breakdowns AS b WHERE b.site_id = ?1 AND b.dim = t.dim AND b.day = t.day \
         AND b.key = t.key) AS new FROM t), \
         h AS MATERIALIZED (SELECT dim, day, (SELECT count(*) FROM breakdowns AS b \
         WHERE b.site_id = ?1 AND b.dim = d.dim AND b.day = d.day AND b.key <> '(other)') AS had \
         FROM (SELECT DISTINCT dim, day FROM k WHERE new) AS d), \
         p AS (SELECT k.*, iif(new, row_number() OVER (PARTITION BY k.dim, k.day, new \
         ORDER BY k.key) + had, 0) AS place FROM k \
         LEFT JOIN h ON h.dim = k.dim AND h.day = k.day) "
    };
}

/// Of rows `[dim, day, key, events, a, b]`: keys that are new to a day get a row while there is room.
pub(super) const COUNT: &str = concat!(
    "WITH t AS (SELECT value->>0 AS dim, value->>1 AS day, value->>2 AS key, \
     value->>3 AS n, value->>4 AS a, value->>5 AS b FROM json_each(?2))",
    places!(),
    "INSERT INTO breakdowns (site_id, dim, day, key, events, a, b) \
     SELECT ?1, dim, day, iif(place <= 500, key, '(other)'), sum(n), sum(a), sum(b) \
     FROM p GROUP BY 2, 3, 4 \
     ON CONFLICT (site_id, dim, day, key) DO UPDATE SET \
     events = events + excluded.events, a = a + excluded.a, b = b + excluded.b"
);

/// `c`: whoever has a key on a day, of rows `[dim, day, key, [user, …]]`.
macro_rules! new_members {
    () => {
        "WITH k AS MATERIALIZED (SELECT t.value->>0 AS dim, t.value->>1 AS day, \
         iif(EXISTS (SELECT 1 FROM breakdowns AS b WHERE b.site_id = ?1 \
         AND b.dim = t.value->>0 AND b.day = t.value->>1 AND b.key = t.value->>2), \
         t.value->>2, '(other)') AS key, t.value->3 AS users FROM json_each(?2) AS t), \
         c AS (SELECT DISTINCT k.dim, k.key, u.value AS user, k.day FROM k \
         CROSS JOIN json_each(k.users) AS u)"
    };
}

/// `r`: those of `c` who join, with the days before and after at which they had the key; `w`: the
/// gaps that are to be written: of those who join, and of the day after each.
macro_rules! joining {
    () => {
        ", r AS MATERIALIZED (SELECT c.dim, c.key, c.user, c.day, \
         (SELECT max(p.day) FROM members AS p WHERE p.site_id = ?1 AND p.dim = c.dim \
          AND p.key = c.key AND p.user_hash = c.user AND p.day < c.day) AS prev, \
         (SELECT min(p.day) FROM members AS p WHERE p.site_id = ?1 AND p.dim = c.dim \
          AND p.key = c.key AND p.user_hash = c.user AND p.day > c.day) AS next \
         FROM c WHERE NOT EXISTS (SELECT 1 FROM members AS j WHERE j.site_id = ?1 \
         AND j.dim = c.dim AND j.key = c.key AND j.user_hash = c.user AND j.day = c.day)), \
         l AS (SELECT *, lag(day) OVER (PARTITION BY dim, key, user ORDER BY day) AS own FROM r), \
         w AS MATERIALIZED (SELECT dim, key, user, day, NULL AS old, \
         coalesce(min(day - max(coalesce(prev, own), coalesce(own, prev)), 367), 0) AS gap FROM l \
         UNION ALL SELECT n.dim, n.key, n.user, j.day, j.gap, min(j.day - n.day, 367) \
         FROM (SELECT dim, key, user, next, max(day) AS day FROM r WHERE next IS NOT NULL \
         GROUP BY 1, 2, 3, 4) AS n CROSS JOIN members AS j WHERE j.site_id = ?1 \
         AND j.dim = n.dim AND j.key = n.key AND j.user_hash = n.user AND j.day = n.next) "
    };
}

/// Counts the gaps that change; before they are written.
macro_rules! count_gaps {
    ($c:ident) => {
        concat!(
            $c!(),
            joining!(),
            "INSERT INTO member_gaps (site_id, dim, day, key, gap, n) \
             SELECT ?1, dim, day, key, gap, sum(n) FROM (SELECT dim, day, key, gap, 1 AS n FROM w \
             UNION ALL SELECT dim, day, key, old, -1 FROM w WHERE old IS NOT NULL) \
             GROUP BY 2, 3, 4, 5 HAVING sum(n) <> 0 \
             ON CONFLICT (site_id, dim, day, key, gap) DO UPDATE SET n = n + excluded.n"
        )
    };
}

macro_rules! write_gaps {
    ($c:ident) => {
        concat!(
            $c!(),
            joining!(),
            // No UPDATE … FROM: SQLite would walk all members of the site for it.
            "INSERT INTO members (site_id, dim, key, user_hash, day, gap) \
             SELECT ?1, dim, key, user, day, gap FROM w WHERE true \
             ON CONFLICT (site_id, dim, key, user_hash, day) DO UPDATE SET gap = excluded.gap"
        )
    };
}

/// Of the rows of `new_members`, in this order, after [`COUNT`].
pub(super) const MEMBERS: [&str; 2] = [count_gaps!(new_members), write_gaps!(new_members)];

/// What is written again from the stored events of a day, a dimension at a time.
pub(crate) mod mend;
