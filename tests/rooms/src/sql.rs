//! No text of a sender is part of a statement: what is put into one is a constant of ours, and each is named here.
//! Statements of D1 need no such list: they are `&'static str`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::secrets::sources;

/// With what a statement begins.
const VERBS: [&str; 8] = [
    "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "DROP ", "ALTER ", "WITH ",
];

/// What stands in braces in the formatted statements of a file. Whoever adds one looks that it is a constant, or one of
/// several.
const KNOWN: [(&str, &[&str]); 20] = [
    ("archive/append.rs", &["NEXT_SEQ"]),
    ("archive/compact.rs", &["HELD", "WHOLE"]),
    ("archive/compact/hours.rs", &["HELD"]),
    ("archive/erase.rs", &["WHOLE"]),
    ("archive/erase/rewrite.rs", &["WHOLE"]),
    ("archive/filled.rs", &["", "NEXT_SEQ"]),
    ("archive/folding.rs", &["WHOLE", "lines", "table"]),
    ("archive/logs.rs", &["table"]),
    ("archive/people/pages.rs", &["", "table"]),
    ("archive/prune.rs", &["HELD"]),
    ("archive/recount.rs", &["table"]),
    ("archive/recount/events.rs", &["WHOLE"]),
    ("archive/reshard/empty.rs", &["table"]),
    ("archive/reshard/give.rs", &["", "WHOLE", "table"]),
    ("archive/reshard/take.rs", &["", "NEXT_SEQ", "table"]),
    ("archive/scan.rs", &["WHOLE", "second"]),
    ("archive/scan/page.rs", &["WHOLE", "columns"]),
    ("archive/scan/page/lines.rs", &["WHOLE"]),
    ("lake/held.rs", &["HELD"]),
    ("log/batches.rs", &["", "before", "name", "now"]),
];

/// What stands in braces in a text that is formatted, where that is a statement.
fn put_in(literal: &str) -> Option<Vec<String>> {
    let text = literal.trim_start_matches(['\\', '\n', ' ']);
    VERBS.iter().any(|verb| text.starts_with(verb)).then(|| {
        let parts = text.split('{').skip(1);
        parts
            .map(|part| part.split('}').next().unwrap_or_default().to_owned())
            .collect()
    })
}

/// The texts that a source formats.
fn formatted(source: &str) -> impl Iterator<Item = &str> {
    source.split("format!(").skip(1).filter_map(|rest| {
        let text = rest.trim_start().strip_prefix('"')?;
        let mut escaped = false;
        let end = text.find(|c| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        })?;
        text.get(..end)
    })
}

#[test]
fn nothing_but_constants_is_put_into_a_statement() {
    let worker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worker/src");
    let mut all = Vec::new();
    sources(&worker, &mut all);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in all {
        let source = fs::read_to_string(&path).unwrap();
        // Tests of a file are at its end.
        let source = source.split("#[cfg(test)]\nmod ").next().unwrap();
        let name = path.strip_prefix(&worker).unwrap().to_str().unwrap();
        // The plain counts that tests compare with.
        if name.ends_with("/brute.rs") {
            continue;
        }
        for names in formatted(source).filter_map(put_in) {
            found.entry(name.to_owned()).or_default().extend(names);
        }
    }
    found.values_mut().for_each(|names| {
        names.sort();
        names.dedup();
    });
    let known: BTreeMap<String, Vec<String>> = KNOWN
        .iter()
        .map(|(file, names)| {
            let names = names.iter().map(|name| (*name).to_owned());
            ((*file).to_owned(), names.collect())
        })
        .collect();
    assert_eq!(found, known);
}

#[test]
fn what_is_put_into_a_statement_is_seen() {
    let source = r#"sql.run(&format!("DELETE FROM {table} WHERE a = '\"' AND id = {}", id))"#;
    let names: Vec<_> = formatted(source).filter_map(put_in).collect();
    assert_eq!(names, [["table", ""]]);
    assert_eq!(put_in("a text of {words}"), None);
}
