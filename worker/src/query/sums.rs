//! Questions that the read models answer as a scan does: events, views and users of whole days (UTC), without filters.
//! Sums outlive events, so these answers reach back further than events are kept.

use std::collections::HashMap;

use super::answer::Asked;
use super::field::Field;
use super::groups::Counts;
use super::metric::Metric;
use super::panel::Panel;
use super::part::{Found, Told};
use super::range::Span;
use super::rows::name;
use super::zone::{Unit, Zone};
use crate::archive::Column;
use crate::archive::fold::{OTHER, Sums, Table, Want};
use crate::base::sorted::Map;
use crate::base::sql::Statement;
use crate::base::time::DAY_MS;
use crate::http::days::Days;
use crate::read::activity::{Activity, Row};
use shoreline_shared::event_type::PAGE_VIEW;

/// The dimension of D1's sums that all events are in.
const TYPE: &str = "type";

/// Keys of days that a range may have: as text 3 MB at most, where keys have 128 characters. What has more, such as a
/// year of days that are full of keys, is scanned, which has bounds of its own.
const MAX_KEYS: i64 = 20_000;

/// Sums of some days, a row a day; `?4` is a JSON array of dimensions, `?5` how many keys are read at most.
const SQL: &str = "SELECT dim AS kind, day, json_group_array(json_array(gap, n)) AS list FROM member_gaps \
    WHERE site_id = ?1 AND dim = 'user' AND day BETWEEN ?2 AND ?3 AND key = '' GROUP BY day \
    UNION ALL SELECT dim, day, json_group_array(json_array(key, events)) FROM \
    (SELECT dim, day, key, events FROM breakdowns \
    WHERE site_id = ?1 AND dim IN (SELECT value FROM json_each(?4)) AND day BETWEEN ?2 AND ?3 \
    AND events <> 0 LIMIT ?5) GROUP BY dim, day";

/// A question that sums answer.
#[derive(Debug)]
pub struct OfSums<'a> {
    asked: &'a Asked,
    tables: Vec<ByDay>,
    /// Dimensions of D1's sums, [`TYPE`] first, each once.
    dims: Vec<&'static str>,
    /// The range, and the one that it is compared with.
    days: Vec<Days>,
}

/// What a panel's rows are of: at most a unit of days, and one key.
#[derive(Debug)]
struct ByDay {
    /// The place of the unit among the dimensions.
    unit: Option<(usize, Unit)>,
    dim: Option<&'static str>,
    width: usize,
    views: bool,
}

impl ByDay {
    /// Of a panel that sums answer.
    fn of(panel: &Panel, fields: &[Field]) -> Option<Self> {
        let counts = |metric| matches!(metric, Metric::Users | Metric::Events | Metric::Views);
        let mut all = panel.metrics.iter().copied();
        if panel.filter.is_some() || panel.goal.is_some() || !all.all(counts) {
            return None;
        }
        let mut of = Self {
            unit: None,
            dim: None,
            width: panel.dimensions.len(),
            views: panel.metrics.contains(&Metric::Views),
        };
        for (at, place) in panel.dimensions.iter().enumerate() {
            match fields.get(*place)? {
                Field::Time(unit @ (Unit::Day | Unit::Week | Unit::Month)) if of.unit.is_none() => {
                    of.unit = Some((at, *unit));
                }
                Field::Column(column) if of.dim.is_none() => of.dim = Some(dim_of(*column)?),
                _ => return None,
            }
        }
        // Of users who have a key gaps tell, but not of those who have none; and views are no dimension of another.
        let is_known = match of.dim {
            None => true,
            Some(TYPE) => !panel.counted.users,
            Some(_) => !panel.counted.users && !of.views,
        };
        is_known.then_some(of)
    }

    /// Whether keys that it asks for may stand under [`OTHER`] on a day.
    fn is_hidden_in(&self, day: &OfDay) -> bool {
        let of_views = self.views.then_some(TYPE);
        let mut dims = of_views.into_iter().chain(self.dim);
        dims.any(|dim| day.keys(dim).iter().any(|(key, _)| key == OTHER))
    }
}

/// A dimension of D1's sums; none of a column that they are not kept of.
fn dim_of(column: Column) -> Option<&'static str> {
    let found = Column::SUMMED.iter().find(|(known, _)| *known == column);
    found.map(|(_, name)| *name)
}

/// The days of a span, where it is whole days of UTC.
fn days_of(zone: &Zone, span: Span) -> Option<Days> {
    let is_whole = span.from.rem_euclid(DAY_MS) == 0 && span.to.rem_euclid(DAY_MS) == 0;
    let first = span.from.div_euclid(DAY_MS);
    let last = span.to.div_euclid(DAY_MS).saturating_sub(1);
    (is_whole && first <= last && zone.is_utc(span.from, span.to)).then_some(Days { first, last })
}

/// Events of a day by dimension and key.
#[derive(Debug, Default)]
struct OfDay(Map<String, Vec<(String, i64)>>);

impl OfDay {
    fn keys(&self, dim: &str) -> &[(String, i64)] {
        self.0.get(dim).map_or(&[], Vec::as_slice)
    }

    fn sum(&self, dim: &str) -> i64 {
        let counts = self.keys(dim).iter().map(|(_, n)| *n);
        counts.fold(0, i64::saturating_add)
    }

    fn of_key(&self, dim: &str, key: &str) -> i64 {
        let of_key = self.keys(dim).iter().filter(|(known, _)| known == key);
        of_key.fold(0, |sum, (_, n)| sum.saturating_add(*n))
    }
}

/// A row under way, and the days it is of.
#[derive(Debug)]
struct Group {
    counts: Counts,
    days: Days,
}

impl Asked {
    /// How sums answer it; none where it takes a scan.
    pub fn of_sums(&self) -> Option<OfSums<'_>> {
        let question = &self.question;
        let spans = [Some(self.span), self.compared].into_iter().flatten();
        let days = spans.map(|span| days_of(&self.zone, span));
        let days: Vec<Days> = days.collect::<Option<_>>()?;
        let fields = &question.fields.0;
        let panels = question.panels.iter();
        let tables = panels.map(|panel| ByDay::of(panel, fields));
        let tables: Vec<ByDay> = tables.collect::<Option<_>>()?;
        let mut dims = vec![TYPE];
        for dim in tables.iter().filter_map(|table| table.dim) {
            if !dims.contains(&dim) {
                dims.push(dim);
            }
        }
        question.filter.is_none().then_some(OfSums {
            asked: self,
            tables,
            dims,
            days,
        })
    }
}

impl OfSums<'_> {
    /// What of the sums that D1 lacks it needs.
    pub fn wants(&self) -> Vec<Want> {
        let first = self.days.iter().map(|days| days.first).min();
        let last = self.days.iter().map(|days| days.last).max();
        let between = first.zip(last).unwrap_or_default();
        vec![
            Want::new(Table::Gaps, &["user"], between),
            Want::new(Table::Keys, &self.dims, between),
        ]
    }

    /// How many ranges there are.
    pub fn ranges(&self) -> usize {
        self.days.len()
    }

    /// A statement for each range.
    pub fn statements(&self, site: &str) -> Vec<Statement> {
        let dims = serde_json::to_string(&self.dims).unwrap_or_default();
        let statement = |days: &Days| {
            let (first, last) = (days.first.into(), days.last.into());
            let most = MAX_KEYS.saturating_add(1).into();
            Statement::new(SQL, [site.into(), first, last, dims.as_str().into(), most])
        };
        self.days.iter().map(statement).collect()
    }

    /// What they found of each range, as shards tell it. None where it takes a scan all the same: keys of a day stand
    /// under one, or are too many.
    pub fn found(&self, rows: &[Vec<Row>], lacking: &Sums) -> Option<Vec<Vec<Found>>> {
        let ranges = self.days.iter().zip(rows);
        let each = ranges.map(|(days, rows)| Some(vec![self.found_in(*days, rows, lacking)?]));
        each.collect()
    }

    fn found_in(&self, range: Days, rows: &[Row], lacking: &Sums) -> Option<Found> {
        let mut activity = Activity::default();
        activity.add_lacking(lacking);
        let (mut days, mut keys) = (Map::<i64, OfDay>::new(), 0_usize);
        for row in rows {
            if row.kind == "user" {
                activity.add(row);
                continue;
            }
            let items: Vec<(String, i64)> = row.items();
            keys = keys.saturating_add(items.len());
            let of_day = days.entry(row.day).or_default();
            of_day.0.insert(row.kind.clone(), items);
        }
        if keys > MAX_KEYS as usize {
            return None;
        }
        for row in lacking.keys().filter(|row| range.each().contains(&row.day)) {
            let of_day = days.entry(row.day).or_default();
            let keys = of_day.0.entry(row.dim.to_owned()).or_default();
            keys.push((row.key.to_owned(), row.events));
        }
        let panels = self.tables.iter();
        let panels = panels.map(|table| self.told(table, range, &days, &activity));
        Some(Found {
            panels: panels.collect::<Option<_>>()?,
            ..Found::default()
        })
    }

    fn told(
        &self,
        table: &ByDay,
        range: Days,
        days: &Map<i64, OfDay>,
        activity: &Activity,
    ) -> Option<Told> {
        let mut total = Group {
            counts: Counts::default(),
            days: range,
        };
        // By their names, as in `Rows`: they may be thousands, and come in no order.
        let mut places: HashMap<String, u64> = HashMap::new();
        let mut groups: Vec<(Vec<Option<String>>, Group)> = Vec::new();
        for (day, of_day) in days {
            if table.is_hidden_in(of_day) {
                return None;
            }
            let unit = table.unit.map(|(_, unit)| {
                let at = day.saturating_mul(DAY_MS);
                self.asked.zone.bounds(unit, at).0.to_string()
            });
            let mut add = |key: Option<&str>, events: i64, views: i64| {
                let add = |counts: &mut Counts| {
                    counts.events = counts.events.saturating_add(events);
                    counts.views = counts.views.saturating_add(views);
                };
                add(&mut total.counts);
                let mut names = vec![key.map(str::to_owned); table.width];
                if let Some(slot) = table.unit.and_then(|(at, _)| names.get_mut(at)) {
                    slot.clone_from(&unit);
                }
                let next = groups.len() as u64;
                let place = *places.entry(name(&names)).or_insert(next);
                if place == next {
                    let (first, last) = (*day, *day);
                    let group = Group {
                        counts: Counts::default(),
                        days: Days { first, last },
                    };
                    groups.push((names, group));
                }
                if let Some((_, group)) = groups.get_mut(place as usize) {
                    group.days.last = *day;
                    add(&mut group.counts);
                }
            };
            let (all, views) = (of_day.sum(TYPE), of_day.of_key(TYPE, PAGE_VIEW));
            let Some(dim) = table.dim else {
                add(None, all, views);
                continue;
            };
            for (key, events) in of_day.keys(dim) {
                let is_view = dim == TYPE && key == PAGE_VIEW;
                add(Some(key), *events, if is_view { *events } else { 0 });
            }
            match all.saturating_sub(of_day.sum(dim)) {
                0 => {}
                // Of all events no sum is less than that of those which have a key.
                ..0 => return None,
                rest => add(None, rest, 0),
            }
        }
        let mut told = Told::default();
        let mut tell = |group: &mut Group| {
            group.counts.users = activity.users(group.days.first, group.days.last);
            let counts = group.counts.all();
            told.numbers.extend(counts.map(|count| *count));
        };
        tell(&mut total);
        let mut keys = Vec::new();
        if table.width > 0 {
            for (key, mut group) in groups {
                if group.counts.events > 0 {
                    tell(&mut group);
                    keys.extend(key);
                }
            }
        }
        told.keys = keys;
        Some(told)
    }
}
