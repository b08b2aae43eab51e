//! Rows as JSON texts that a statement opens with `json_each`.

/// Bytes of a text at most, unless a single row is longer: D1 and Durable Objects take 2 MB a parameter, and
/// it is a string of two bytes a character on its way if one of them is not Latin.
pub(crate) const MAX_TEXT: usize = 900_000;

/// Rows, each a JSON value, as arrays of as many as there is room for.
pub(crate) fn json_rows(rows: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts = Vec::new();
    let mut text = String::new();
    for row in rows {
        if !text.is_empty() && text.len().saturating_add(row.len()) >= MAX_TEXT {
            text.push(']');
            texts.push(std::mem::take(&mut text));
        }
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(&row);
    }
    if !text.is_empty() {
        text.push(']');
        texts.push(text);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_where_a_text_is_full() {
        assert!(json_rows(std::iter::empty()).is_empty());
        let row = |n: usize| format!("\"{n}{}\"", "x".repeat(n % 7 * 10_000));
        let texts = json_rows((0..100).map(row));
        assert!(texts.len() > 1);
        let mut all = Vec::new();
        for text in &texts {
            assert!(text.len() <= MAX_TEXT);
            all.extend(serde_json::from_str::<Vec<String>>(text).unwrap());
        }
        let want: Vec<String> = (0..100)
            .map(|n| row(n).trim_matches('"').to_owned())
            .collect();
        assert_eq!(all, want);
        // One that is too long goes alone.
        let long = format!("\"{}\"", "x".repeat(MAX_TEXT));
        assert_eq!(
            json_rows([long.clone(), "1".into()].into_iter()),
            [format!("[{long}]"), "[1]".into()]
        );
    }
}
