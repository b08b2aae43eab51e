//! The lake as a data engineer gets it: `npm run lake -- pull DIR`, then the files.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::root;

/// The lake's objects by key, as they are.
pub fn pull_raw(state: &Path) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("node")
        .arg("deploy/dev/lake/lake.mjs")
        .arg("pull")
        .arg(folder.path())
        .current_dir(root())
        .env("SHORELINE_STATE", state)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    read_folder(folder.path())
}

/// The files below a folder by their path in it, as they are.
pub fn read_folder(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut objects = BTreeMap::new();
    read_into(folder, folder, &mut objects);
    objects
}

/// The lake's objects by key, each with its events.
pub fn pull(state: &Path) -> BTreeMap<String, Vec<Value>> {
    unpack(&pull_raw(state))
}

/// Objects by key, each with its events.
pub fn unpack(objects: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<Value>> {
    let events = |bytes: &[u8]| {
        let mut lines = String::new();
        MultiGzDecoder::new(bytes)
            .read_to_string(&mut lines)
            .unwrap();
        let events = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        events.collect()
    };
    let unpacked = objects.iter();
    unpacked
        .map(|(key, bytes)| (key.clone(), events(bytes)))
        .collect()
}

/// The events of a site in the lake.
pub fn events_of(objects: &BTreeMap<String, Vec<Value>>, site: &str) -> Vec<Value> {
    objects
        .values()
        .flatten()
        .filter(|event| event["siteId"] == site)
        .cloned()
        .collect()
}

/// The ids of a site's events in the lake, sorted, each as often as it is there.
pub fn ids_of(objects: &BTreeMap<String, Vec<Value>>, site: &str) -> Vec<String> {
    let mut ids: Vec<String> = events_of(objects, site)
        .iter()
        .map(|event| event["eventId"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

fn read_into(root: &Path, folder: &Path, objects: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_into(root, &path, objects);
            continue;
        }
        let key = path.strip_prefix(root).unwrap().to_str().unwrap();
        objects.insert(key.to_owned(), std::fs::read(&path).unwrap());
    }
}
