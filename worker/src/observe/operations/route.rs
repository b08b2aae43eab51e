//! Which call a request makes, by its path's pattern: names of a fixed list, never what was sent.

/// What kind of call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It brings events.
    Ingest,
    /// It asks about events.
    Query,
    /// It makes, fills or asks for an import.
    Import,
    /// It is for the holder of the admin token.
    Admin,
    /// It keeps the service going: health checks, settings, preflights, and what is no path of ours.
    /// It has its line in the log and makes no event.
    System,
}

/// A path as a pattern, and what a call of it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub action: &'static str,
    /// The path, with `{…}` where it varies.
    pub pattern: &'static str,
}

/// The method's name; one that HTTP does not know is a stranger's text too.
pub fn method_name(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| *known == method);
    known.unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_http_does_not_know_is_not_repeated() {
        assert_eq!(method_name("PUT"), "PUT");
        assert_eq!(method_name("ann@example.com"), "OTHER");
    }
}
