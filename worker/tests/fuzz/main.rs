//! The fuzz targets of `worker/fuzz/` on any toolchain: the kept corpus, and inputs made of it by a few changes, the same
//! ones in every run. `SHORELINE_FUZZ_TRIES=1000000 SHORELINE_FUZZ_SEED=2 cargo test -p shoreline-worker --test fuzz`
//! tries others, for as long as you like.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test stops at what goes wrong"
)]

#[path = "../../fuzz/targets.rs"]
#[allow(unreachable_pub)] // The fuzz targets are another crate.
mod targets;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use targets::{TARGETS, Target};

/// Changed inputs that `npm test` tries of each target: some seconds for all.
const TRIES: u64 = 4_000;

/// How long one input may take; nothing of it waits, so this is a loop that does not end.
const AT_MOST: Duration = Duration::from_secs(5);

/// What is put in besides pieces of other inputs.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"0.1",
    b"\n",
    b"\0",
    b"\xff",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\xff\xff\xff\xff\x0f",
    b"%",
    b"&cursor=",
    b"\\ud83d",
    b"18446744073709551616",
    b"\x1f\x8b\x08\x00",
    "\u{1F600}".as_bytes(),
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

/// Runs a target; whether the input was taken.
fn run((name, target): Target, input: &[u8], which: &str) -> bool {
    let begun = Instant::now();
    let taken = std::panic::catch_unwind(|| target(input));
    let taken =
        taken.unwrap_or_else(|_| panic!("{name}, {which}: {:?}", String::from_utf8_lossy(input)));
    assert!(
        begun.elapsed() < AT_MOST,
        "{name}, {which}: it took {:?}",
        begun.elapsed()
    );
    taken
}

#[test]
fn the_kept_corpus_breaks_nothing_and_is_taken() {
    for target in TARGETS {
        let inputs = corpus(target.0);
        let taken = inputs
            .iter()
            .filter(|input| run(target, input, "the corpus"))
            .count();
        assert!(taken > 0, "nothing of {} is taken", target.0);
    }
}

#[test]
fn changes_of_the_corpus_break_nothing() {
    let most = number("SHORELINE_FUZZ_TRIES").unwrap_or(TRIES);
    let seed = number("SHORELINE_FUZZ_SEED").unwrap_or(1) | 1;
    for target in TARGETS {
        let mut random = Random(seed);
        let mut inputs = corpus(target.0);
        let kept = inputs.len();
        let mut taken = 0_u64;
        for n in 0..most {
            let mut input = inputs[random.below(inputs.len())].clone();
            for _ in 0..=random.below(3) {
                change(&mut input, &inputs, &mut random);
            }
            if !run(target, &input, &format!("seed {seed}, try {n}")) {
                continue;
            }
            taken += 1;
            // What was taken goes on to be changed, so that changes add up; the kept corpus stays.
            if input.len() < 8_192 {
                if inputs.len() < kept * 4 {
                    inputs.push(input);
                } else {
                    let place = kept + random.below(kept * 3);
                    inputs[place] = input;
                }
            }
        }
        println!("{}: {most} inputs, of which {taken} were taken", target.0);
        assert!(taken > 0, "nothing of {} was taken", target.0);
    }
}

/// One change: of a bit or a byte, or of a stretch that is put in, cut out, doubled, or written over.
fn change(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    if input.is_empty() {
        input.push(b'0');
    }
    let at = random.below(input.len());
    let end = (at + 1 + random.below(24)).min(input.len());
    match random.below(8) {
        0 => input[at] ^= 1 << random.below(8),
        1 => input[at] = random.below(256) as u8,
        2 => drop(input.drain(at..end)),
        3 => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        4 => {
            let other = &others[random.below(others.len())];
            let from = random.below(other.len().max(1)).min(other.len());
            let to = (from + 1 + random.below(80)).min(other.len());
            input.splice(at..end, other[from..to].iter().copied());
        }
        5 => input.truncate(at),
        _ => {
            let piece = PIECES[random.below(PIECES.len())];
            input.splice(at..at, piece.iter().copied());
        }
    }
}

/// A xorshift generator: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
