//! The question that picks events: read, and told wrong by the names that its parts have in the call.

use shoreline_shared::event_type::TrackerType;

use super::ask::{OF_FILTER, OF_ROWS, Question};
use super::field::Field;
use super::wrong;
use crate::archive::scan::Walk;
use crate::http::error::Fault;

/// What filters of vitals are told that pick by what no measurement has.
const NOT_OF_VITALS: &str = "A Web Vital has no referrer, utm, feature, error, outbound, download, form or custom of \
    its own. [\"did\", filter] asks for those of its user.";

/// Reads it.
///
/// # Errors
/// With the path of what is wrong, as it stands in the call.
pub(super) fn picking_question(body: &[u8], walk: &Walk) -> Result<Question, Fault> {
    let is_of_vitals = matches!(walk, Walk::Vitals(_));
    let page = if is_of_vitals {
        Field::MEASURED
    } else {
        Field::Page
    };
    let question = Question::parse_panels_of(body, page).map_err(|fault| named(fault, walk))?;
    let vital = TrackerType::WebVital.as_str();
    for (place, field) in question.fields.0.iter().enumerate() {
        let is_picked_by = question.uses(place, OF_FILTER);
        if is_of_vitals && is_picked_by && field.is_not_of(vital) {
            return Err(wrong("filters", NOT_OF_VITALS));
        }
        let is_dimension = question
            .panels
            .iter()
            .any(|panel| panel.dimensions.contains(&place));
        if is_dimension && question.uses(place, OF_ROWS) && matches!(field, Field::Time(_)) {
            return Err(wrong(
                "by",
                "Users are told apart by no time; range says when.",
            ));
        }
    }
    Ok(question)
}

/// A fault of a panel by what the panel stands for.
fn named(fault: Fault, walk: &Walk) -> Fault {
    let Fault::InvalidField { path, detail } = fault else {
        return fault;
    };
    let renamed = path.strip_prefix("panels[").and_then(|rest| {
        let (number, rest) = rest.split_once("].")?;
        if rest.starts_with("dimensions") {
            return Some("by".to_owned());
        }
        let inner = rest.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        Some(match walk {
            Walk::Funnel(_) if rest.starts_with("goal") => format!("steps[{number}].goal{inner}"),
            Walk::Funnel(_) => format!("steps[{number}]{inner}"),
            _ => rest.to_owned(),
        })
    });
    Fault::InvalidField {
        path: renamed.unwrap_or(path),
        detail,
    }
}
