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
    /// Nobody calls it: it runs by itself.
    Background,
    /// It keeps the service going: health checks, settings, preflights, and what is no path of ours.
    /// It has its line in the log and makes no event.
    System,
}

/// What runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// A run of the cron.
    Cron,
    /// A message of the queue, appended to a site's archives and confirmed.
    Consume,
    /// An archive's folds of a run, taken by D1.
    Fold,
    /// A step of an import.
    ImportStep,
    /// The end of an import.
    ImportEnd,
}

impl Background {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Cron,
        Self::Consume,
        Self::Fold,
        Self::ImportStep,
        Self::ImportEnd,
    ];

    /// What it is named.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::Consume => "consume",
            Self::Fold => "fold",
            Self::ImportStep => "import_step",
            Self::ImportEnd => "import_end",
        }
    }

    /// Whether an action is one of these.
    pub fn is(action: &str) -> bool {
        Self::ALL.iter().any(|each| each.action() == action)
    }
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

impl Route {
    /// The route of what runs by itself.
    pub const fn background(what: Background) -> Self {
        Self {
            kind: Kind::Background,
            action: what.action(),
            pattern: "",
        }
    }
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
