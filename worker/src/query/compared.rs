//! What rows are compared with.

use std::collections::HashMap;

use super::figures::Figures;
use super::measures::Stats;
use super::panel::Panel;
use super::part::Row;

/// The range that an answer is compared with.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) total: Figures,
    pub(super) places: HashMap<String, u64>,
    pub(super) figures: Vec<Figures>,
}

impl Compared {
    /// The figures of a row; of one that is not there those of no events.
    pub(super) fn of(&self, name: &str, panel: &Panel) -> Figures {
        let place = self.places.get(name);
        let figures = place.and_then(|place| self.figures.get(*place as usize));
        figures.cloned().unwrap_or_else(|| {
            panel.figures(&mut Row {
                stats: panel
                    .counted
                    .measures
                    .iter()
                    .map(|_| Stats::default())
                    .collect(),
                ..Row::default()
            })
        })
    }
}
