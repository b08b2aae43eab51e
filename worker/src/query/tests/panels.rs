//! Several questions at once are answered as each by itself.

use proptest::prelude::*;

use super::properties::{filter, question};
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn several_questions_are_answered_as_each_by_itself(
        questions in prop::collection::vec(question(), 1..4), common in filter(), count in 0_usize..200,
        shards in 1_usize..3,
    ) {
        let archives = super::shards(&some_events(count), shards, 35);
        let range = all_days();
        let panels: Vec<Value> = questions.iter().map(|question| {
            let mut panel = question.clone();
            panel.as_object_mut().unwrap().remove("range");
            panel
        }).collect();
        let body = json!({"panels": panels, "filters": common, "range": range, "compare": "previous_period"});
        let (_, answers) = answers_in(&archives, &body, Vec::new(), 0).unwrap();
        prop_assert_eq!(answers.len(), questions.len());
        for (question, answer) in questions.iter().zip(answers) {
            let mut alone = question.clone();
            alone["compare"] = json!("previous_period");
            alone["filters"] = match &question["filters"] {
                Value::Null => common.clone(),
                own => json!(["and", common, own]),
            };
            let want = ask_in(&archives, &alone, Vec::new(), 0).unwrap();
            prop_assert_eq!(serde_json::to_value(&answer).unwrap(), want);
        }
    }
}

#[test]
fn what_is_wrong_with_one_of_them_is_named_by_its_place() {
    let refused = |body: Value| {
        let fault = Question::parse_panels(body.to_string().as_bytes()).unwrap_err();
        let problem: Value = serde_json::from_str(&fault.to_json()).unwrap();
        problem["field"].as_str().unwrap().to_owned()
    };
    let good = json!({"metrics": ["users"]});
    for (body, want) in [
        (json!({}), "panels"),
        (json!({"panels": []}), "panels"),
        (json!({"panels": vec![good.clone(); 21]}), "panels"),
        (json!({"panels": [good, 7]}), "panels[1]"),
        (json!({"panels": [{"metrics": []}]}), "panels[0].metrics"),
        (
            json!({"panels": [good, {"metrics": ["users", "x"]}]}),
            "panels[1].metrics[1]",
        ),
        (
            json!({"panels": [{"metrics": ["users"], "filters": ["is", "x", "y"]}]}),
            "panels[0].filters[1]",
        ),
        (
            json!({"panels": [{"metrics": ["users"], "limit": 0}]}),
            "panels[0].limit",
        ),
        (
            json!({"panels": [{"metrics": ["users"], "cursor": 1}]}),
            "panels[0].cursor",
        ),
        (
            json!({"panels": [{"metrics": ["users"], "range": "7d"}]}),
            "panels[0].range",
        ),
        (
            json!({"panels": [{"metrics": ["conversions"]}]}),
            "panels[0].metrics[0]",
        ),
        (json!({"panels": [good], "metrics": ["users"]}), "metrics"),
        (
            json!({"panels": [good], "filters": ["is", "x", "y"]}),
            "filters[1]",
        ),
    ] {
        assert_eq!(refused(body.clone()), want, "{body}");
    }
    assert!(Question::parse(json!({"panels": [good]}).to_string().as_bytes()).is_err());
}
