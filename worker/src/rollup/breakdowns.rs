//! Events and users by day, dimension and key.

/// Keys of a dimension on one day at most. Anybody can send events whose every page is another one;
/// what comes when a day is full counts under [`OTHER`], so the sums stay exact.
pub const MAX_KEYS_PER_DAY: i64 = 500;

/// The key of what has no key of its own any more.
pub const OTHER: &str = "(other)";

/// Gaps from here on are one: a range of 366 days reaches back 365 at most.
pub const MAX_GAP: i64 = 367;

/// `t`: an event's keys, one row each.
macro_rules! all_dims {
    () => {
        ", t AS (SELECT f.x->>1 AS day, d.key AS dim, d.value AS key, f.x AS x \
         FROM f CROSS JOIN json_each(f.x, '$[7]') AS d) "
    };
}

/// `t`: an event's key in the dimension `?4`.
macro_rules! one_dim {
    () => {
        ", t AS (SELECT x->>1 AS day, ?4 AS dim, x->>('$[7].' || ?4) AS key, x AS x \
         FROM f WHERE x->>('$[7].' || ?4) IS NOT NULL) "
    };
}

/// Gives keys that are new to a day a row, while there is room.
macro_rules! admit {
    ($f:ident, $t:ident) => {
        concat!(
            $f!(),
            $t!(),
            ", n AS MATERIALIZED (SELECT DISTINCT dim, day, key FROM t WHERE key <> '(other)' \
             AND NOT EXISTS (SELECT 1 FROM breakdowns AS b WHERE b.site_id = ?1 \
             AND b.dim = t.dim AND b.day = t.day AND b.key = t.key)), \
             c AS MATERIALIZED (SELECT dim, day, (SELECT count(*) FROM breakdowns AS b \
             WHERE b.site_id = ?1 AND b.dim = p.dim AND b.day = p.day AND b.key <> '(other)') AS had \
             FROM (SELECT DISTINCT dim, day FROM n) AS p) \
             INSERT INTO breakdowns (site_id, dim, day, key, events, a, b) \
             SELECT ?1, dim, day, key, 0, 0, 0 FROM (SELECT n.dim, n.day, n.key, \
             row_number() OVER (PARTITION BY n.dim, n.day ORDER BY n.key) + c.had AS place \
             FROM n JOIN c ON c.dim = n.dim AND c.day = n.day) WHERE place <= 500 \
             ON CONFLICT DO NOTHING"
        )
    };
}

/// `m`: as `t`, with the key that it counts under.
macro_rules! mapped {
    () => {
        ", m AS (SELECT dim, day, CASE WHEN EXISTS (SELECT 1 FROM breakdowns AS b \
         WHERE b.site_id = ?1 AND b.dim = t.dim AND b.day = t.day AND b.key = t.key) \
         THEN key ELSE '(other)' END AS key, x FROM t) "
    };
}

/// Events and measures of `m`.
macro_rules! sums {
    () => {
        "SELECT ?1, dim, day, key, count(*), \
         sum(CASE WHEN dim IN ('feature', 'model') THEN x->>8 ELSE 0 END), \
         sum(CASE WHEN dim IN ('feature', 'model') THEN x->>9 ELSE 0 END) FROM m GROUP BY 2, 3, 4"
    };
}

const COUNT: &str = concat!(
    fresh!(),
    all_dims!(),
    mapped!(),
    "INSERT INTO breakdowns (site_id, dim, day, key, events, a, b) ",
    sums!(),
    " ON CONFLICT (site_id, dim, day, key) DO UPDATE SET \
     events = events + excluded.events, a = a + excluded.a, b = b + excluded.b"
);

/// `c`: whoever has a key on a day. Three dimensions count events only.
macro_rules! candidates {
    () => {
        ", c AS (SELECT DISTINCT dim, key, x->>4 AS user, day FROM m \
         WHERE (x->>5 = 1 OR dim = 'anon') AND dim NOT IN ('type', 'content', 'model')) "
    };
}

macro_rules! join {
    ($f:ident, $t:ident) => {
        concat!(
            $f!(),
            $t!(),
            mapped!(),
            candidates!(),
            "INSERT INTO members (site_id, dim, key, user_hash, day, gap) \
             SELECT ?1, dim, key, user, day, -1 FROM c WHERE true ON CONFLICT DO NOTHING"
        )
    };
}

/// `r`: the members that just joined, with the days before and after at which they had the key;
/// `w`: the gaps that are to be written: of those who joined, and of the day after each.
macro_rules! joined {
    () => {
        ", r AS MATERIALIZED (SELECT c.dim, c.key, c.user, c.day, \
         (SELECT max(p.day) FROM members AS p WHERE p.site_id = ?1 AND p.dim = c.dim \
          AND p.key = c.key AND p.user_hash = c.user AND p.day < c.day) AS prev, \
         (SELECT min(p.day) FROM members AS p WHERE p.site_id = ?1 AND p.dim = c.dim \
          AND p.key = c.key AND p.user_hash = c.user AND p.day > c.day) AS next \
         FROM c CROSS JOIN members AS j WHERE j.site_id = ?1 AND j.dim = c.dim \
         AND j.key = c.key AND j.user_hash = c.user AND j.day = c.day AND j.gap = -1), \
         w AS MATERIALIZED (SELECT dim, key, user, day, NULL AS old, \
         CASE WHEN prev IS NULL THEN 0 ELSE min(day - prev, 367) END AS gap FROM r \
         UNION ALL SELECT r.dim, r.key, r.user, j.day, j.gap, min(j.day - r.day, 367) \
         FROM r CROSS JOIN members AS j WHERE j.site_id = ?1 AND j.dim = r.dim AND j.key = r.key \
         AND j.user_hash = r.user AND j.day = r.next AND j.gap <> -1) "
    };
}

macro_rules! count_gaps {
    ($f:ident, $t:ident) => {
        concat!(
            $f!(),
            $t!(),
            mapped!(),
            candidates!(),
            joined!(),
            "INSERT INTO member_gaps (site_id, dim, day, key, gap, n) \
             SELECT ?1, dim, day, key, gap, sum(n) FROM (SELECT dim, day, key, gap, 1 AS n FROM w \
             UNION ALL SELECT dim, day, key, old, -1 FROM w WHERE old IS NOT NULL) \
             GROUP BY 2, 3, 4, 5 HAVING sum(n) <> 0 \
             ON CONFLICT (site_id, dim, day, key, gap) DO UPDATE SET n = n + excluded.n"
        )
    };
}

macro_rules! write_gaps {
    ($f:ident, $t:ident) => {
        concat!(
            $f!(),
            $t!(),
            mapped!(),
            candidates!(),
            joined!(),
            // No UPDATE … FROM: SQLite would walk all members of the site for it.
            "INSERT INTO members (site_id, dim, key, user_hash, day, gap) \
             SELECT ?1, dim, key, user, day, gap FROM w WHERE true \
             ON CONFLICT (site_id, dim, key, user_hash, day) DO UPDATE SET gap = excluded.gap"
        )
    };
}

/// The statements for a message.
pub(super) const FRESH: [&str; 5] = [
    admit!(fresh, all_dims),
    COUNT,
    join!(fresh, all_dims),
    count_gaps!(fresh, all_dims),
    write_gaps!(fresh, all_dims),
];

/// What is written again from the stored events of a day, a dimension at a time.
pub(crate) mod mend;
