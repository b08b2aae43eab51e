//! Prometheus' text format, version 0.0.4, as a page that is written family by family.

use std::fmt::Write;

/// The media type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a family's samples are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// It never goes down, but to begin anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Buckets, a sum and a count.
    Histogram,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A page under way.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    family: &'static str,
}

impl Page {
    /// Begins a family; the samples that follow are its own.
    pub fn family(&mut self, name: &'static str, of: Type, help: &str) -> &mut Self {
        self.family = name;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing into a string does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}");
        let _ = writeln!(self.text, "# TYPE {name} {}", of.name());
        self
    }

    /// A sample of the family.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) -> &mut Self {
        self.suffixed("", labels, value)
    }

    /// A sample of a part of the family: `_bucket`, `_sum` or `_count`.
    pub fn suffixed(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        value: impl Into<Value>,
    ) -> &mut Self {
        self.text.push_str(self.family);
        self.text.push_str(suffix);
        for (index, (name, value)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{name}=\"{}\"", escaped(value));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {}", value.into().0);
        self
    }

    /// The page.
    pub fn finish(self) -> String {
        self.text
    }
}

/// A sample's value as it is written.
#[derive(Debug)]
pub struct Value(String);

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self(u8::from(value).to_string())
    }
}

impl Value {
    /// Milliseconds in seconds, to the letter.
    pub fn seconds(ms: i64) -> Self {
        let (whole, rest) = (ms.div_euclid(1_000), ms.rem_euclid(1_000));
        let text = format!("{whole}.{rest:03}");
        Self(text.trim_end_matches('0').trim_end_matches('.').to_owned())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use openmetrics_parser::prometheus::parse_prometheus;
    use proptest::prelude::*;

    #[test]
    fn a_page_is_to_the_letter() {
        let mut page = Page::default();
        page.family("a_total", Type::Counter, "Back\\slash and\nline.")
            .sample(&[], 5_i64)
            .sample(&[("x", "q\"u\\o\nte"), ("y", "")], 7_i64);
        page.family("up", Type::Gauge, "Whether.").sample(&[], true);
        assert_eq!(
            page.finish(),
            "# HELP a_total Back\\\\slash and\\nline.\n# TYPE a_total counter\na_total 5\n\
             a_total{x=\"q\\\"u\\\\o\\nte\",y=\"\"} 7\n# HELP up Whether.\n# TYPE up gauge\nup 1\n"
        );
    }

    #[test]
    fn seconds_are_exact() {
        for (ms, text) in [
            (0, "0"),
            (1, "0.001"),
            (500, "0.5"),
            (10_000, "10"),
            (12_340, "12.34"),
            (i64::MAX, "9223372036854775.807"),
        ] {
            assert_eq!(Value::seconds(ms).text(), text);
        }
    }

    /// What the format's description says a reader does.
    fn unescaped(text: &str) -> String {
        let (mut out, mut chars) = (String::new(), text.chars());
        while let Some(char) = chars.next() {
            out.push(match char {
                '\\' => match chars.next().unwrap() {
                    'n' => '\n',
                    other => other,
                },
                other => other,
            });
        }
        out
    }

    proptest! {
        #[test]
        fn whatever_is_in_a_label_another_reads_the_same(value in any::<String>(), n in 0_i64..1_000_000) {
            // Prometheus takes what is no line of its own for a break.
            prop_assume!(!value.contains(['\r']));
            let mut page = Page::default();
            page.family("a_total", Type::Counter, "Some.").sample(&[("x", &value)], n);
            let text = page.finish();
            prop_assert_eq!(text.lines().count(), 3, "{}", text);
            let read = parse_prometheus(&text).unwrap();
            let family = &read.families["a_total"];
            let samples: Vec<_> = family.iter_samples().collect();
            prop_assert_eq!(samples.len(), 1);
            let labels = samples[0].get_labelset().unwrap();
            // This reader gives a label as it is written.
            let read = labels.get_label_value("x").unwrap();
            prop_assert_eq!(unescaped(read), value);
        }
    }
}
