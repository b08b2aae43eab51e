//! How secrets are compared: `same_hash` takes the same time whatever is right of them. Keys are not compared at all,
//! but looked up by their hash.

use std::fs;
use std::path::{Path, PathBuf};

use crate::text::code;

/// In a name: it holds a secret, or what stands for one.
const SECRET: [&str; 6] = ["secret", "seal", "token", "key_hash", "signature", "ticket"];

pub(crate) fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.ends_with("tests") || path.ends_with("tests.rs");
        match path.extension().and_then(|text| text.to_str()) {
            _ if is_test => {}
            None => sources(&path, all),
            Some("rs") => all.push(path),
            Some(_) => {}
        }
    }
}

/// The last name of what stands before an operator, or of what stands after it.
fn name(text: &str, is_before: bool) -> String {
    let of_path = |c: char| c.is_alphanumeric() || "_.()&*:".contains(c);
    let text = text.trim();
    let path: String = if is_before {
        let begin = text.rfind(|c| !of_path(c)).map_or(0, |at| at + 1);
        text.get(begin..).unwrap_or_default().to_owned()
    } else {
        text.chars().take_while(|c| of_path(*c)).collect()
    };
    let last = path.rsplit(['.', ':']).next().unwrap_or_default();
    last.trim_matches(|c| "()&*".contains(c)).to_lowercase()
}

/// Comparisons of secrets in some code, with their lines.
fn comparisons(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in code.lines() {
        for operator in ["==", "!="] {
            for (at, _) in line.match_indices(operator) {
                let sides = [
                    name(&line[..at], true),
                    name(&line[at + operator.len()..], false),
                ];
                if sides
                    .iter()
                    .any(|side| SECRET.iter().any(|word| side.contains(word)))
                {
                    found.push(line.trim().to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn secrets_are_compared_by_same_hash_alone() {
    let worker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worker/src");
    let mut all = Vec::new();
    sources(&worker, &mut all);
    assert!(all.len() > 200, "{} sources", all.len());
    let mut callers = Vec::new();
    for path in all {
        let code = code(&fs::read_to_string(&path).unwrap());
        let name = path.strip_prefix(&worker).unwrap().to_str().unwrap();
        assert_eq!(comparisons(&code), Vec::<String>::new(), "{name}");
        if code.replace("fn same_hash(", "").contains("same_hash(") {
            callers.push(name.to_owned());
        }
    }
    callers.sort();
    assert_eq!(
        callers,
        [
            "live/ticket.rs",
            "query/links/row.rs",
            "shell/http/admin.rs"
        ]
    );
}

#[test]
fn a_comparison_of_a_secret_is_seen() {
    for line in [
        "if token == known {",
        "row.key_hash != hash",
        "let ok = known.as_str() == &self.seal;",
    ] {
        assert_eq!(comparisons(line).len(), 1, "{line}");
    }
    assert!(comparisons("if token.len() == 26 && kind == other {").is_empty());
}
