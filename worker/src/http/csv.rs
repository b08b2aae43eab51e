//! Tables as CSV (RFC 4180), safe to open in a spreadsheet.

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A number, written as it is.
    Number(String),
    /// A text; one that a spreadsheet would take for a formula gets an apostrophe before it.
    Text(String),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Number(value.to_string())
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value.to_string())
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// Writes a table. Where the names of columns are not known before, they are the first row, and `header` is empty.
pub fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let mut out = header.join(",");
    if !header.is_empty() {
        out.push_str("\r\n");
    }
    for row in rows {
        for (index, cell) in row.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            match cell {
                Cell::Number(number) => out.push_str(number),
                Cell::Text(text) => push_text(&mut out, text),
            }
        }
        out.push_str("\r\n");
    }
    out
}

fn push_text(out: &mut String, text: &str) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if !formula && !text.contains(['"', ',', '\r', '\n', ';']) {
        out.push_str(text);
        return;
    }
    out.push('"');
    if formula {
        out.push('\'');
    }
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_a_formula_or_another_cell() {
        let rows = [
            "a",
            "=1+1",
            "-2",
            "+x",
            "@cmd",
            "a,b",
            "a;b",
            "say \"hi\"",
            "a\nb",
            "\t=1",
            "＝1",
            "",
        ]
        .map(|text| vec![text.into(), 1_i64.into()]);
        assert_eq!(
            csv(&["key", "n"], rows),
            "key,n\r\na,1\r\n\"'=1+1\",1\r\n\"'-2\",1\r\n\"'+x\",1\r\n\"'@cmd\",1\r\n\"a,b\",1\r\n\"a;b\",1\r\n\
             \"say \"\"hi\"\"\",1\r\n\"a\nb\",1\r\n\"'\t=1\",1\r\n\"'＝1\",1\r\n,1\r\n"
        );
        assert_eq!(csv(&["n"], [vec![0.5.into()]]), "n\r\n0.5\r\n");
    }
}
