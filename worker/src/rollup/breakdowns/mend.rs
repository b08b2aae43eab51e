//! The statements that count a day of one dimension (`?4`) again from its stored events: from `?2`
//! up to before `?3`, now being `?5`. Where all is right, they change nothing.

/// Whether the day's events still tell all that was counted.
macro_rules! whole {
    () => {
        "NOT EXISTS (SELECT 1 FROM erased_days AS z WHERE z.site_id = ?1 AND z.day = ?2 / 86400000)"
    };
}

/// An event's key in the dimension `?4`.
macro_rules! key {
    () => {
        "x->>('$[7].' || ?4)"
    };
}

/// Gives keys that are new to the day a row, while there is room.
const ADMIT: &str = concat!(
    stored!(),
    ", t AS (SELECT DISTINCT ?4 AS dim, x->>1 AS day, ",
    key!(),
    " AS key FROM f WHERE ",
    key!(),
    " IS NOT NULL)",
    places!(),
    "INSERT INTO breakdowns (site_id, dim, day, key, events, a, b) \
     SELECT ?1, dim, day, key, 0, 0, 0 FROM p WHERE new AND place <= 500"
);

/// `t`: the events that have a key.
macro_rules! one_dim {
    () => {
        concat!(
            ", t AS (SELECT x->>1 AS day, ?4 AS dim, ",
            key!(),
            " AS key, x AS x FROM f WHERE ",
            key!(),
            " IS NOT NULL) "
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

/// `c`: whoever has a key on the day. Three dimensions count events only.
macro_rules! candidates {
    () => {
        ", c AS (SELECT DISTINCT dim, key, x->>4 AS user, day FROM m \
         WHERE (x->>5 = 1 OR dim = 'anon') AND dim NOT IN ('type', 'content', 'model')) "
    };
}

/// `c` of the day's stored events.
macro_rules! stored_members {
    () => {
        concat!(keys!(), candidates!())
    };
}

/// `truth`: what the events say that a dimension's rows must be.
macro_rules! truth {
    () => {
        concat!(
            ", truth(site_id, dim, day, key, events, a, b) AS MATERIALIZED (",
            sums!(),
            ") "
        )
    };
}

/// `h`: the counts of gaps that the members of the day make.
macro_rules! gaps {
    () => {
        ", h AS MATERIALIZED (SELECT c.day, c.key, j.gap, count(*) AS n FROM c \
         CROSS JOIN members AS j WHERE j.site_id = ?1 AND j.dim = c.dim AND j.key = c.key \
         AND j.user_hash = c.user AND j.day = c.day GROUP BY 1, 2, 3) "
    };
}

/// `m` of the day's stored events in the dimension.
macro_rules! keys {
    () => {
        concat!(stored!(), one_dim!(), mapped!())
    };
}

/// Rows of the report: counts that differ.
macro_rules! wrong_sums {
    () => {
        concat!(
            "SELECT ?5, ?1, t.day, ?4, t.key, coalesce(b.events, 0), t.events FROM truth AS t \
             LEFT JOIN breakdowns AS b ON b.site_id = ?1 AND b.dim = ?4 AND b.day = t.day \
             AND b.key = t.key WHERE b.events IS NOT t.events OR b.a IS NOT t.a OR b.b IS NOT t.b \
             UNION ALL SELECT ?5, ?1, b.day, ?4, b.key, b.events, 0 FROM breakdowns AS b \
             WHERE b.site_id = ?1 AND b.dim = ?4 AND b.day = ?2 / 86400000 AND ",
            whole!(),
            " AND (b.events <> 0 OR b.a <> 0 OR b.b <> 0) AND b.key NOT IN (SELECT key FROM truth)"
        )
    };
}

/// Rows of the report: how many of those who were there were not known to have been.
macro_rules! lost_members {
    () => {
        "SELECT ?5, ?1, c.day, ?4 || ' members', c.key, count(j.day), count(*) FROM c \
         LEFT JOIN members AS j ON j.site_id = ?1 AND j.dim = c.dim AND j.key = c.key \
         AND j.user_hash = c.user AND j.day = c.day GROUP BY c.day, c.key \
         HAVING count(j.day) < count(*)"
    };
}

/// Rows of the report: counts of gaps that differ.
macro_rules! wrong_gaps {
    () => {
        concat!(
            "SELECT ?5, ?1, h.day, ?4 || ' gaps', h.key, coalesce(g.n, 0), h.n FROM h \
             LEFT JOIN member_gaps AS g ON g.site_id = ?1 AND g.dim = ?4 AND g.day = h.day \
             AND g.key = h.key AND g.gap = h.gap WHERE g.n IS NOT h.n \
             UNION ALL SELECT ?5, ?1, g.day, ?4 || ' gaps', g.key, g.n, 0 FROM member_gaps AS g \
             WHERE g.site_id = ?1 AND g.dim = ?4 AND g.day = ?2 / 86400000 AND g.n <> 0 AND ",
            whole!(),
            " AND (g.key, g.gap) NOT IN (SELECT key, gap FROM h)"
        )
    };
}

macro_rules! note {
    () => {
        "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) "
    };
}

/// How many rows differ, of all kinds: one walk over the events, where mending takes ten.
pub(crate) const CHECK: &str = concat!(
    keys!(),
    candidates!(),
    truth!(),
    gaps!(),
    "SELECT count(*) AS n FROM (",
    wrong_sums!(),
    " UNION ALL ",
    lost_members!(),
    " UNION ALL ",
    wrong_gaps!(),
    ")"
);

const NOTE: &str = concat!(keys!(), truth!(), note!(), wrong_sums!());

const MEND: &str = concat!(
    keys!(),
    truth!(),
    "INSERT INTO breakdowns (site_id, dim, day, key, events, a, b) \
     SELECT site_id, dim, day, key, events, a, b FROM truth WHERE true \
     ON CONFLICT (site_id, dim, day, key) DO UPDATE SET \
     events = excluded.events, a = excluded.a, b = excluded.b \
     WHERE events <> excluded.events OR a <> excluded.a OR b <> excluded.b"
);

const CLEAR: &str = concat!(
    keys!(),
    truth!(),
    "UPDATE breakdowns SET events = 0, a = 0, b = 0 WHERE site_id = ?1 AND dim = ?4 \
     AND day = ?2 / 86400000 AND (events <> 0 OR a <> 0 OR b <> 0) AND ",
    whole!(),
    " AND key NOT IN (SELECT key FROM truth)"
);

const NOTE_MEMBERS: &str = concat!(keys!(), candidates!(), note!(), lost_members!());

const NOTE_GAPS: &str = concat!(keys!(), candidates!(), gaps!(), note!(), wrong_gaps!());

const MEND_GAPS: &str = concat!(
    keys!(),
    candidates!(),
    gaps!(),
    "INSERT INTO member_gaps (site_id, dim, day, key, gap, n) \
     SELECT ?1, ?4, day, key, gap, n FROM h WHERE true \
     ON CONFLICT (site_id, dim, day, key, gap) DO UPDATE SET n = excluded.n \
     WHERE n <> excluded.n"
);

const CLEAR_GAPS: &str = concat!(
    keys!(),
    candidates!(),
    gaps!(),
    "UPDATE member_gaps SET n = 0 WHERE site_id = ?1 AND dim = ?4 AND day = ?2 / 86400000 \
     AND n <> 0 AND ",
    whole!(),
    " AND (key, gap) NOT IN (SELECT key, gap FROM h)"
);

/// The statements, in order.
pub(crate) const STORED: [&str; 10] = [
    ADMIT,
    NOTE,
    MEND,
    CLEAR,
    NOTE_MEMBERS,
    count_gaps!(stored_members),
    write_gaps!(stored_members),
    NOTE_GAPS,
    MEND_GAPS,
    CLEAR_GAPS,
];
