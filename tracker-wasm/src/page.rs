//! What counts as a new view of a page.

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

/// Whether this is a view; `elsewhere` says whether the path (with hash routing: the fragment, too)
/// is another than before.
///
/// Only the path is looked at: with another query it is the same page, looked at otherwise.
pub fn is_view(how: Move, elsewhere: bool) -> bool {
    match how {
        Move::Shown => true,
        Move::Went => elsewhere,
        Move::Replaced => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Move::*, *};

    #[test]
    fn only_paths_that_were_gone_to_are_views() {
        for (how, elsewhere, view) in [
            (Shown, true, true),
            (Shown, false, true), // from the back/forward cache, or by the page's own word
            (Went, true, true),
            (Went, false, false), // another query
            (Replaced, true, false),
            (Replaced, false, false),
        ] {
            assert_eq!(is_view(how, elsewhere), view, "{how:?} {elsewhere}");
        }
    }
}
