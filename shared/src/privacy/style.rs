//! How a string is looked at, by the key it stands under.

use super::KeyKind;

/// How a string is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// It stands under a key that holds URLs or paths, so it is one even where it is relative.
    pub(crate) is_url: bool,
    /// It stands under a key that holds paths.
    pub(crate) is_path: bool,
    /// It has lines: their breaks and tabulators stay.
    pub(crate) has_lines: bool,
    /// Fragments of URLs are kept, cleaned.
    pub(crate) hash_routing: bool,
}

impl Style {
    /// Of what stands under a key of this kind.
    #[inline]
    pub(crate) fn of(kind: KeyKind, hash_routing: bool) -> Self {
        Self {
            is_url: matches!(kind, KeyKind::Url | KeyKind::Path),
            is_path: kind == KeyKind::Path,
            has_lines: kind == KeyKind::Lines,
            hash_routing,
        }
    }
}
