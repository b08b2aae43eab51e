//! Goals, their names, and money by currency.

use super::*;
use crate::base::sql::Statement;
use crate::query::Question;
use crate::query::goals::{self, Goal, GoalRow, NewGoal};

fn custom(n: usize, user: &str, data: Value) -> Value {
    let mut event = some_event(1);
    event["eventId"] = json!(crate::testing::uuid(n));
    event["eventType"] = json!("custom");
    (event["userId"], event["sessionId"]) = (json!(user), json!(format!("s-{user}")));
    event["timestamp"] = json!(DAY * DAY_MS + n as i64);
    event["eventData"] = data;
    event
}

#[test]
fn money_is_told_by_currency_and_never_added_across() {
    let sale = |amount: Value, currency: &str| json!({"name": "buy", "revenue": {"amount": amount, "currency": currency}});
    let events = [
        custom(1, "ann", sale(json!(10.1), "EUR")),
        custom(2, "ann", sale(json!(0.2), "eur")),
        custom(3, "bob", sale(json!("5"), "USD")),
        custom(4, "bob", sale(json!(-1.5), "USD")),
        custom(5, "cid", sale(json!("much"), "USD")),
        custom(6, "cid", json!({"name": "buy", "revenue": {"amount": 3}})),
        custom(
            7,
            "dan",
            json!({"name": "look", "revenue": {"amount": 100, "currency": "EUR"}}),
        ),
        custom(8, "eve", json!({"name": "look"})),
    ];
    let sql = archived(&events, 3);
    let mut body = json!({"metrics": ["revenue", "revenue(EUR)", "revenue(CHF)", "events"], "range": all_days()});
    let answer = ask(&sql, &body);
    assert_eq!(
        answer["totals"],
        json!([{"EUR": 110.3, "USD": 3.5}, 110.3, 0, 8])
    );
    let lacking = json!({"revenue": 2, "revenue(EUR)": 2, "revenue(CHF)": 2});
    assert_eq!(answer["meta"]["notNumbers"], lacking);
    // Of conversions alone where there is a goal, in all rows.
    body["goal"] = json!(["is", "custom", "buy"]);
    body["metrics"] = json!([
        "revenue",
        "conversions",
        "converted",
        "conversionRate",
        "users"
    ]);
    let answer = ask(&sql, &body);
    assert_eq!(
        answer["totals"],
        json!([{"EUR": 10.3, "USD": 3.5}, 6, 3, 0.6, 5])
    );
    body["dimensions"] = json!(["currency"]);
    let answer = ask(&sql, &body);
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(
        rows[0],
        json!({"dimensions": [null], "metrics": [null, 1, 1, 0.5, 2]})
    );
    assert_eq!(
        rows[1],
        json!({"dimensions": ["EUR"], "metrics": [{"EUR": 10.3}, 2, 1, 0.5, 2]})
    );
    assert_eq!(
        rows[2],
        json!({"dimensions": ["USD"], "metrics": [{"USD": 3.5}, 3, 2, 1, 2]})
    );
    // Amounts of several currencies have no order; as a table they are one cell.
    body["orderBy"] = json!([["revenue", "desc"]]);
    let refused = Question::parse(body.to_string().as_bytes()).unwrap_err();
    assert!(
        refused.to_json().contains("orderBy[0]"),
        "{}",
        refused.to_json()
    );
    let body = json!({"metrics": ["revenue"], "range": all_days()});
    let (asked, answer) = answer_in(std::slice::from_ref(&sql), &body, Vec::new(), 0).unwrap();
    assert_eq!(asked.csv(&answer), "revenue\r\nEUR 110.3 USD 3.5\r\n");
}

#[test]
fn a_name_stands_for_the_filter_of_a_goal() {
    let goal = Goal {
        goal_id: "0198".into(),
        name: "Sign-up".into(),
        filter: json!(["is", "custom", "signup"]),
    };
    let body = |goal: &str| {
        let body = json!({"metrics": ["users"], "goal": goal, "panels": [{"goal": goal}, {"goal": ["exists", "page"]}]});
        body.as_object().unwrap().clone()
    };
    for name in ["Sign-up", "0198"] {
        let mut body = body(name);
        assert!(goals::are_named(&body));
        goals::put(&mut body, std::slice::from_ref(&goal)).unwrap();
        assert!(!goals::are_named(&body));
        assert_eq!(body["goal"], goal.filter);
        assert_eq!(
            body["panels"],
            json!([{"goal": goal.filter}, {"goal": ["exists", "page"]}])
        );
    }
    let mut panels = body("Sign-up");
    panels.remove("goal");
    panels["panels"][0]["goal"] = json!("sign-up");
    let fault = goals::put(&mut panels, &[goal]).unwrap_err();
    assert!(
        fault.to_json().contains("panels[0].goal"),
        "{}",
        fault.to_json()
    );
}

#[test]
fn a_goal_is_checked_and_kept_once_by_name() {
    let sql = TestSql::new();
    sql.migrate();
    let run = |statement: &Statement| -> Vec<Goal> {
        let rows: Vec<GoalRow> = sql.batch(std::slice::from_ref(statement)).unwrap();
        rows.into_iter().map(Goal::from).collect()
    };
    sql.execute_batch(
        "INSERT INTO sites (site_id, name, origins, created_at) VALUES ('a', '', '[]', 0), ('b', '', '[]', 0)",
    );
    let goal = |name: &str| {
        let body = json!({"name": name, "filter": ["is", "custom", name]});
        NewGoal::parse(body.to_string().as_bytes()).unwrap()
    };
    let made = run(&goal("one").statement("a", "1", 0));
    assert_eq!(
        (made.len(), made[0].filter.clone()),
        (1, json!(["is", "custom", "one"]))
    );
    assert!(run(&goal("one").statement("a", "2", 0)).is_empty());
    assert!(run(&goal("one").statement("nobody", "3", 0)).is_empty());
    assert_eq!(run(&goal("one").statement("b", "4", 0)).len(), 1);
    assert_eq!(run(&goal("two").statement("a", "5", 0)).len(), 1);
    assert!(
        run(&goal("one").replace("a", "5")).is_empty(),
        "the name is taken"
    );
    assert!(
        run(&goal("three").replace("b", "5")).is_empty(),
        "another site's"
    );
    assert_eq!(run(&goal("three").replace("a", "5"))[0].name, "three");
    assert!(run(&goals::delete("b", "1")).is_empty());
    assert_eq!(run(&goals::delete("a", "1")).len(), 1);
    let names = |site: &str| {
        run(&goals::list(site))
            .into_iter()
            .map(|goal| goal.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names("a"), names("b")),
        (vec!["three".to_owned()], vec!["one".to_owned()])
    );
    for n in 0..120 {
        run(&goal(&format!("goal {n}")).statement("a", &format!("x{n}"), 0));
    }
    assert_eq!(names("a").len(), 100);
    for (body, field) in [
        (json!({"name": "", "filter": ["exists", "page"]}), "name"),
        (
            json!({"name": "x".repeat(101), "filter": ["exists", "page"]}),
            "name",
        ),
        (json!({"name": "x", "filter": []}), "filter"),
        (json!({"name": "x", "filter": "page"}), "filter"),
        (
            json!({"name": "x", "filter": ["and", ["is", "planet", "Mars"]]}),
            "filter[1][1]",
        ),
        (
            json!({"name": "x", "filter": ["exists", "page"], "siteId": "a"}),
            "siteId",
        ),
    ] {
        let fault = NewGoal::parse(body.to_string().as_bytes()).unwrap_err();
        let problem: Value = serde_json::from_str(&fault.to_json()).unwrap();
        assert_eq!(problem["field"], field, "{body}");
    }
}

#[test]
fn what_everything_passes_is_no_goal() {
    for body in [
        json!({"metrics": ["users"], "goal": []}),
        json!({"metrics": ["conversions"], "goal": []}),
    ] {
        let Err(fault) = Question::parse(body.to_string().as_bytes()) else {
            panic!("it was taken: {body}");
        };
        assert!(
            fault.to_json().contains(r#""field":"goal""#),
            "{}",
            fault.to_json()
        );
    }
}
