//! The text of a source without what is no code: comments, texts, and what is compiled for tests alone.

/// The code of a file: comments and the insides of literals are blank, line breaks stay.
pub(crate) fn code(source: &str) -> String {
    without_tests(&without_literals(source))
}

fn without_literals(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < text.len() {
        let end = match (text[at], text.get(at + 1)) {
            ('/', Some('/')) => line_end(&text, at),
            ('/', Some('*')) => comment_end(&text, at),
            ('"', _) => string_end(&text, at + 1),
            ('r', Some('"' | '#')) if !is_word(text[..at].last()) => raw_end(&text, at),
            ('\'', _) => char_end(&text, at),
            _ => at,
        };
        if end == at {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let blank = text[at..end.min(text.len())].iter();
        out.extend(blank.map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

fn is_word(c: Option<&char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || *c == '_')
}

fn line_end(text: &[char], from: usize) -> usize {
    let rest = text[from..].iter().position(|c| *c == '\n');
    rest.map_or(text.len(), |n| from + n)
}

fn comment_end(text: &[char], from: usize) -> usize {
    let rest = text[from + 2..]
        .windows(2)
        .position(|two| two == ['*', '/']);
    rest.map_or(text.len(), |n| from + n + 4)
}

fn string_end(text: &[char], from: usize) -> usize {
    let mut at = from;
    while at < text.len() && text[at] != '"' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The end of `r#"…"#`; `from` itself where it is a name such as `r#type`.
fn raw_end(text: &[char], from: usize) -> usize {
    let hashes = text[from + 1..].iter().take_while(|c| **c == '#').count();
    if text.get(from + 1 + hashes) != Some(&'"') {
        return from;
    }
    let mut end = vec!['"'];
    end.resize(hashes + 1, '#');
    let begin = from + hashes + 2;
    let rest = text[begin..]
        .windows(end.len())
        .position(|some| some == end);
    rest.map_or(text.len(), |n| begin + n + end.len())
}

/// The end of a character; `from` itself where it is a lifetime.
fn char_end(text: &[char], from: usize) -> usize {
    match text.get(from + 1) {
        Some('\\') => {
            let rest = text[from + 3..].iter().position(|c| *c == '\'');
            rest.map_or(text.len(), |n| from + n + 4)
        }
        Some(_) if text.get(from + 2) == Some(&'\'') => from + 3,
        _ => from,
    }
}

const TEST: &str = "#[cfg(test)]";

fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(TEST) {
        let (before, test) = rest.split_at(at);
        let end = item_end(test);
        out.push_str(before);
        out.extend(test[..end].chars().filter(|c| *c == '\n'));
        rest = &test[end..];
    }
    out.push_str(rest);
    out
}

/// Where the item ends that `text` begins with: at its `;`, or with its braces.
fn item_end(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut is_use = false;
    for (at, c) in text.char_indices() {
        is_use |= text[at..].starts_with("use ") && depth == 0;
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth = depth.saturating_sub(1);
                if c == '}' && depth == 0 && !is_use {
                    return at + 1;
                }
            }
            ';' | ',' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn only_code_is_left() {
    let source = "use a; // use b;\n/* use c; */ let x = \"use d;\\\"\"; let y = r#\"use \"e\"#;\nfn f<'a>(c: 'a') {}\n\
                  #[cfg(test)]\nuse g::{h, i};\n#[cfg(test)]\nmod tests { use j; fn k() { {} } }\nuse l;";
    let code = code(source);
    for gone in ["b", "use c", "use d", "use \"e", "h,", "j;"] {
        assert!(!code.contains(gone), "{gone}: {code}");
    }
    assert!(code.contains("use a;") && code.contains("use l;") && code.contains("fn f<'a>"));
    assert_eq!(code.lines().count(), source.lines().count());
}
