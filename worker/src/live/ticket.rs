//! Tickets: what opens one stream, once.
//!
//! A browser's WebSocket can send no `Authorization`, and a read token in a URL would be in every log on
//! the way. A ticket in it is worth nothing there: it is used up when the stream opens, or a minute old.

use crate::access::auth::{parts, secret_text};
use crate::admin::SECRET_CHARS;
use crate::base::hash::sha256_hex;

/// How long a ticket is good: enough for a slow connection, and little for who finds it in a log.
pub const TICKET_MS: i64 = 60_000;

/// A ticket's first part, as a key has one.
const PREFIX: &str = "slt";

/// A ticket of a site, `slt_<site>_<secret>`, its secret from `random` bytes.
pub fn new_ticket(site: &str, random: &[u8; SECRET_CHARS]) -> String {
    format!("{PREFIX}_{site}_{}", secret_text(random))
}

/// A ticket that somebody presents, good or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The site whose object knows whether it is.
    pub site: String,
    /// The hash it is known by.
    pub hash: String,
}

impl Presented {
    /// Reads it; none for what has not the form of a ticket.
    pub fn read(ticket: &str) -> Option<Self> {
        let (prefix, site) = parts(ticket)?;
        (prefix == PREFIX).then(|| Self {
            site: site.to_owned(),
            hash: sha256_hex(ticket.as_bytes()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::auth::lookup_hash;

    #[test]
    fn a_ticket_names_its_site_and_is_no_key() {
        let ticket = new_ticket("my-shop", &[7; SECRET_CHARS]);
        let presented = Presented::read(&ticket).unwrap();
        assert_eq!(presented.site, "my-shop");
        assert_eq!(presented.hash, sha256_hex(ticket.as_bytes()));
        assert_eq!(lookup_hash(&ticket), None);
        for bad in [
            "",
            "slt",
            "slt_my-shop_short",
            "slr_my-shop_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "slt_My-Shop_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "slt__aaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(Presented::read(bad), None, "{bad}");
        }
        assert_eq!(
            Presented::read(&format!("{ticket}{}", "a".repeat(200))),
            None
        );
    }
}
