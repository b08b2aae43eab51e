//! Funnels, cohorts, journeys and vitals of events that pass filters, beside counts by hand.

mod brute;

use proptest::prelude::*;

use super::model::Model;
use super::*;
use crate::base::sql::Sql;
use crate::base::time::date;
use crate::http::params::Params;
use crate::query::{Walked, Walking};
use crate::read::brute::KEY;
use crate::read::funnel::Funnel;
use crate::read::journeys::Journeys;
use crate::read::question::{Ask, Meta, Question as _, Told};
use crate::read::retention::Retention;
use crate::read::vitals::Vitals;
use crate::testing::uuid;
use serde::de::DeserializeOwned;
use shoreline_shared::privacy::user_hash;

/// What shards answer, in a zone of these offsets.
pub(super) fn walked<T: DeserializeOwned>(
    archives: &[TestSql],
    asked: Ask,
    offsets: Vec<(i64, i64)>,
) -> Result<(Vec<Told<T>>, Meta), Fault> {
    let Ask::Events(of) = asked else {
        panic!("the archive answers");
    };
    let walking = Walking::parse(Value::Object(of.body).to_string(), of.walk)?;
    let number = u32::try_from(archives.len()).unwrap();
    let (spec, mut meta) = walking.spec(Some(offsets), number, NOW)?;
    let spec = serde_json::to_vec(&spec).unwrap();
    let found = archives.iter().map(|sql| {
        let part: Part<Walked> = scanned(sql, crate::query::begin(&spec, 0).unwrap());
        assert_eq!(part.unreadable, 0);
        part.found
    });
    Ok((Walking::told(found.collect(), &mut meta)?, meta))
}

fn asked<Q: crate::read::question::Question>(
    archives: &[TestSql],
    body: &Value,
) -> Result<Value, Fault> {
    let question = Q::parse(body.to_string().as_bytes(), NOW)?;
    let (found, meta) = walked(archives, question.asked(), Vec::new())?;
    Ok(serde_json::to_value(question.answer(found, Some(meta))).unwrap())
}

fn filters() -> [Value; 8] {
    [
        json!([]),
        json!(["is", "country", "DE"]),
        json!(["or", ["is_not", "page", "/1"], ["exists", "feature"]]),
        json!(["not", ["is", "eventType", ["error", "page_leave"]]]),
        json!(["did", ["is", "feature", "f1"]]),
        json!(["is", "data.note", "note 1"]),
        json!(["is", "entryPage", ["/0", "/2"]]),
        json!(["contains", "data.note", "x"]),
    ]
}

fn steps() -> [Value; 7] {
    [
        json!(["is", "eventType", "page_view"]),
        json!(["is", "page", "/1"]),
        json!(["exists", "feature"]),
        json!(["is", "eventType", "custom"]),
        json!(["is", "country", "FR"]),
        // Only the lines have the longest of these.
        json!(["starts_with", "data.note", ["note 2", "xxx"]]),
        json!(["is", "eventType", "page_leave"]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_funnel_of_filters_is_what_trying_every_way_tells(
        ids in prop::collection::btree_set(0_usize..400, 1..70),
        picks in prop::collection::vec(0_usize..7, 1..5), filter in 0_usize..8, window in 1_i64..120,
        order in 0_usize..3, by in prop::option::of(0_usize..3), number in 1_usize..4, size in 3_usize..40,
    ) {
        let events: Vec<Value> = ids.iter().map(|n| some_event(*n)).collect();
        let steps: Vec<Value> = picks.iter().map(|n| steps()[*n].clone()).collect();
        let order = ["sequence", "strict", "any"][order];
        let by = by.map(|by| ["country", "page", "data.note"][by]);
        let filter = filters()[filter].clone();
        let archives = shards(&events, number, size);
        let after = (steps.len() > 1).then_some(1);
        let body = json!({"range": all_days(), "filters": filter, "steps": steps, "order": order, "by": by,
            "windowHours": window, "droppedAfter": after});
        let answer = asked::<Funnel>(&archives, &body).unwrap();
        let model = Model { events: &events, goal: Value::Null };
        let want = brute::funnel(&model, &filter, &steps, order, window, by);
        for (n, users) in want.users.iter().enumerate() {
            prop_assert_eq!(&answer["steps"][n]["users"], users);
        }
        prop_assert_eq!(&answer["medianMs"], &json!(want.median));
        if by.is_some() {
            prop_assert_eq!(&answer["otherGroups"], 0);
            let told: Vec<Value> = answer["groups"].as_array().unwrap().iter()
                .map(|group| json!([group["value"], group["users"], group["medianMs"]])).collect();
            prop_assert_eq!(json!(told), json!(want.groups));
        }
        if after.is_some() {
            let mut told: Vec<&str> =
                answer["dropped"]["users"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
            told.sort_unstable();
            prop_assert_eq!(told, want.dropped);
            prop_assert_eq!(&answer["dropped"]["nextCursor"], &Value::Null);
        }
    }

    #[test]
    fn who_comes_back_of_events_that_pass_is_a_plain_count(
        ids in prop::collection::btree_set(0_usize..400, 1..90), filter in 0_usize..8,
        goal in prop::option::of(0_usize..7), weekly: bool, first in 0_i64..5, length in 0_i64..5,
        zone in -12_i64..13, number in 1_usize..3,
    ) {
        let events: Vec<Value> = ids.iter().map(|n| some_event(*n)).collect();
        let filter = filters()[filter].clone();
        // What users did, and sessions, are of the range: taken as all days here.
        let of_range = filter[0] == "did" || filter[1] == "entryPage";
        let zone = if of_range { 0 } else { zone };
        let days = if of_range { (0, 6) } else { (first, (first + length).min(6)) };
        let archives = shards(&events, number, 11);
        let goal = goal.map(|goal| steps()[goal].clone());
        let body = json!({"range": [date(DAY + days.0), date(DAY + days.1)], "filters": filter, "goal": goal,
            "timeZone": "Somewhere", "period": if weekly { "week" } else { "day" }, "periods": 3});
        let offset = zone * 3_600_000;
        let question = Retention::parse(body.to_string().as_bytes(), NOW).unwrap();
        let (found, meta) = walked(&archives, question.asked(), vec![(0, offset)]).unwrap();
        let answer = serde_json::to_value(question.answer(found, Some(meta))).unwrap();
        let model = Model { events: &events, goal: Value::Null };
        let want = brute::cohorts(&model, &filter, goal.as_ref(), weekly, days, offset
        );
        let told: Vec<Value> = answer["cohorts"].as_array().unwrap().iter()
            .map(|cohort| json!([cohort["date"], cohort["users"], cohort["retained"]])).collect();
        prop_assert_eq!(json!(told), json!(want));
    }

    #[test]
    fn journeys_of_events_that_pass_are_a_plain_count(
        ids in prop::collection::btree_set(0_usize..500, 1..120), filter in 0_usize..8, depth in 1_usize..6,
        end in prop::option::of((any::<bool>(), 0_usize..3)), number in 1_usize..3,
    ) {
        let events: Vec<Value> = ids.iter().map(|n| some_event(*n)).collect();
        let filter = filters()[filter].clone();
        let archives = shards(&events, number, 13);
        let mut body = json!({"range": all_days(), "filters": filter, "depth": depth, "limit": 100});
        let end = end.map(|(from, page)| (if from { "from" } else { "to" }, format!("/{page}")));
        if let Some((name, page)) = &end {
            body[*name] = json!(page);
        }
        let answer = asked::<Journeys>(&archives, &body).unwrap();
        let model = Model { events: &events, goal: Value::Null };
        let want = brute::journeys(&model, &filter, depth, end.as_ref());
        let told: Vec<Value> = answer["paths"].as_array().unwrap().iter()
            .map(|path| json!([path["steps"], path["sessions"]])).collect();
        prop_assert_eq!(&answer["sessions"], &json!(want.iter().map(|(_, n)| n).sum::<i64>()));
        prop_assert_eq!(json!(told), json!(want));
    }
}

/// Little memory cuts the range into windows, and values that only lines have are met last.
#[test]
fn windows_and_lines_make_no_difference() {
    let events = some_events(200);
    let archives = shards(&events, 1, 9);
    let body = json!({"range": all_days(), "steps": steps()[..6], "order": "any", "by": "country",
        "windowHours": 48});
    let question = Funnel::parse(body.to_string().as_bytes(), NOW).unwrap();
    let Ask::Events(of) = question.asked() else {
        panic!("the archive answers");
    };
    let walking = Walking::parse(Value::Object(of.body).to_string(), of.walk).unwrap();
    let (spec, _) = walking.spec(Some(Vec::new()), 1, NOW).unwrap();
    let text = serde_json::to_vec(&spec).unwrap();
    let want: Part<Walked> = found_of(&archives[0], Query::begin(&text, 0).unwrap());
    for most in [1, 7, 50] {
        let mut query = Query::begin(&text, 0).unwrap();
        query.keep_at_most(&spec, most);
        let found: Part<Walked> = found_of(&archives[0], query);
        let groups = |part: &Part<Walked>| {
            let found = serde_json::to_value(&part.found).unwrap();
            let values = found["values"].clone();
            let mut groups = found["found"]["groups"].as_array().unwrap().clone();
            for group in &mut groups {
                let number = group["value"].as_u64().unwrap() as usize;
                group["value"] = match number.checked_sub(1) {
                    Some(place) => values[place].clone(),
                    None => Value::Null,
                };
            }
            groups.sort_by_key(Value::to_string);
            groups
        };
        assert_eq!(groups(&found), groups(&want), "{most}");
    }
}

#[test]
fn users_who_dropped_out_are_told_in_pages_and_the_erased_are_counted_alone() {
    let mut events = Vec::new();
    for n in 0..9 {
        let user = if n == 4 {
            "erased-0123456789abcdef".to_owned()
        } else {
            format!("u{n}")
        };
        let mut view = event("demo", n);
        view["eventId"] = json!(uuid(n));
        view["eventType"] = json!("page_view");
        view["eventData"] = json!({"path": "/a"});
        view["userId"] = json!(user);
        view["timestamp"] = json!(DAY * DAY_MS + n as i64);
        events.push(view);
    }
    let archives = shards(&events, 2, 3);
    let mut body = json!({"range": all_days(), "limit": 4, "droppedAfter": 1,
        "steps": [["is", "page", "/a"], ["is", "page", "/b"]]});
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let answer = asked::<Funnel>(&archives, &body).unwrap();
        assert_eq!(answer["steps"][0]["users"], 9);
        let users = answer["dropped"]["users"].as_array().unwrap().iter();
        all.extend(users.map(|id| id.as_str().unwrap().to_owned()));
        pages += 1;
        if answer["dropped"]["nextCursor"].is_null() {
            break;
        }
        body["cursor"] = answer["dropped"]["nextCursor"].clone();
    }
    all.sort();
    assert_eq!(all, ["u0", "u1", "u2", "u3", "u5", "u6", "u7", "u8"]);
    assert_eq!(pages, 3);
}

/// Who has an anonymous id and identified is told by the other one, wherever that is.
#[test]
fn who_dropped_out_is_told_by_the_id_that_identified() {
    let view = |(n, (user, day)): (usize, (&str, i64))| {
        let mut view = event("demo", n);
        view["eventId"] = json!(uuid(n));
        view["eventType"] = json!("page_view");
        view["eventData"] = json!({"path": "/a"});
        view["userId"] = json!(user);
        view["timestamp"] = json!((DAY + day) * DAY_MS + n as i64);
        view
    };
    // Of u0 nothing else is in the range; u3 was two anonymous ids; v-4 never identified.
    let views = [
        ("v-0", 0),
        ("v-1", 0),
        ("u1", 1),
        ("u2", 1),
        ("u3", 2),
        ("v-3", 3),
        ("v-3x", 3),
        ("v-4", 3),
        ("u0", 7),
    ];
    let events: Vec<Value> = views.into_iter().enumerate().map(view).collect();
    for size in [1, 2, 9] {
        let sql = archived(&events, size);
        for (anonymous, user) in [("v-0", "u0"), ("v-1", "u1"), ("v-3", "u3"), ("v-3x", "v-3")] {
            let (anonymous, user) = (
                user_hash(KEY, "demo", anonymous),
                user_hash(KEY, "demo", user),
            );
            let text = format!("{anonymous}{user}{:032x}1", 1);
            let insert = format!("INSERT INTO aliases VALUES ('{anonymous}', '{user}', '{text}')");
            sql.run(&insert, &[]).unwrap();
        }
        let body = json!({"range": all_days(), "droppedAfter": 1,
            "steps": [["is", "page", "/a"], ["is", "page", "/b"]]});
        let answer = asked::<Funnel>(std::slice::from_ref(&sql), &body).unwrap();
        let users = answer["dropped"]["users"].as_array().unwrap().iter();
        let mut told: Vec<&str> = users.map(|id| id.as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, ["u0", "u1", "u2", "u3", "v-4"], "{size}");
    }
}

#[test]
fn vitals_of_measurements_that_pass_are_those_of_others_left_out() {
    let vital = |n: usize| {
        let mut vital = some_event(n);
        vital["eventType"] = json!("web_vital");
        vital["eventData"] =
            json!({"name": "LCP", "value": n * 10, "url": format!("https://a.example/{}", n % 3)});
        vital
    };
    let mut events = some_events(60);
    let measured: Vec<Value> = (60..160).map(vital).collect();
    events.extend(measured.clone());
    let model = Model {
        events: &events,
        goal: Value::Null,
    };
    let get = |events: &[Value], filter: &Value| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("filters", &filter.to_string())
            .append_pair("range", "2024-01-15,2024-01-20")
            .finish();
        let vitals = Vitals::parse(&Params::parse(&query), NOW)?;
        let (found, meta) = walked(&shards(events, 2, 7), vitals.asked(), Vec::new())?;
        Ok::<Value, Fault>(
            serde_json::to_value(Vitals::answer(found, Some(meta))).unwrap()["vitals"].clone(),
        )
    };
    for (filter, of_page) in [
        (json!(["is", "country", "DE"]), None),
        (json!(["did", ["is", "page", "/1"]]), None),
        (json!(["is", "page", "/1"]), Some("/1")),
        (json!(["gte", "data.value", 900]), None),
    ] {
        let passes = |event: &&Value| match of_page {
            Some(page) => event["eventData"]["url"] == format!("https://a.example{page}"),
            None => model.passes(event, &filter),
        };
        let some: Vec<Value> = measured.iter().filter(passes).cloned().collect();
        assert!(!some.is_empty() && some.len() < measured.len(), "{filter}");
        let want = get(&some, &json!([])).unwrap();
        assert_eq!(get(&events, &filter).unwrap(), want, "{filter}");
    }
    for filter in [
        json!(["is", "feature", "f1"]),
        json!(["not", ["exists", "utm_source"]]),
        json!(["is", "form", "a"]),
    ] {
        let fault = get(&events, &filter).unwrap_err();
        assert!(
            fault.detail().contains("A Web Vital has no"),
            "{filter}: {}",
            fault.detail()
        );
    }
}

#[test]
fn what_is_wrong_is_told_by_its_place_in_the_call() {
    let archives = shards(&some_events(9), 1, 9);
    let field = |told: Result<Value, Fault>| {
        let problem: Value = serde_json::from_str(&told.unwrap_err().to_json()).unwrap();
        problem["field"].clone()
    };
    let step = json!(["is", "page", "/a"]);
    for (body, want) in [
        (json!({"steps": [step, ["is", "planet", 1]]}), "steps[1][1]"),
        (json!({"steps": [[]]}), "steps"),
        (json!({"steps": [{"goal": 1}]}), "steps"),
        (json!({"steps": [{"goal": "a", "page": "/"}]}), "steps"),
        (json!({"steps": [step], "by": "planet"}), "by"),
        (json!({"steps": [step], "by": "time:day"}), "by"),
        (json!({"steps": [step], "by": 1}), "by"),
        (json!({"steps": [step], "order": "backwards"}), "order"),
        (json!({"steps": [step], "droppedAfter": 1}), "droppedAfter"),
        (
            json!({"steps": [step, step], "droppedAfter": 2}),
            "droppedAfter",
        ),
        (json!({"steps": [step, step], "limit": 5}), "limit"),
        (
            json!({"steps": [step, step], "droppedAfter": 1, "cursor": "x"}),
            "cursor",
        ),
        (
            json!({"steps": [step], "filters": ["is", "page"]}),
            "filters[2]",
        ),
        (json!({"steps": [step], "range": "8d"}), "range"),
        (
            json!({"steps": [step], "range": "7d", "endDate": "2024-01-01"}),
            "endDate",
        ),
        (
            json!({"steps": [step], "compare": "previous_year"}),
            "compare",
        ),
    ] {
        assert_eq!(field(asked::<Funnel>(&archives, &body)), want, "{body}");
    }
    for (body, want) in [
        (json!({"goal": ["is", "page"]}), "goal[2]"),
        (json!({"goal": []}), "goal"),
        (json!({"filters": [1]}), "filters"),
    ] {
        assert_eq!(field(asked::<Retention>(&archives, &body)), want, "{body}");
    }
    for (body, want) in [
        (json!({"from": "/a", "to": "/b"}), "to"),
        (json!({"from": 1}), "from"),
        (json!({"range": [1, 2]}), "range[0]"),
    ] {
        assert_eq!(field(asked::<Journeys>(&archives, &body)), want, "{body}");
    }
}
