//! Query parameters of the dashboard API: absent, good, or an error that names them.

use form_urlencoded::parse;

use crate::error::Fault;

/// Characters of a name that nobody knows that an answer repeats: more than any name has.
const MAX_NAME_CHARS: usize = 64;

/// The decoded parameters of a query.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes a query.
    pub fn parse(query: &str) -> Self {
        Self(parse(query.as_bytes()).into_owned().collect())
    }

    /// The first value of a parameter; empty counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Checks that the call knows every parameter, and that none comes twice.
    ///
    /// # Errors
    /// [`Fault::UnknownParameter`] with the first that it does not know.
    pub fn only(&self, known: &[&str]) -> Result<(), Fault> {
        for (place, (name, _)) in self.0.iter().enumerate() {
            let detail = if !known.contains(&name.as_str()) {
                "The call knows no parameter of this name."
            } else if self.0.iter().take(place).any(|(before, _)| before == name) {
                "A parameter comes once."
            } else {
                continue;
            };
            return Err(Fault::UnknownParameter {
                name: name.chars().take(MAX_NAME_CHARS).collect(),
                detail,
            });
        }
        Ok(())
    }

    /// A whole number within `range`, or `default` where it is absent.
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`] with `detail`, for anything else.
    pub fn number(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<i64>,
        default: i64,
        detail: &'static str,
    ) -> Result<i64, Fault> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| range.contains(number))
                .ok_or(Fault::InvalidParameter { name, detail }),
        }
    }

    /// `windowMinutes`: whole minutes, the running one included; at most a week, by default an hour
    /// (seed 003's default).
    ///
    /// # Errors
    /// [`Fault::InvalidParameter`].
    pub fn window_minutes(&self) -> Result<i64, Fault> {
        self.number(
            "windowMinutes",
            1..=10_080,
            60,
            "windowMinutes must be a whole number from 1 to 10080.",
        )
    }
}

/// A segment of a path, decoded.
pub fn segment(text: &str) -> String {
    // As the value of a form, but for the plus that is a space only there.
    let pair = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    parse(pair.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_decoded() {
        for (text, want) in [
            ("user-123", "user-123"),
            ("a%2Fb%20c", "a/b c"),
            ("a+b&c=d", "a+b&c=d"),
            ("%C3%BC", "\u{fc}"),
            ("", ""),
        ] {
            assert_eq!(segment(text), want);
        }
    }

    #[test]
    fn what_a_call_does_not_know_is_named() {
        let only = |query: &str| match Params::parse(query).only(&["limit", "cursor"]) {
            Err(Fault::UnknownParameter { name, .. }) => Some(name),
            other => {
                assert_eq!(other, Ok(()));
                None
            }
        };
        assert_eq!(only(""), None);
        assert_eq!(only("limit=1&cursor="), None);
        assert_eq!(only("limit=1&Limit=2"), Some("Limit".to_owned()));
        assert_eq!(only("cursor=a&limit=1&cursor=a"), Some("cursor".to_owned()));
        let long = "x".repeat(10_000);
        assert_eq!(only(&format!("{long}=1")), Some("x".repeat(64)));
    }

    #[test]
    fn a_bad_number_is_named() {
        let params = Params::parse("limit=50&empty=&bad=x&far=501&neg=-1&plus=%2B5");
        let number = |name| params.number(name, 1..=500, 7, "1 to 500");
        assert_eq!(number("limit"), Ok(50));
        assert_eq!(number("empty"), Ok(7));
        assert_eq!(number("absent"), Ok(7));
        assert_eq!(number("plus"), Ok(5));
        for name in ["bad", "far", "neg"] {
            assert_eq!(
                number(name),
                Err(Fault::InvalidParameter {
                    name,
                    detail: "1 to 500"
                })
            );
        }
    }
}
