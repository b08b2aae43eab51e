//! Inputs that are kept, and inputs made of them by a few changes: the same ones in every run.
//! `SHORELINE_FUZZ_TRIES=5000000 SHORELINE_FUZZ_SEED=2 cargo test -p shoreline-shared --test fuzz` tries
//! others, for as long as you like.

use std::path::PathBuf;

use super::both;

/// Changed inputs that `npm test` tries: about a second's worth.
const TRIES: u64 = 20_000;

/// What is put in besides pieces of other inputs: what the way through an event looks at.
const PIECES: [&str; 48] = [
    "\"",
    "\\",
    "\\\\",
    "\\\"",
    "\\u0000",
    "\\u00e9",
    "\\ud83d",
    "\\ud83d\\ude00",
    "\\n",
    "\\/",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-0",
    "1e999",
    "0.10",
    "12345678901234567890",
    "\"a\":",
    "\"url\":\"https://a.example/?utm_source=B&ref=c#/d\",",
    "\"utm_source\":\"X\",",
    "\"referrer\":\"\",",
    "\"referrerHost\":1,",
    "\"token\":\"t\",",
    "\"client_ip\":\"1.2.3.4\",",
    "\"__proto__\":1,",
    "\"userAgent\":\"Firefox\",",
    "\"metadata\":{},",
    "\"eventData\":{\"feature\":\"f\"},",
    "page_view",
    "feature_use",
    "iam.user-registered",
    "@",
    "bob@x.example",
    "%40",
    "?",
    "#",
    "Bearer abc",
    "4111 1111 1111 1111",
    " ",
    "\u{a0}",
    "é",
    "😀",
    "\u{85}",
];

fn corpus() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/pass");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

#[test]
fn the_kept_corpus_goes_both_ways() {
    let corpus = corpus();
    let passed = corpus
        .iter()
        .filter(|input| both::check(input) == Some(true))
        .count();
    assert!(corpus.len() > 100, "{} inputs", corpus.len());
    // Not all of it by the slow way, or the pass would not be tested.
    assert!(passed > 50, "{passed} of {} took the pass", corpus.len());
}

#[test]
fn changes_of_the_corpus_go_both_ways() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let most = number("SHORELINE_FUZZ_TRIES").unwrap_or(TRIES);
    let seed = number("SHORELINE_FUZZ_SEED").unwrap_or(1) | 1;
    let mut random = Random(seed);
    let mut inputs = corpus();
    let kept = inputs.len();
    let (mut tries, mut passed) = (0_u64, 0_u64);
    while tries < most {
        let mut input = inputs[random.below(inputs.len())].clone();
        for _ in 0..=random.below(3) {
            change(&mut input, &inputs, &mut random);
        }
        let result = std::panic::catch_unwind(|| both::check(&input));
        let result = result.unwrap_or_else(|_| {
            panic!(
                "seed {seed}, try {tries}: {:?}",
                String::from_utf8_lossy(&input)
            )
        });
        tries += 1;
        passed += u64::from(result == Some(true));
        // What passed goes on to be changed, so that changes add up; the kept corpus stays.
        let goes_on = result == Some(true) || random.below(200) == 0;
        if goes_on && input.len() < 4_096 {
            if inputs.len() < kept * 4 {
                inputs.push(input);
            } else {
                let place = kept + random.below(kept * 3);
                inputs[place] = input;
            }
        }
    }
    println!("{tries} inputs, of which {passed} took the pass");
    assert!(passed * 20 > tries, "{passed} of {tries} took the pass");
}

/// One change: of a bit or a byte, or of a stretch that is put in, cut out, or written over.
fn change(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    if input.is_empty() {
        input.push(b'0');
    }
    let at = random.below(input.len());
    let end = (at + 1 + random.below(24)).min(input.len());
    match random.below(8) {
        0 => input[at] ^= 1 << random.below(8),
        1 => input[at] = b' ' + random.below(95) as u8,
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
        _ => {
            let piece = PIECES[random.below(PIECES.len())];
            input.splice(at..at, piece.bytes());
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
