//! Metrics by their names, and what must be counted for them.

use shoreline_shared::event_type::TrackerType;

use super::field::{DATA, DURATION, Field, Fields};

/// A figure of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    Users,
    Events,
    Views,
    Sessions,
    BounceRate,
    ViewsPerSession,
    SessionDuration,
    /// Events that are conversions.
    Conversions,
    /// Users who have one.
    Converted,
    ConversionRate,
    /// Amounts of money of a measure, by its place: of all currencies, or of one.
    Revenue(usize, Option<i64>),
    /// Of a measure, by its place.
    Of(usize, How),
}

/// What is made of a measure's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Sum,
    Average,
    Least,
    Most,
    /// Events that have a value, of whatever kind.
    Count,
    /// A percentile from 1 to 99, by nearest rank.
    Percentile(i64),
}

/// Numbers that are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    /// The field they are of.
    pub(super) field: usize,
    /// Whether each value is asked for, and not only their sum.
    pub(super) each: bool,
    /// Whether it is money: of conversions alone where there is a goal, and by currency.
    pub(super) is_money: bool,
}

/// What is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) users: bool,
    pub(super) sessions: bool,
    /// Whether sessions are looked at as a whole: bounces and durations.
    pub(super) visits: bool,
    /// Whether users who have a conversion are counted.
    pub(super) converted: bool,
    pub(super) measures: Vec<Measure>,
}

impl Metric {
    /// By its name; none where nothing is called so. Notes what must be counted for it.
    pub(super) fn of(name: &str, fields: &mut Fields, counted: &mut Counted) -> Option<Self> {
        let left = Some(TrackerType::PageLeave.as_str());
        let metric = match name {
            "users" => Self::Users,
            "events" | "count" => Self::Events,
            "views" => Self::Views,
            "sessions" => Self::Sessions,
            "bounceRate" => Self::BounceRate,
            "viewsPerSession" => Self::ViewsPerSession,
            "sessionDuration" => Self::SessionDuration,
            "conversions" => Self::Conversions,
            "converted" => Self::Converted,
            "conversionRate" => Self::ConversionRate,
            "revenue" => Self::Revenue(counted.money(fields), None),
            "engagedTime" => counted.of(
                fields,
                Field::Property(ENGAGED.to_owned(), left),
                How::Average,
            ),
            "scrollDepth" => {
                let depth = Field::Property("scrollDepth".to_owned(), left);
                counted.of(fields, depth, How::Average)
            }
            "errorRate" => counted.of(fields, Field::Failed, How::Average),
            _ => {
                let (how, of) = name.strip_suffix(')')?.split_once('(')?;
                if how == "revenue" {
                    let code = currency_of(of).filter(|_| of == of.to_uppercase())?;
                    return Some(Self::Revenue(counted.money(fields), Some(code)));
                }
                let how = match how {
                    "sum" => How::Sum,
                    "avg" => How::Average,
                    "min" => How::Least,
                    "max" => How::Most,
                    "count" => How::Count,
                    _ => How::Percentile(percentile(how.strip_prefix('p')?)?),
                };
                let field = Field::of(of).filter(|_| of == DURATION || of.starts_with(DATA))?;
                counted.of(fields, field, how)
            }
        };
        counted.users |= matches!(metric, Self::Users | Self::ConversionRate);
        counted.converted |= matches!(metric, Self::Converted | Self::ConversionRate);
        let is_of_visit = matches!(metric, Self::BounceRate | Self::SessionDuration);
        counted.visits |= is_of_visit;
        counted.sessions |= is_of_visit || matches!(metric, Self::Sessions | Self::ViewsPerSession);
        Some(metric)
    }

    /// Whether it is of conversions.
    pub(super) fn is_of_goal(self) -> bool {
        matches!(
            self,
            Self::Conversions | Self::Converted | Self::ConversionRate
        )
    }

    /// Whether it is several numbers, which have no order.
    pub(super) fn is_of_many(self) -> bool {
        matches!(self, Self::Revenue(_, None))
    }
}

/// A currency by its code of three letters, as a number; in any case.
pub(super) fn currency_of(text: &str) -> Option<i64> {
    let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
    let is_code = bytes.iter().all(u8::is_ascii_alphabetic);
    let code = |byte: &u8| i64::from(byte.to_ascii_uppercase());
    is_code.then(|| {
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | code(byte))
    })
}

/// The code that a currency's number stands for.
pub(super) fn currency_name(code: i64) -> String {
    let letter = |shift: u32| char::from((code >> shift) as u8);
    [16, 8, 0].map(letter).into_iter().collect()
}

/// Milliseconds that a page was looked at, of a `page_leave`.
pub(super) const ENGAGED: &str = "engagedMs";

fn percentile(digits: &str) -> Option<i64> {
    let is_short = (1..=2).contains(&digits.len());
    let all = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<i64>().ok()?;
    (is_short && all && number > 0).then_some(number)
}

impl Counted {
    /// The measure of money.
    fn money(&mut self, fields: &mut Fields) -> usize {
        let field = fields.place(Field::Money);
        self.measure(Measure {
            field,
            each: false,
            is_money: true,
        })
    }

    /// The place of a measure, which is added where it is new.
    fn measure(&mut self, measure: Measure) -> usize {
        let mut measures = self.measures.iter();
        let known = measures.position(|known| known.field == measure.field);
        known.unwrap_or_else(|| {
            self.measures.push(measure);
            self.measures.len().saturating_sub(1)
        })
    }

    /// A metric of a field's numbers.
    fn of(&mut self, fields: &mut Fields, field: Field, how: How) -> Metric {
        let field = fields.place(field);
        let each = matches!(how, How::Percentile(_));
        let place = self.measure(Measure {
            field,
            each,
            is_money: false,
        });
        if let Some(measure) = self.measures.get_mut(place) {
            measure.each |= each;
        }
        Metric::Of(place, how)
    }
}
