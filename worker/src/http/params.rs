//! Query parameters of the dashboard API: absent, good, or an error that names them.

use form_urlencoded::parse;

use crate::http::error::Fault;

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

    /// With this value of a parameter that is not told.
    #[must_use]
    pub fn or(mut self, name: &str, value: String) -> Self {
        if self.get(name).is_none() {
            self.0.retain(|(known, _)| known != name);
            self.0.push((name.to_owned(), value));
        }
        self
    }

    /// With this value of a parameter, whatever was told.
    #[must_use]
    pub fn with(mut self, name: &str, value: String) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value));
        self
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

    /// `windowMinutes`: whole minutes, the running one included; at most a week, by default an hour,
    /// as in the Kafka and PostgreSQL service whose emissions Shoreline takes.
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
    fn what_is_not_told_has_a_value_of_the_deployments() {
        let or = |query: &str| Params::parse(query).or("windowMinutes", "90".into());
        assert_eq!(or("").window_minutes(), Ok(90));
        assert_eq!(or("windowMinutes=").window_minutes(), Ok(90));
        assert_eq!(or("windowMinutes=5").window_minutes(), Ok(5));
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
