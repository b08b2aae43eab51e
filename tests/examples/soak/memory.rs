//! Whether memory is flat.
//!
//! The strict layer writes every two seconds how many bytes the isolate has, by its inspector: JavaScript's heap and the
//! buffers behind it, wasm's memory among them. Garbage is in it, so what counts is the least of a part of the time: of
//! the middle third (when all clients have been there for long), and of the last. The least of shorter parts goes up and
//! down with the garbage: of the sixths of half an hour they were 6.2, 4.3, 4.0 and 5.7 MB.

use std::path::Path;

/// By how much it may differ.
const WITHIN: f64 = 0.10;

/// Parts of the time that are shown; two of them are compared with two.
const PARTS: usize = 6;

/// The least bytes of each part of the time.
fn least(log: &str) -> Vec<u64> {
    let bytes: Vec<u64> = log
        .lines()
        .filter_map(|line| line.split_once(' ')?.1.parse().ok())
        .collect();
    assert!(bytes.len() > PARTS * 2, "too few looks: {}", bytes.len());
    let parts = bytes.chunks(bytes.len().div_ceil(PARTS));
    parts.map(|part| *part.iter().min().unwrap()).collect()
}

fn read(state: &Path) -> Vec<u64> {
    let log = std::fs::read_to_string(state.join("shoreline/memory.log"));
    least(&log.expect("looks at memory need Node 22, which `npm run` puts first on the path"))
}

/// Prints what was seen.
pub(crate) fn shown(state: &Path) {
    let least = read(state);
    let megabytes = least
        .iter()
        .map(|bytes| format!("{:.1}", *bytes as f64 / 1e6));
    let shown: Vec<String> = megabytes.collect();
    println!("isolate, least MB of each sixth: {}", shown.join(" "));
    println!("change: {:+.1} %", (change(&least) - 1.0) * 100.0);
}

/// How many times as much the last third had as the middle one.
fn change(least: &[u64]) -> f64 {
    let [_, _, middle @ .., late, last] = least else {
        panic!("{} parts", least.len());
    };
    *late.min(last) as f64 / *middle.iter().min().unwrap() as f64
}

/// Fails where memory grew.
///
/// # Panics
/// Where it grew by more than a tenth.
pub(crate) fn is_flat(state: &Path) {
    let change = change(&read(state));
    assert!(change <= 1.0 + WITHIN, "memory grows: {change}");
}
