//! Tickets: what opens one stream, once.
//!
//! A browser's WebSocket can send no `Authorization`, and a read token in a URL would be in every log on
//! the way. A ticket in it is worth nothing there: it is used up when the stream opens, or a minute old.
//!
//! A ticket ends in a seal, which only the deployment's `HASH_KEY` makes. So a made-up one is refused before any object
//! is asked: else whoever names sites at random would start an object for each.

use shoreline_shared::privacy::ticket_seal;

use crate::access::auth::{parts, same_hash, secret_text};
use crate::admin::SECRET_CHARS;
use crate::base::hash::sha256_hex;

/// How long a ticket is good: enough for a slow connection, and little for who finds it in a log.
pub const TICKET_MS: i64 = 60_000;

/// A ticket's first part, as a key has one.
const PREFIX: &str = "slt";

/// A ticket of a site, `slt_<site>_<secret><seal>`, its secret from `random` bytes.
pub fn new_ticket(site: &str, random: &[u8; SECRET_CHARS], hash_key: &[u8]) -> String {
    let secret = secret_text(random);
    let seal = ticket_seal(hash_key, site, &secret);
    format!("{PREFIX}_{site}_{secret}{seal}")
}

/// A ticket that somebody presents, and that was made here: used or not, in time or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The site whose object knows whether it is good.
    pub site: String,
    /// The hash it is known by.
    pub hash: String,
}

impl Presented {
    /// Reads it; none for what has not the form of a ticket, or another seal.
    pub fn read(ticket: &str, hash_key: &[u8]) -> Option<Self> {
        let (prefix, site) = parts(ticket)?;
        let (_, last) = ticket.rsplit_once('_')?;
        let (secret, seal) = last.split_at_checked(SECRET_CHARS)?;
        let is_ours = prefix == PREFIX && same_hash(seal, &ticket_seal(hash_key, site, secret));
        is_ours.then(|| Self {
            site: site.to_owned(),
            hash: sha256_hex(ticket.as_bytes()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::auth::lookup_hash;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn a_ticket_names_its_site_and_is_no_key() {
        let ticket = new_ticket("my-shop", &[7; SECRET_CHARS], KEY);
        let presented = Presented::read(&ticket, KEY).unwrap();
        assert_eq!(presented.site, "my-shop");
        assert_eq!(presented.hash, sha256_hex(ticket.as_bytes()));
        assert_eq!(lookup_hash(&ticket), None);
        let longest = new_ticket(&"s".repeat(40), &[7; SECRET_CHARS], KEY);
        assert!(Presented::read(&longest, KEY).is_some());
    }

    #[test]
    fn a_made_up_ticket_is_none_whatever_site_it_names() {
        let ticket = new_ticket("my-shop", &[7; SECRET_CHARS], KEY);
        let unsealed = &ticket[..ticket.len() - 32];
        for bad in [
            "",
            "slt",
            "slt_my-shop_short",
            "slr_my-shop_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "slt_my-shop_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "slt_My-Shop_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "slt__aaaaaaaaaaaaaaaaaaaaaaaaaa",
            unsealed,
            &format!("{unsealed}{}", "0".repeat(32)),
            &ticket[..ticket.len() - 1],
            &format!("{ticket}0"),
            &format!("{ticket}{}", "a".repeat(200)),
            &ticket.replace("my-shop", "your-shop"),
            &ticket.replacen("slt", "slr", 1),
        ] {
            assert_eq!(Presented::read(bad, KEY), None, "{bad}");
        }
        assert_eq!(Presented::read(&ticket, b"another key"), None);
    }
}
