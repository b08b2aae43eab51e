//! What can be grouped and filtered by, by its name.

use shoreline_shared::event_type::PAGE_VIEW;

use super::zone::Unit;
use crate::archive::Column;

/// What an event, or its session, has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// A text of a column.
    Column(Column),
    /// The page that was viewed or left.
    Page,
    /// The page of the first view of the event's session.
    EntryPage,
    /// The page of the last.
    ExitPage,
    /// What led to the first view of the event's session: a source by its usual name, or nothing that is known.
    Source,
    /// The way by which that view came.
    Channel,
    /// The way by which a view came.
    ViewChannel,
    /// The currency of an amount of money.
    Currency,
    /// An amount of money, with its currency.
    Money,
    /// The local hour, 0 to 23.
    HourOfDay,
    /// The local day, 1 (Monday) to 7.
    DayOfWeek,
    /// A unit of local time, by its first moment; only to group by.
    Time(Unit),
    /// A property of `eventData`; of one type of event alone where there is one.
    Property(String, Option<&'static str>),
    /// 1 for an event whose status is a failure's, 0 for one of another status; only to be averaged.
    Failed,
}

/// What begins the name of a property.
pub(super) const DATA: &str = "data.";

/// Columns, by the names of dimensions.
const COLUMNS: [(&str, Column); 15] = [
    ("eventType", Column::Type),
    ("source", Column::Source),
    ("tenantId", Column::Tenant),
    ("country", Column::Country),
    ("region", Column::Region),
    ("browser", Column::Browser),
    ("os", Column::Os),
    ("device", Column::Device),
    ("platform", Column::Platform),
    ("referrer", Column::Referrer),
    ("utm_source", Column::UtmSource),
    ("utm_medium", Column::UtmMedium),
    ("utm_campaign", Column::UtmCampaign),
    ("feature", Column::Feature),
    ("error", Column::Error),
];

/// Dimensions that are a property, of one type of event or of all.
const PROPERTIES: [(&str, &str, Option<&str>); 11] = [
    ("utm_term", "utm_term", Some(PAGE_VIEW)),
    ("utm_content", "utm_content", Some(PAGE_VIEW)),
    ("outbound", "url", Some("outbound")),
    ("download", "url", Some("download")),
    ("form", "name", Some("form")),
    ("custom", "name", Some("custom")),
    // What services tell of their operations: see `adapters::analytics`.
    ("action", "action", None),
    ("category", "eventCategory", None),
    ("status", STATUS, None),
    ("errorType", "errorType", None),
    (DURATION, DURATION, None),
];

/// The property and dimension that tells how long something took, milliseconds.
pub(super) const DURATION: &str = "duration";

/// The property that tells how something ended.
pub(super) const STATUS: &str = "status";

impl Field {
    /// The page of a view.
    pub(super) const VIEWED: Self = Self::Column(Column::Page);

    /// The page whose speed was measured.
    pub(super) const MEASURED: Self = Self::Column(Column::VitalPage);

    /// By its name; none where nothing is called so.
    pub(super) fn of(name: &str) -> Option<Self> {
        if let Some(property) = name.strip_prefix(DATA) {
            return (!property.is_empty()).then(|| Self::Property(property.to_owned(), None));
        }
        if let Some(unit) = name.strip_prefix("time:") {
            return Unit::of(unit).map(Self::Time);
        }
        if let Some((_, column)) = COLUMNS.iter().find(|(known, _)| *known == name) {
            return Some(Self::Column(*column));
        }
        if let Some((_, property, of)) = PROPERTIES.iter().find(|(known, ..)| *known == name) {
            return Some(Self::Property((*property).to_owned(), *of));
        }
        Some(match name {
            "page" => Self::Page,
            "entryPage" | "entry_page" => Self::EntryPage,
            "exitPage" | "exit_page" => Self::ExitPage,
            "referrerSource" | "referrer_source" => Self::Source,
            "channel" => Self::Channel,
            "currency" => Self::Currency,
            "hour_of_day" => Self::HourOfDay,
            "day_of_week" => Self::DayOfWeek,
            _ => return None,
        })
    }

    /// Whether it takes all of a session's events to know it.
    pub(super) fn is_of_session(&self) -> bool {
        matches!(
            self,
            Self::EntryPage | Self::ExitPage | Self::Source | Self::Channel
        )
    }

    /// Whether an event of this type never has it.
    pub(super) fn is_not_of(&self, event_type: &str) -> bool {
        match self {
            Self::Column(column) => matches!(
                column,
                Column::Page
                    | Column::Referrer
                    | Column::UtmSource
                    | Column::UtmMedium
                    | Column::UtmCampaign
                    | Column::Feature
                    | Column::Error
            ),
            Self::Property(_, Some(of)) => *of != event_type,
            _ => false,
        }
    }

    /// Whether it is a number in answers.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::HourOfDay | Self::DayOfWeek)
    }
}

/// The fields of a question, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(pub(super) Vec<Field>);

impl Fields {
    /// The place of a field, which is added where it is new.
    pub(super) fn place(&mut self, field: Field) -> usize {
        let known = self.0.iter().position(|known| *known == field);
        known.unwrap_or_else(|| {
            self.0.push(field);
            self.0.len().saturating_sub(1)
        })
    }
}
