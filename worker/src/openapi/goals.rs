//! Goals of a site.

use serde_json::{Value, json};

use super::operation::{Operation, READ, admin, operation};
use crate::http::error::Fault;
use crate::query::goals::{Goal, Goals, NewGoal};

/// All calls about goals.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = vec![told()];
    all.extend(kept());
    all
}

/// The goals of a site, for whoever reads it.
fn told() -> Operation {
    operation(
        "get",
        "/v1/analytics/goals",
        "goals",
        "Dashboard",
        "The goals of the site",
    )
    .keys(READ)
    .answers::<Goals>(200, "The goals.", json!({"goals": [a_goal()]}))
    .faults(&[
        Fault::UnknownKey,
        Fault::WrongScope,
        Fault::Unavailable("The read model cannot be reached right now."),
    ])
}

/// The admin calls about goals.
fn kept() -> Vec<Operation> {
    let wanted = json!({"name": "Sign-up", "filter": ["is", "custom", "signup"]});
    let filter = json!({"properties": {"filter": {"$ref": "#/components/schemas/QueryFilter"}}});
    let bad = Fault::InvalidField {
        path: "filter[1]".into(),
        detail: "This is no dimension that can be filtered by; time is filtered by range.",
    };
    vec![
        admin(
            "get",
            "/v1/sites/{siteId}/goals",
            "listGoals",
            "A site's goals",
        )
        .answers::<Goals>(200, "The goals.", json!({"goals": [a_goal()]}))
        .faults(&[Fault::NotFound]),
        admin(
            "post",
            "/v1/sites/{siteId}/goals",
            "makeGoal",
            "Makes a goal, 100 a site at most",
        )
        .body::<NewGoal>("application/json", wanted.clone())
        .also(filter.clone())
        .needs_body()
        .answers::<Goal>(201, "The goal.", a_goal())
        .faults(&[bad.clone(), Fault::NotFound, Fault::AlreadyExists]),
        admin(
            "put",
            "/v1/sites/{siteId}/goals/{goalId}",
            "replaceGoal",
            "Replaces a goal",
        )
        .body::<NewGoal>("application/json", wanted)
        .also(filter)
        .needs_body()
        .answers::<Goal>(200, "The goal.", a_goal())
        .faults(&[bad, Fault::NotFound, Fault::AlreadyExists]),
        admin(
            "delete",
            "/v1/sites/{siteId}/goals/{goalId}",
            "deleteGoal",
            "Deletes a goal",
        )
        .answers_nothing(204, "It is gone.")
        .faults(&[Fault::NotFound]),
    ]
}

fn a_goal() -> Value {
    json!({"goalId": "0198c1d2-6f00-7000-8000-0000000000aa", "name": "Sign-up",
        "filter": ["is", "custom", "signup"]})
}
