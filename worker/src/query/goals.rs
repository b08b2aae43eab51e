//! Goals of a site: names for filters, and how a question that names one comes to the filter.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Question, wrong};
use crate::base::json;
use crate::base::sql::Statement;
use crate::http::error::Fault;
use crate::http::known;

/// Goals of a site at most: a dashboard's list.
const MAX_GOALS: i64 = 100;

/// Characters of a goal's name at most.
const MAX_NAME_CHARS: usize = 100;

/// Fields of a goal.
pub const GOAL_FIELDS: &[&str] = &["name", "filter"];

/// What is to be a goal, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct NewGoal {
    /// What people call it; each name once in a site.
    #[cfg_attr(test, schema(min_length = 1, max_length = 100))]
    name: String,
    /// Which events are conversions, as the query call's `filters`.
    #[cfg_attr(test, schema(value_type = Vec<Value>))]
    filter: Value,
}

/// A goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Goal {
    /// A UUIDv7.
    pub goal_id: String,
    /// What people call it.
    pub name: String,
    /// Which events are conversions.
    #[cfg_attr(test, schema(value_type = Vec<Value>))]
    pub filter: Value,
}

/// The goals of a site.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Goals {
    /// In the order in which they were made.
    pub goals: Vec<Goal>,
}

/// A goal's row in D1.
#[derive(Debug, Clone, Deserialize)]
pub struct GoalRow {
    goal_id: String,
    name: String,
    filter: String,
}

impl From<GoalRow> for Goal {
    fn from(row: GoalRow) -> Self {
        Self {
            goal_id: row.goal_id,
            name: row.name,
            filter: json::told(&row.filter).unwrap_or_default(),
        }
    }
}

impl NewGoal {
    /// Checks the body.
    ///
    /// # Errors
    /// 400 with the field that is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        known::fields_of(body, GOAL_FIELDS)?;
        let form = |_| Fault::malformed("The body must be {name, filter}.");
        let goal: Self = json::read(body).map_err(form)?;
        let goal = Self {
            name: goal.name.trim().to_owned(),
            ..goal
        };
        if !(1..=MAX_NAME_CHARS).contains(&goal.name.chars().count()) {
            return Err(wrong("name", "name has 1 to 100 characters."));
        }
        if goal.filter.as_array().is_none_or(Vec::is_empty) {
            return Err(wrong(
                "filter",
                "filter is a filter as the query call takes it.",
            ));
        }
        // A question about it tells what is wrong, by the name that the filter has there.
        let asked = json!({"metrics": ["events"], "filters": goal.filter}).to_string();
        Question::parse(asked.as_bytes()).map_err(|fault| match fault {
            Fault::InvalidField { path, detail } => Fault::InvalidField {
                path: path.replacen("filters", "filter", 1),
                detail,
            },
            other => other,
        })?;
        Ok(goal)
    }

    /// The statement that makes it; it returns its [`GoalRow`] unless the site has one of this name, or as many as it
    /// may have, or there is no such site.
    pub fn statement(&self, site: &str, goal_id: &str, now_ms: i64) -> Statement {
        Statement::new(
            "INSERT INTO goals (goal_id, site_id, name, filter, created_at) \
             SELECT ?1, site_id, ?3, ?4, ?5 FROM sites WHERE site_id = ?2 \
               AND (SELECT count(*) FROM goals WHERE site_id = ?2) < ?6 \
             ON CONFLICT DO NOTHING RETURNING goal_id, name, filter",
            [
                goal_id.into(),
                site.into(),
                self.name.as_str().into(),
                self.filter.to_string().into(),
                now_ms.into(),
                MAX_GOALS.into(),
            ],
        )
    }

    /// The statement that replaces it; it returns its [`GoalRow`] where the site has such a goal, unless another one
    /// has its name.
    pub fn replace(&self, site: &str, goal_id: &str) -> Statement {
        Statement::new(
            "UPDATE OR IGNORE goals SET name = ?3, filter = ?4 WHERE site_id = ?1 AND goal_id = ?2 \
             RETURNING goal_id, name, filter",
            [
                site.into(),
                goal_id.into(),
                self.name.as_str().into(),
                self.filter.to_string().into(),
            ],
        )
    }
}

/// The statement that lists a site's goals.
pub fn list(site: &str) -> Statement {
    Statement::new(
        "SELECT goal_id, name, filter FROM goals WHERE site_id = ?1 ORDER BY goal_id",
        [site.into()],
    )
}

/// The statement that deletes one; it returns its [`GoalRow`] where there was one.
pub fn delete(site: &str, goal_id: &str) -> Statement {
    Statement::new(
        "DELETE FROM goals WHERE site_id = ?1 AND goal_id = ?2 RETURNING goal_id, name, filter",
        [site.into(), goal_id.into()],
    )
}

/// Whether a body asks for goals by their names.
pub fn are_named(body: &Map<String, Value>) -> bool {
    let is_named =
        |question: &Map<String, Value>| question.get("goal").is_some_and(Value::is_string);
    let mut panels = body
        .get("panels")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    is_named(body) || panels.any(|panel| panel.as_object().is_some_and(is_named))
}

/// Puts the filters of goals for their names and ids.
///
/// # Errors
/// Where a site has no such goal.
pub fn put(body: &mut Map<String, Value>, goals: &[Goal]) -> Result<(), Fault> {
    put_one(body, "goal", goals)?;
    if let Some(Value::Array(panels)) = body.get_mut("panels") {
        for (at, panel) in panels.iter_mut().enumerate() {
            if let Value::Object(panel) = panel {
                put_one(panel, &format!("panels[{at}].goal"), goals)?;
            }
        }
    }
    Ok(())
}

fn put_one(body: &mut Map<String, Value>, path: &str, goals: &[Goal]) -> Result<(), Fault> {
    if let Some(slot) = body.get_mut("goal")
        && let Value::String(name) = &*slot
    {
        let found = goals
            .iter()
            .find(|goal| goal.name == *name || goal.goal_id == *name);
        let found = found.ok_or_else(|| wrong(path, "The site has no goal of this name or id."))?;
        *slot = found.filter.clone();
    }
    Ok(())
}
