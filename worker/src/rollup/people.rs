//! Users and sessions, and the sums of them by day. Each sum is changed by the difference that the
//! events make, told before the row itself is changed.

/// `u`: the first event and registration of each user, of rows `[user, first, registered]`.
macro_rules! new_users {
    () => {
        "WITH u AS (SELECT value->>0 AS user, value->>1 AS first, value->>2 AS reg \
         FROM json_each(?2))"
    };
}

/// `u` of the stored events of a day.
macro_rules! stored_users {
    () => {
        concat!(
            stored!(),
            ", u AS (SELECT x->>4 AS user, min(x->>0) AS first, min(x->>10) AS reg \
             FROM f WHERE x->>5 = 1 GROUP BY 1)"
        )
    };
}

/// `v`: of each user of `u`, the first event and registration before (0) and after (1).
macro_rules! users {
    () => {
        ", v AS MATERIALIZED (SELECT u.user, o.first_at AS f0, o.registered_at AS r0, \
         min(u.first, coalesce(o.first_at, u.first)) AS f1, \
         coalesce(min(u.reg, o.registered_at), u.reg, o.registered_at) AS r1 \
         FROM u LEFT JOIN users AS o ON o.site_id = ?1 AND o.user_hash = u.user) "
    };
}

/// Days on which users were first seen and signed up: by registration, else by their first event.
macro_rules! user_days {
    ($u:ident) => {
        concat!(
            $u!(),
            users!(),
            "INSERT INTO user_days (site_id, day, first_seen, signups) \
             SELECT ?1, day, sum(s), sum(g) FROM (SELECT ",
            day!("f1"),
            " AS day, 1 AS s, 0 AS g FROM v WHERE f0 IS NOT f1 UNION ALL SELECT ",
            day!("f0"),
            ", -1, 0 FROM v WHERE f0 <> f1 UNION ALL SELECT ",
            day!("coalesce(r1, f1)"),
            ", 0, 1 FROM v WHERE coalesce(r0, f0) IS NOT coalesce(r1, f1) UNION ALL SELECT ",
            day!("coalesce(r0, f0)"),
            ", 0, -1 FROM v WHERE coalesce(r0, f0) <> coalesce(r1, f1)) \
             GROUP BY day HAVING sum(s) <> 0 OR sum(g) <> 0 \
             ON CONFLICT (site_id, day) DO UPDATE SET \
             first_seen = first_seen + excluded.first_seen, signups = signups + excluded.signups"
        )
    };
}

/// The users themselves; one who is known and did nothing earlier than that is not written.
macro_rules! keep_users {
    ($u:ident) => {
        concat!(
            $u!(),
            users!(),
            "INSERT INTO users (site_id, user_hash, first_at, registered_at) \
             SELECT ?1, user, f1, r1 FROM v WHERE f0 IS NOT f1 OR r0 IS NOT r1 \
             ON CONFLICT (site_id, user_hash) DO UPDATE SET \
             first_at = excluded.first_at, registered_at = excluded.registered_at"
        )
    };
}

/// `s`: the ends of each session, of rows `[session, first, last, events, taken at]`.
macro_rules! new_sessions {
    () => {
        "WITH s AS (SELECT value->>0 AS session, value->>1 AS lo, value->>2 AS hi, \
         value->>3 AS n, value->>4 AS seen FROM json_each(?2))"
    };
}

/// `s` of the stored events of a day.
macro_rules! stored_sessions {
    () => {
        concat!(
            stored!(),
            ", s AS (SELECT x->>6 AS session, min(x->>0) AS lo, max(x->>0) AS hi, count(*) AS n, \
             NULL AS seen FROM f WHERE x->>6 IS NOT NULL GROUP BY 1)"
        )
    };
}

/// `v`: of each session of `s`, its ends before (0) and after (1).
macro_rules! sessions {
    () => {
        ", v AS MATERIALIZED (SELECT s.session, s.n, s.seen, o.first_at AS lo0, o.last_at AS hi0, \
         min(s.lo, coalesce(o.first_at, s.lo)) AS lo1, max(s.hi, coalesce(o.last_at, s.hi)) AS hi1 \
         FROM s LEFT JOIN sessions AS o ON o.site_id = ?1 AND o.session_hash = s.session) "
    };
}

/// Sessions by the day they began, with their durations.
macro_rules! session_days {
    ($u:ident) => {
        concat!(
            $u!(),
            sessions!(),
            "INSERT INTO session_days (site_id, day, sessions, duration_ms) \
             SELECT ?1, day, sum(n), sum(ms) FROM (SELECT ",
            day!("lo1"),
            " AS day, 1 AS n, hi1 - lo1 AS ms FROM v UNION ALL SELECT ",
            day!("lo0"),
            ", -1, lo0 - hi0 FROM v WHERE lo0 IS NOT NULL) \
             GROUP BY day HAVING sum(n) <> 0 OR sum(ms) <> 0 \
             ON CONFLICT (site_id, day) DO UPDATE SET \
             sessions = sessions + excluded.sessions, \
             duration_ms = duration_ms + excluded.duration_ms"
        )
    };
}

/// Forgotten by when its events were taken: those of an import were received long before, and the rest
/// of the session may be in the next message.
const KEEP_SESSIONS: &str = concat!(
    new_sessions!(),
    sessions!(),
    "INSERT INTO sessions (site_id, session_hash, first_at, last_at, events, seen_at) \
     SELECT ?1, session, lo1, hi1, n, seen FROM v WHERE true \
     ON CONFLICT (site_id, session_hash) DO UPDATE SET first_at = excluded.first_at, \
     last_at = excluded.last_at, events = events + excluded.events, \
     seen_at = max(seen_at, excluded.seen_at)"
);

/// Counted again, only the ends of a session can be told from one day's events, not their number.
const MEND_SESSIONS: &str = concat!(
    stored_sessions!(),
    sessions!(),
    "INSERT INTO sessions (site_id, session_hash, first_at, last_at, events, seen_at) \
     SELECT ?1, session, lo1, hi1, n, ?4 FROM v WHERE lo0 IS NOT lo1 OR hi0 IS NOT hi1 \
     ON CONFLICT (site_id, session_hash) DO UPDATE SET first_at = excluded.first_at, \
     last_at = excluded.last_at"
);

const NOTE_USERS: &str = concat!(
    stored_users!(),
    users!(),
    "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) \
     SELECT ?4, ?1, ?2 / 86400000, 'users', '', \
     count(*) FILTER (WHERE f0 IS f1 AND r0 IS r1), count(*) FROM v \
     HAVING count(*) FILTER (WHERE f0 IS f1 AND r0 IS r1) < count(*)"
);

const NOTE_SESSIONS: &str = concat!(
    stored_sessions!(),
    sessions!(),
    "INSERT INTO repairs (repaired_at, site_id, day, model, key, was, is_now) \
     SELECT ?4, ?1, ?2 / 86400000, 'sessions', '', \
     count(*) FILTER (WHERE lo0 IS lo1 AND hi0 IS hi1), count(*) FROM v \
     HAVING count(*) FILTER (WHERE lo0 IS lo1 AND hi0 IS hi1) < count(*)"
);

/// Of the rows of `new_users`, in this order: the sums are changed by what the rows say before.
pub(super) const USERS: [&str; 2] = [user_days!(new_users), keep_users!(new_users)];

/// Of the rows of `new_sessions`, in this order.
pub(super) const SESSIONS: [&str; 2] = [session_days!(new_sessions), KEEP_SESSIONS];

/// The same from the stored events of a day, now being `?4`: where all is right, they change nothing.
pub(crate) const STORED: [&str; 6] = [
    NOTE_USERS,
    NOTE_SESSIONS,
    user_days!(stored_users),
    keep_users!(stored_users),
    session_days!(stored_sessions),
    MEND_SESSIONS,
];
