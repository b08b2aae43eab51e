//! What counts as a new view of a page.

use alloc::string::String;

/// How the address of the page came to be what it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Move {
    /// The page was loaded, shown again from the back/forward cache, or says itself that this
    /// is a view.
    Shown,
    /// `history.pushState`, or the visitor went back or forward: a view if the path changed.
    Went,
    /// `history.replaceState`: never a view. Pages rewrite their own address as they go, to hold
    /// a filter or a scroll position, and a view each time would inflate the counts.
    Replaced,
}

/// Where the visitor is.
#[derive(Debug, Default)]
pub struct Page {
    path: String,
}

impl Page {
    /// Nowhere yet.
    pub const fn new() -> Self {
        Self {
            path: String::new(),
        }
    }

    /// Takes note of the present path; true if this is a view.
    ///
    /// Only the path is looked at: with another query or fragment it is the same page, looked at
    /// otherwise.
    pub fn moved(&mut self, how: Move, path: &str) -> bool {
        let is_view = match how {
            Move::Shown => true,
            Move::Went => path != self.path,
            Move::Replaced => false,
        };
        self.path = String::from(path);
        is_view
    }
}

#[cfg(test)]
mod tests {
    use super::{Move::*, *};

    #[test]
    fn only_paths_that_were_gone_to_are_views() {
        let mut page = Page::new();
        for (how, path, is_view) in [
            (Shown, "/", true),
            (Went, "/", false), // another query or fragment
            (Went, "/a", true),
            (Replaced, "/b", false),
            (Went, "/b", false), // where it was already, under another name
            (Went, "/a", true),
            (Went, "/A", true),
            (Shown, "/A", true), // from the back/forward cache, or by the page's own word
        ] {
            assert_eq!(page.moved(how, path), is_view, "{how:?} {path}");
        }
    }
}
