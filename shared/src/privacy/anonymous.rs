//! Keyed hashes that stand for people.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::ip::truncate_ip;

/// SHA-256 works on blocks of 64 bytes; HMAC pads a key to one.
const BLOCK_BYTES: usize = 64;

/// The id of a visitor who asked not to be followed (`Sec-GPC: 1`, `DNT: 1`): `anon-` and 32 hex
/// digits of HMAC-SHA256 over site, truncated address and user agent.
///
/// With a key that lasts a day, the id does too: a visit can be counted, and not be linked to
/// another day's, another site's or a person.
pub fn anonymous_id(key: &[u8; 32], site: &str, ip: &str, user_agent: &str) -> String {
    let network = truncate_ip(ip);
    let fields = ["anonymous", site, &network, user_agent];
    format!("anon-{}", hex(&keyed_hash(key, &fields), 16))
}

/// The id that stands for a user's own, where the page asks for that: `hashed-` and 32 hex digits of HMAC-SHA256
/// over site and id.
pub fn hashed_id(key: &[u8], site: &str, user_id: &str) -> String {
    format!(
        "hashed-{}",
        hex(&keyed_hash(key, &["identity", site, user_id]), 16)
    )
}

/// The hash that stands for a user in rollups, which hold no ids: 16 hex digits of HMAC-SHA256
/// over site and user id.
pub fn user_hash(key: &[u8], site: &str, user_id: &str) -> String {
    hex(&keyed_hash(key, &["user", site, user_id]), 8)
}

/// The hash that stands for a session in rollups, made like [`user_hash`] and never equal to one.
pub fn session_hash(key: &[u8], site: &str, session_id: &str) -> String {
    hex(&keyed_hash(key, &["session", site, session_id]), 8)
}

/// The seal of a ticket of a site, made like [`user_hash`], of 32 hex digits: nobody without the key makes one.
pub fn ticket_seal(key: &[u8], site: &str, secret: &str) -> String {
    hex(&keyed_hash(key, &["ticket", site, secret]), 16)
}

/// Whether an id is of the form that [`anonymous_id`] makes: good for a day, and so for counting
/// the visitors of a day alone.
pub fn is_anonymous_id(id: &str) -> bool {
    id.strip_prefix("anon-").is_some_and(|hash| {
        hash.len() == 32
            && hash
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// HMAC over fields, each behind its length, so that no two lists of fields are the same bytes.
fn keyed_hash(key: &[u8], fields: &[&str]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        fill(&mut block, &Sha256::digest(key));
    } else {
        fill(&mut block, key);
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    for field in fields {
        mac.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(field.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

fn fill(block: &mut [u8; BLOCK_BYTES], bytes: &[u8]) {
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = *from;
    }
}

fn hex(hash: &[u8; 32], bytes: usize) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    hash.iter()
        .take(bytes)
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    /// Made with another implementation; rollups that are already stored hold such hashes.
    #[test]
    fn hashes_stay_what_they_are() {
        let id = anonymous_id(&KEY, "demo", "203.0.113.77", "Mozilla/5.0");
        assert_eq!(id, "anon-6f5282f465a44b1a29b3561f6137c768");
        assert_eq!(user_hash(b"kkkkk", "demo", "user-123"), "1f558189aaa8222e");
        assert_eq!(
            user_hash(&[b'k'; 100], "demo", "user-123"),
            "78c1e4bee618b0fd"
        );
    }

    #[test]
    fn an_anonymous_id_is_of_site_network_agent_and_key() {
        let id = anonymous_id(&KEY, "demo", "203.0.113.77", "Mozilla/5.0");
        assert_eq!(id, anonymous_id(&KEY, "demo", "203.0.113.1", "Mozilla/5.0"));
        for other in [
            anonymous_id(&[8; 32], "demo", "203.0.113.77", "Mozilla/5.0"),
            anonymous_id(&KEY, "dem", "203.0.113.77", "oMozilla/5.0"),
            anonymous_id(&KEY, "demo", "203.0.114.77", "Mozilla/5.0"),
            anonymous_id(&KEY, "demo", "203.0.113.77", "Mozilla/5.1"),
            anonymous_id(&KEY, "demo", "", ""),
        ] {
            assert_ne!(id, other);
            assert_eq!(other.len(), 37);
        }
    }

    #[test]
    fn a_hashed_id_is_of_site_user_and_key() {
        let id = hashed_id(&KEY, "demo", "alice@example.com");
        assert_eq!((id.len(), &id[..7]), (39, "hashed-"));
        assert_eq!(id, hashed_id(&KEY, "demo", "alice@example.com"));
        for other in [
            hashed_id(&KEY, "shop", "alice@example.com"),
            hashed_id(&KEY, "demo", "bob@example.com"),
            hashed_id(&[8; 32], "demo", "alice@example.com"),
            format!("hashed-{}", user_hash(&KEY, "demo", "alice@example.com")),
        ] {
            assert_ne!(id, other);
        }
        assert!(!is_anonymous_id(&id));
    }

    #[test]
    fn anonymous_ids_are_told_by_their_form() {
        let id = anonymous_id(&KEY, "demo", "203.0.113.77", "Mozilla/5.0");
        assert!(is_anonymous_id(&id));
        for other in [
            "",
            "anon-",
            "anon-1",
            "user-123",
            &id[1..],
            &id.to_uppercase(),
        ] {
            assert!(!is_anonymous_id(other), "{other}");
        }
    }

    #[test]
    fn a_session_hash_is_no_user_hash() {
        let hash = session_hash(b"key", "a", "b");
        assert_eq!(hash.len(), 16);
        assert_ne!(hash, user_hash(b"key", "a", "b"));
        assert_ne!(hash, session_hash(b"key", "a", "c"));
    }

    #[test]
    fn a_user_hash_is_of_site_user_and_key() {
        let hash = user_hash(b"key", "a", "bc");
        assert_eq!(hash.len(), 16);
        for other in [
            user_hash(b"kez", "a", "bc"),
            user_hash(b"key", "ab", "c"),
            user_hash(b"key", "a", "bd"),
            user_hash(b"", "a", "bc"),
        ] {
            assert_ne!(hash, other);
        }
    }
}
