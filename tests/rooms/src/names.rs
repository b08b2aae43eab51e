//! The paths that code names.

/// A path, and the line on which it stands, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// Whether others see it here: `pub use`.
    pub(crate) is_told: bool,
}

/// All paths of some code: what it imports, and what it names where it needs it. `self`, `super` and `crate` stand
/// as they are written.
pub(crate) fn named(code: &str) -> Vec<Named> {
    let mut all = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    while at < code.len() {
        let rest = &code[at..];
        line += code[counted..at].matches('\n').count();
        counted = at;
        let begins = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        if begins && rest.starts_with("use ") {
            let end = rest.find(';').unwrap_or(rest.len());
            let before = code[..at].trim_end();
            let is_told = before.ends_with("pub") || before.ends_with(')') && is_visible(before);
            for path in expanded(&rest[4..end]) {
                all.push(Named {
                    path,
                    line,
                    is_told,
                });
            }
            at += end;
        } else if begins && rest.starts_with(|c: char| c.is_alphabetic()) {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                .unwrap_or(rest.len());
            let path: Vec<String> = rest[..end].split("::").map(str::to_owned).collect();
            if path.len() > 1 {
                let is_told = false;
                all.push(Named {
                    path,
                    line,
                    is_told,
                });
            }
            at += end.max(1);
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    all
}

fn is_visible(before: &str) -> bool {
    ["pub(crate)", "pub(super)"]
        .iter()
        .any(|word| before.ends_with(word))
}

/// `a::{b, c::d as e}` as its paths.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((head, body)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![
            path.split("::")
                .map(|part| part.trim().to_owned())
                .collect(),
        ];
    };
    let body = body.strip_suffix('}').unwrap_or(body);
    let head: Vec<String> = head
        .split("::")
        .map(|part| part.trim().to_owned())
        .collect();
    let head = &head[..head.len().saturating_sub(1)];
    let mut paths = Vec::new();
    for part in split(body) {
        for tail in expanded(part) {
            let tail = if tail == ["self"] { Vec::new() } else { tail };
            paths.push([head, &tail].concat());
        }
    }
    paths
}

/// The parts between the commas that stand in no braces.
fn split(body: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0_i32, 0, Vec::new());
    for (at, c) in body.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&body[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[from..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[test]
fn paths_are_read_wherever_they_stand() {
    let code =
        "use crate::a::{self, b::C, d as e};\npub use super::f;\nfn g() { crate::h::i(); x.y() }";
    let paths: Vec<String> = named(code).iter().map(|one| one.path.join("::")).collect();
    assert_eq!(
        paths,
        [
            "crate::a",
            "crate::a::b::C",
            "crate::a::d",
            "super::f",
            "crate::h::i"
        ]
    );
    assert_eq!(named(code).iter().filter(|one| one.is_told).count(), 1);
    assert_eq!(named(code).last().map(|one| one.line), Some(3));
}
