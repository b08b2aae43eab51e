//! The rules themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::crates::{Crate, Knows};

/// The rooms of the worker, from the lowest to the highest: each may import from those before it, and those that
/// share a line know nothing of each other.
const WORKER: &[&[&str]] = &[
    &["base"],
    &["protocol"],
    &["http"],
    &["access", "observe", "sinks"],
    &["ingest", "log", "lake"],
    &["archive"],
    &["import", "read", "upkeep", "admin", "dead_letter"],
    &["query"],
    &["live"],
    &["endpoints"],
    &["config"],
    &["shell"],
];

/// The crates of the platform, which only the shell may name.
const PLATFORM: &[&str] = &[
    "worker",
    "js_sys",
    "wasm_bindgen",
    "wasm_bindgen_futures",
    "web_sys",
];

fn held(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_worker_s_rooms_import_downward_only() {
    let height: BTreeMap<&str, usize> = (0..)
        .zip(WORKER)
        .flat_map(|(height, rooms)| rooms.iter().map(move |room| (*room, height)))
        .collect();
    let mut broken = Vec::new();
    for Knows { who, whom, place } in Crate::read("worker/src").known() {
        let (Some(room), Some(other)) = (who.first(), whom.first()) else {
            continue;
        };
        if room == other {
            continue;
        }
        match (height.get(room.as_str()), height.get(other.as_str())) {
            (Some(high), Some(low)) if high > low => {}
            (Some(_), Some(_)) => {
                broken.push(format!(
                    "{place}: {room} may not know {other} ({})",
                    whom.join("::")
                ));
            }
            _ => broken.push(format!(
                "{place}: {room} or {other} has no line in {}",
                file!()
            )),
        }
    }
    held(&broken);
}

#[test]
fn only_the_shell_names_the_platform() {
    for (folder, shell) in [
        ("worker/src", "shell"),
        ("tracker-wasm/src", "shell"),
        ("shared/src", ""),
        ("publisher/src", ""),
    ] {
        let source = Crate::read(folder);
        let broken: Vec<String> = source
            .names()
            .filter(|(module, _, path)| {
                let inside = module.first().is_some_and(|room| room == shell);
                !inside
                    && path
                        .first()
                        .is_some_and(|name| PLATFORM.contains(&name.as_str()))
            })
            .map(|(_, place, path)| format!("{place}: only the shell may name {}", path.join("::")))
            .collect();
        held(&broken);
    }
}

#[test]
fn crates_know_the_shared_one_alone() {
    let mut broken = Vec::new();
    for (folder, may) in [
        ("shared/src", &[][..]),
        ("tracker-wasm/src", &["shoreline_shared"]),
        ("worker/src", &["shoreline_shared"]),
        ("publisher/src", &["shoreline_shared"]),
    ] {
        for (_, place, path) in Crate::read(folder).names() {
            let first = path.first().map_or("", String::as_str);
            if first.starts_with("shoreline_") && !may.contains(&first) {
                broken.push(format!("{place}: {folder} may not know {first}"));
            }
        }
    }
    held(&broken);
}

/// A module and those inside it may know each other: a builder and what it builds. Modules that stand side by side
/// may not, not even by way of others.
#[test]
fn modules_side_by_side_make_no_circle() {
    let mut broken = Vec::new();
    for folder in [
        "shared/src",
        "tracker-wasm/src",
        "publisher/src",
        "worker/src",
    ] {
        for (level, edges) in levels(&Crate::read(folder)) {
            broken.extend(
                circles(&edges)
                    .into_iter()
                    .map(|circle| format!("{folder}, {level}: {circle}")),
            );
        }
    }
    held(&broken);
}

/// Of modules side by side: who knows whom, and a place where that is said.
type Edges = BTreeMap<String, BTreeMap<String, String>>;

fn levels(source: &Crate) -> BTreeMap<String, Edges> {
    let mut levels: BTreeMap<String, Edges> = BTreeMap::new();
    for Knows { who, whom, place } in source.known() {
        let common = who.iter().zip(&whom).take_while(|(a, b)| a == b).count();
        if let (Some(from), Some(to)) = (who.get(common), whom.get(common)) {
            let level = levels.entry(who[..common].join("::")).or_default();
            level
                .entry(from.clone())
                .or_default()
                .entry(to.clone())
                .or_insert(place);
        }
    }
    levels
}

/// Each edge that lies on a circle.
fn circles(edges: &Edges) -> Vec<String> {
    let mut all = Vec::new();
    for (from, others) in edges {
        for (to, place) in others {
            if reaches(edges, to, from) {
                all.push(format!(
                    "{place}: {from} knows {to}, which leads back to {from}"
                ));
            }
        }
    }
    all
}

fn reaches(edges: &Edges, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(at) = next.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            next.extend(
                edges
                    .get(at)
                    .into_iter()
                    .flat_map(BTreeMap::keys)
                    .map(String::as_str),
            );
        }
    }
    false
}
