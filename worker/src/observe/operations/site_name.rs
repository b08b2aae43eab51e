//! The id of a site, kept without memory of its own: a call has one, and most calls are counted and
//! forgotten.

use std::fmt;

/// Bytes of a site's id at most, as [`crate::access::auth::is_site_id`] has it.
const MAX_BYTES: usize = 40;

/// The id of a site.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SiteName {
    /// Zeros behind the name, so that equal names are equal bytes.
    bytes: [u8; MAX_BYTES],
    len: usize,
}

impl SiteName {
    /// A name; `None` for one that is too long for a site's id.
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; MAX_BYTES];
        let len = name.len();
        bytes.get_mut(..len)?.copy_from_slice(name.as_bytes());
        Some(Self { bytes, len })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        // They were a text when they came in.
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::auth::is_site_id;

    #[test]
    fn every_site_id_has_its_place_and_nothing_longer() {
        let longest = "a".repeat(MAX_BYTES);
        assert!(is_site_id(&longest) && !is_site_id(&format!("{longest}a")));
        for name in ["a", "shop-1", &longest] {
            assert_eq!(SiteName::new(name).unwrap().as_str(), name);
        }
        assert_eq!(SiteName::new(&format!("{longest}a")), None);
        assert_ne!(SiteName::new("a"), SiteName::new("a\0"));
    }
}
