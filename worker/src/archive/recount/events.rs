//! Events of a day counted again from segments.

use super::super::fold::Gathered;
use super::super::segment::{Segment, WHOLE};
use super::{Model, Row};
use crate::base::sql::{Cell, Sql, SqlError};
use crate::base::time::DAY_MS;

/// Segments of a slice: of a busy site, with 200 events a message, 10,000 events.
const SLICE: i64 = 16;

/// Hours of a day.
const HOURS: i64 = 24;

/// Where the next slice begins.
#[derive(Debug, Default)]
pub(super) struct Place {
    after: i64,
    /// Of what is counted by receipt, hours of the day that are done.
    hours: i64,
}

impl Place {
    /// Counts events of the day by what they have, of the segments up to `folded`; whether there are more.
    pub(super) fn keys(
        &mut self,
        sql: &impl Sql,
        day: i64,
        folded: i64,
        rows: &mut Vec<Row>,
    ) -> Result<bool, SqlError> {
        let from = day.saturating_mul(DAY_MS);
        let some: Vec<[Cell; 2]> = sql.cells(
            &format!(
                "SELECT seq, {WHOLE} FROM segments WHERE seq > ?1 AND seq <= ?2 \
                 AND last_at >= ?3 AND first_at < ?4 ORDER BY seq LIMIT ?5"
            ),
            &[
                self.after.into(),
                folded.into(),
                from.into(),
                from.saturating_add(DAY_MS).into(),
                SLICE.into(),
            ],
        )?;
        let sums = self.gather(&some, Some(day)).by_key(sql)?;
        for row in sums.keys() {
            let amounts = [row.events, row.a, row.b];
            rows.push(Row(
                Model::Breakdowns,
                row.dim.to_owned(),
                row.key.to_owned(),
                0,
                amounts,
            ));
        }
        for (hour, event_type, status, n) in sums.domain_hours() {
            let (event_type, status) = (event_type.to_owned(), status.to_owned());
            rows.push(Row(Model::DomainHours, event_type, status, hour, [n, 0, 0]));
        }
        Ok(is_full(&some))
    }

    /// Counts events that were received on the day, likewise.
    pub(super) fn received(
        &mut self,
        sql: &impl Sql,
        day: i64,
        folded: i64,
        rows: &mut Vec<Row>,
    ) -> Result<bool, SqlError> {
        let hour = day.saturating_mul(HOURS).saturating_add(self.hours);
        let some: Vec<[Cell; 2]> = sql.cells(
            &format!(
                "SELECT seq, {WHOLE} FROM segments WHERE hour = ?1 AND seq > ?2 AND seq <= ?3 \
                 ORDER BY seq LIMIT ?4"
            ),
            &[hour.into(), self.after.into(), folded.into(), SLICE.into()],
        )?;
        let sums = self.gather(&some, None).by_receipt();
        for (minute, event_type, source, n) in sums.minutes() {
            let (event_type, source) = (event_type.to_owned(), source.to_owned());
            rows.push(Row(
                Model::MinuteCounts,
                event_type,
                source,
                minute,
                [n, 0, 0],
            ));
        }
        if is_full(&some) {
            return Ok(true);
        }
        (self.after, self.hours) = (0, self.hours.saturating_add(1));
        Ok(self.hours < HOURS)
    }

    /// The events of segments, or of a day of them. What cannot be read was not counted either.
    fn gather(&mut self, some: &[[Cell; 2]], day: Option<i64>) -> Gathered {
        let mut gathered = Gathered::default();
        for [seq, columns] in some {
            self.after = seq.int();
            let segment = Segment::parse(columns.bytes());
            let Ok(events) = segment.and_then(|segment| segment.events()) else {
                continue;
            };
            let of_day = |at: i64| day.is_none_or(|day| at == day);
            for event in events.iter().filter(|event| of_day(event.day())) {
                gathered.add(event);
            }
        }
        gathered
    }
}

fn is_full(some: &[[Cell; 2]]) -> bool {
    i64::try_from(some.len()).is_ok_and(|some| some >= SLICE)
}
