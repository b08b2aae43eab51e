//! Whatever the bytes, the pass and the tree store the same line, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../both.rs"]
mod both;

fuzz_target!(|data: &[u8]| {
    both::check(data);
});
