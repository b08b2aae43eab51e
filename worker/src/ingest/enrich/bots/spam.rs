//! Sites that send false visits to have their address read in other people's reports.

use std::sync::LazyLock;

/// The hosts, in order, one a line, in lowercase and without `www.`.
static SPAMMERS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("spammers.txt").lines().collect());

/// log2 of the bits in [`SEEN`]: 65,536 of them (8 KiB), of which 4 % are set by the 2,400 hosts
/// there are.
const HASH_BITS: u32 = 16;

/// Which hashes of hosts occur, so that nearly every host is told by one look at its bytes.
static SEEN: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut seen = vec![0; 1 << (HASH_BITS - 6)];
    for host in SPAMMERS.iter() {
        let (word, bit) = place(host.bytes().rev().fold(0, hashed));
        if let Some(word) = seen.get_mut(word) {
            *word |= bit;
        }
    }
    seen
});

/// A hash with one more byte, from the end of a host on. FNV-1a's factor.
fn hashed(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

/// Where a hash's bit stands. The factor is 2^32 over the golden ratio (Knuth).
fn place(hash: u32) -> (usize, u64) {
    let hash = hash.wrapping_mul(0x9E37_79B1) >> (u32::BITS - HASH_BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}

/// Whether a host or one above it has a hash that occurs.
fn may_be_known(host: &str) -> bool {
    let words: &[u64] = &SEEN;
    let seen = |hash| {
        let (word, bit) = place(hash);
        words.get(word).is_some_and(|word| word & bit != 0)
    };
    let mut hash = 0;
    for byte in host.bytes().rev() {
        if byte == b'.' && seen(hash) {
            return true;
        }
        hash = hashed(hash, byte.to_ascii_lowercase());
    }
    seen(hash)
}

/// Whether a referrer's host, or one above it, is a known spammer's. Case and the root's dot do
/// not count. It takes a host: without scheme, port or path.
///
/// ```
/// # use shoreline_worker::ingest::enrich::bots::is_spam_referrer;
/// assert!(is_spam_referrer("forum.Semalt.com"));
/// assert!(!is_spam_referrer("notsemalt.com"));
/// ```
pub fn is_spam_referrer(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if !may_be_known(host) {
        return false;
    }
    let host = host.to_ascii_lowercase();
    let mut name = host.as_str();
    loop {
        if SPAMMERS.binary_search(&name).is_ok() {
            return true;
        }
        match name.split_once('.') {
            Some((_, above)) => name = above,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(SPAMMERS.len() > 2_000);
        assert!(SPAMMERS.is_sorted());
    }

    #[test]
    fn a_host_stands_for_all_below_it() {
        for host in [
            "semalt.com",
            "semalt.com.",
            "www.semalt.com",
            "a.b.SEMALT.com",
        ] {
            assert!(is_spam_referrer(host), "{host}");
        }
    }

    #[test]
    fn others_are_no_spammers() {
        let others = [
            "",
            ".",
            "..",
            "com",
            "semalt",
            "notsemalt.com",
            "semalt.com.example",
            "google.com",
            "semalt.com:80",
            "https://semalt.com/",
        ];
        for host in others {
            assert!(!is_spam_referrer(host), "{host}");
        }
    }

    #[test]
    fn no_line_could_block_a_whole_domain_ending() {
        assert!(SPAMMERS.len() > 200);
        for host in SPAMMERS.iter() {
            assert!(host.contains('.') && !host.starts_with('.'), "{host}");
            assert!(is_spam_referrer(host), "{host}");
        }
    }
}
