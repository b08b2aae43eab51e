//! The tables of sums: what a fold has rows of.

use serde::{Deserialize, Serialize};

use super::keys::{ANONYMOUS, USERS};
use crate::archive::Column;

/// A table of sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(usize)]
pub enum Table {
    /// Minute of receipt (Unix milliseconds), type, source: events.
    Minutes,
    /// Hour (Unix milliseconds), type, status: domain events.
    DomainHours,
    /// Dimension, day, key: events and two measures.
    Keys,
    /// Dimension, day, key, gap: users.
    Gaps,
    /// Day: users first seen, and signed up.
    UserDays,
    /// Day: sessions begun, milliseconds they lasted.
    SessionDays,
    /// Site, minute, action, status: calls, milliseconds, and calls by how long they took at most.
    Operations,
    /// Outcome: events.
    Outcomes,
}

/// What a column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Dim,
}

use Kind::{Dim, Number, Text};

impl Table {
    pub(crate) const ALL: [Self; 8] = [
        Self::Minutes,
        Self::DomainHours,
        Self::Keys,
        Self::Gaps,
        Self::UserDays,
        Self::SessionDays,
        Self::Operations,
        Self::Outcomes,
    ];

    /// The columns that are a row's key; what a sum is of.
    pub(super) fn keys(self) -> &'static [Kind] {
        match self {
            Self::Minutes | Self::DomainHours => &[Number, Text, Text],
            Self::Keys => &[Dim, Number, Text],
            Self::Gaps => &[Dim, Number, Text, Number],
            Self::UserDays | Self::SessionDays => &[Number],
            Self::Operations => &[Text, Number, Text, Number],
            Self::Outcomes => &[Text],
        }
    }

    /// Columns of a row: the key's, then amounts.
    pub(super) fn width(self) -> usize {
        let amounts = match self {
            Self::Minutes | Self::DomainHours | Self::Gaps | Self::Outcomes => 1,
            Self::Keys => 3,
            Self::UserDays | Self::SessionDays => 2,
            Self::Operations => super::operations::AMOUNTS,
        };
        self.keys().len().saturating_add(amounts)
    }
}

/// The name of a dimension in D1.
pub(crate) fn dim_name(dim: i64) -> &'static str {
    match dim {
        USERS => "user",
        ANONYMOUS => "anon",
        _ => {
            let mut summed = Column::SUMMED.iter();
            summed
                .find(|(column, _)| i64::from(*column as u8) == dim)
                .map_or("", |(_, name)| name)
        }
    }
}
