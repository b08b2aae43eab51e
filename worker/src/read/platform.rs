//! `GET /v1/analytics/metrics/platform`: the figures of a range, and of each of its days.

use serde::Serialize;
use serde_json::value::RawValue;

use super::activity::{ANONYMOUS_NOTE, Activity, Row, gaps};
use crate::archive::counted::decimal;
use crate::archive::fold::{Sums as Lacking, Table, Want};
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::base::time::date;
use crate::http::csv::{Cell, csv};
use crate::http::days::Days;

/// The answer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Platform))]
pub struct Answer {
    #[serde(flatten)]
    figures: Figures,
    note: &'static str,
    /// Every day of the range.
    days: Vec<Day>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = PlatformDay))]
struct Day {
    date: String,
    #[serde(flatten)]
    figures: Figures,
}

/// The figures of a day, or of a range.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = PlatformFigures))]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    active_users: i64,
    anonymous_users: i64,
    total_users: i64,
    new_signups24h: i64,
    daily_active_users: i64,
    weekly_active_users: i64,
    monthly_active_users: i64,
    sessions: i64,
    average_session_duration: i64,
    feature_usage: Map<String, i64>,
    content_created: Content,
    ai_usage: Ai,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = ContentCreated))]
#[serde(rename_all = "camelCase")]
struct Content {
    total: i64,
    by_type: Map<String, i64>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = AiUsage))]
#[serde(rename_all = "camelCase")]
struct Ai {
    total_requests: i64,
    total_tokens: i64,
    #[cfg_attr(test, schema(value_type = f64))]
    total_cost: Box<RawValue>,
}

/// What of a day or range can be summed.
#[derive(Debug, Clone, Default)]
struct Sums {
    sessions: i64,
    duration_ms: i64,
    features: Map<String, i64>,
    content: Map<String, i64>,
    requests: i64,
    tokens: i64,
    cost_micro: i64,
}

const SQL: &str = "SELECT dim AS kind, day, json_group_array(json_array(gap, n)) AS list \
    FROM member_gaps WHERE site_id = ?1 AND dim IN ('user', 'anon') \
    AND day BETWEEN ?2 - 29 AND ?3 AND key = '' GROUP BY dim, day \
    UNION ALL SELECT dim, day, json_group_array(json_array(key, events, a, b)) FROM breakdowns \
    WHERE site_id = ?1 AND dim IN ('feature', 'content', 'model') AND day BETWEEN ?2 AND ?3 \
    AND events <> 0 GROUP BY dim, day \
    UNION ALL SELECT 'sessions', day, json_array(json_array(sessions, duration_ms)) \
    FROM session_days WHERE site_id = ?1 AND day BETWEEN ?2 AND ?3 \
    UNION ALL SELECT 'users', day, json_array(json_array(first_seen, signups)) FROM user_days \
    WHERE site_id = ?1 AND day BETWEEN ?2 AND ?3 \
    UNION ALL SELECT 'before', 0, json_array(json_array(coalesce(sum(first_seen), 0), 0)) \
    FROM user_days WHERE site_id = ?1 AND day < ?2";

/// The statement.
pub fn statement(site: &str, days: Days) -> Statement {
    Statement::new(SQL, [site.into(), days.first.into(), days.last.into()])
}

/// What of the sums that D1 lacks it needs.
pub fn wants(days: Days) -> Vec<Want> {
    let between = (days.first, days.last);
    vec![
        gaps(days),
        Want::new(Table::Keys, &["feature", "content", "model"], between),
        Want::new(Table::SessionDays, &[], between),
        Want::new(Table::UserDays, &[], (i64::MIN, days.last)),
    ]
}

/// The answer from the statement's rows, and what these lack.
pub fn answer(days: Days, rows: &[Row], lacking: &Lacking) -> Answer {
    let mut activity = Activity::default();
    let (mut total, mut users) = (0_i64, Map::<i64, (i64, i64)>::new());
    let mut sums: Map<i64, Sums> = Map::new();
    for row in rows {
        let pair = || row.items::<(i64, i64)>().pop().unwrap_or_default();
        match row.kind.as_str() {
            "user" | "anon" => activity.add(row),
            "before" => total = pair().0,
            "users" => {
                users.insert(row.day, pair());
            }
            "sessions" => {
                let sums: &mut Sums = sums.entry(row.day).or_default();
                (sums.sessions, sums.duration_ms) = pair();
            }
            _ => sums.entry(row.day).or_default().add_row(row),
        }
    }
    activity.add_lacking(lacking);
    for row in lacking.keys() {
        let sums = sums.entry(row.day).or_default();
        sums.add_key(row.dim, row.key, row.events, row.a, row.b);
    }
    for (day, sessions, ms) in lacking.session_days() {
        let sums = sums.entry(day).or_default();
        sums.sessions = sums.sessions.saturating_add(sessions);
        sums.duration_ms = sums.duration_ms.saturating_add(ms);
    }
    for (day, new, signed_up) in lacking.user_days() {
        if day < days.first {
            total = total.saturating_add(new);
        }
        let known = users.entry(day).or_default();
        known.0 = known.0.saturating_add(new);
        known.1 = known.1.saturating_add(signed_up);
    }
    let mut whole = Sums::default();
    let mut table = Vec::new();
    let mut signups = 0;
    for day in days.each() {
        let (new, signed_up) = users.get(&day).copied().unwrap_or((0, 0));
        total = total.saturating_add(new);
        signups = signed_up;
        let sums = sums.remove(&day).unwrap_or_default();
        whole.add(&sums);
        table.push(Day {
            date: date(day),
            figures: figures(&activity, day, day, total, signups, sums),
        });
    }
    Answer {
        figures: figures(&activity, days.first, days.last, total, signups, whole),
        note: ANONYMOUS_NOTE,
        days: table,
    }
}

fn figures(
    activity: &Activity,
    first: i64,
    last: i64,
    total: i64,
    signups: i64,
    sums: Sums,
) -> Figures {
    let half = sums.sessions / 2;
    Figures {
        active_users: activity.users(first, last),
        anonymous_users: activity.anonymous(last),
        total_users: total,
        new_signups24h: signups,
        daily_active_users: activity.daily(last),
        weekly_active_users: activity.weekly(last),
        monthly_active_users: activity.monthly(last),
        sessions: sums.sessions,
        average_session_duration: sums
            .duration_ms
            .saturating_add(half)
            .checked_div_euclid(sums.sessions)
            .unwrap_or(0),
        feature_usage: sums.features,
        content_created: Content {
            total: sums
                .content
                .values()
                .fold(0, |all, n| n.saturating_add(all)),
            by_type: sums.content,
        },
        ai_usage: Ai {
            total_requests: sums.requests,
            total_tokens: sums.tokens,
            total_cost: decimal(sums.cost_micro),
        },
    }
}

impl Sums {
    /// Takes a row of a dimension: `[[key, events, a, b], …]`.
    fn add_row(&mut self, row: &Row) {
        for (key, n, a, b) in row.items::<(String, i64, i64, i64)>() {
            self.add_key(&row.kind, &key, n, a, b);
        }
    }

    fn add_key(&mut self, dim: &str, key: &str, n: i64, a: i64, b: i64) {
        match dim {
            "feature" => add(&mut self.features, key, n),
            "content" => add(&mut self.content, key, n),
            _ => {
                self.requests = self.requests.saturating_add(n);
                self.tokens = self.tokens.saturating_add(a);
                self.cost_micro = self.cost_micro.saturating_add(b);
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.sessions = self.sessions.saturating_add(other.sessions);
        self.duration_ms = self.duration_ms.saturating_add(other.duration_ms);
        self.requests = self.requests.saturating_add(other.requests);
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.cost_micro = self.cost_micro.saturating_add(other.cost_micro);
        other
            .features
            .iter()
            .for_each(|(key, n)| add(&mut self.features, key, *n));
        other
            .content
            .iter()
            .for_each(|(key, n)| add(&mut self.content, key, *n));
    }
}

fn add(counts: &mut Map<String, i64>, key: &str, n: i64) {
    let sum = counts.entry(key.to_owned()).or_default();
    *sum = sum.saturating_add(n);
}

impl Answer {
    /// The days as CSV; features and content types are sums, their own tables tell more.
    pub fn csv(&self) -> String {
        let header = [
            "date",
            "activeUsers",
            "anonymousUsers",
            "totalUsers",
            "newSignups24h",
            "dailyActiveUsers",
            "weeklyActiveUsers",
            "monthlyActiveUsers",
            "sessions",
            "averageSessionDuration",
            "featureUses",
            "contentCreated",
            "aiRequests",
            "aiTokens",
            "aiCost",
        ];
        let rows = self.days.iter().map(|Day { date, figures: f }| {
            let numbers = [
                f.active_users,
                f.anonymous_users,
                f.total_users,
                f.new_signups24h,
                f.daily_active_users,
                f.weekly_active_users,
                f.monthly_active_users,
                f.sessions,
                f.average_session_duration,
                f.feature_usage
                    .values()
                    .fold(0, |all, n| n.saturating_add(all)),
                f.content_created.total,
                f.ai_usage.total_requests,
                f.ai_usage.total_tokens,
            ];
            let mut row: Vec<Cell> = vec![date.as_str().into()];
            row.extend(numbers.map(Cell::from));
            row.push(Cell::Number(f.ai_usage.total_cost.get().to_owned()));
            row
        });
        csv(&header, rows)
    }
}
