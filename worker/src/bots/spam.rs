//! Sites that send false visits to have their address read in other people's reports.

use std::sync::LazyLock;

/// The hosts, in order, one a line, in lowercase and without `www.`.
static SPAMMERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut hosts: Vec<_> = include_str!("spammers.txt").lines().collect();
    hosts.sort_unstable();
    hosts
});

/// Whether a referrer's host, or one above it, is a known spammer's. Case and the root's dot do
/// not count. It takes a host: without scheme, port or path.
///
/// ```
/// # use shoreline_worker::bots::is_spam_referrer;
/// assert!(is_spam_referrer("forum.Semalt.com"));
/// assert!(!is_spam_referrer("notsemalt.com"));
/// ```
pub fn is_spam_referrer(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
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
