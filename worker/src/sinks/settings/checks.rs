//! What the settings of sinks may be, so that none of them can spoil a URL, a header or a JSON body.

use crate::sinks::sigv4::split_url;

/// 1 to `max` bytes of letters, digits and `others`.
fn is_name(text: &str, max: usize, others: &[u8]) -> bool {
    (1..=max).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

pub(super) fn is_region(text: &str) -> bool {
    is_name(text, 32, b"-")
}

/// S3: 3 to 63 of lower-case letters, digits, dots and hyphens.
pub(super) fn is_bucket(text: &str) -> bool {
    text.len() >= 3 && is_name(text, 63, b".-") && text.to_ascii_lowercase() == text
}

/// Of a key's 1,024 bytes ours takes about 120.
pub(super) fn is_prefix(text: &str) -> bool {
    text.is_empty()
        || is_name(text, 512, b"-_.=/")
            && text
                .strip_suffix('/')
                .is_some_and(|path| path.split('/').all(|part| !matches!(part, "" | "." | "..")))
}

/// Firehose: 1 to 64.
pub(super) fn is_stream(text: &str) -> bool {
    is_name(text, 64, b"-_.")
}

/// EventBridge: a name of 1 to 256, or an ARN.
pub(super) fn is_bus(text: &str) -> bool {
    is_name(text, 1600, b"-_./:")
}

pub(super) fn is_source_prefix(text: &str) -> bool {
    is_name(text, 64, b"-_.") && text != "aws" && !text.starts_with("aws.")
}

pub(super) fn is_key_id(text: &str) -> bool {
    is_name(text, 128, b"-_.+=")
}

/// What a header and a signature can hold: visible ASCII.
pub(super) fn is_token(text: &str) -> bool {
    (1..=4096).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `https://host[:port]`; without TLS only on this machine, where tests and local servers are.
pub(super) fn is_endpoint(url: &str) -> bool {
    let (host, path, query) = split_url(url);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let secure = url.starts_with("https://") || (url.starts_with("http://") && local);
    secure && path == "/" && query.is_empty() && is_name(host, 253, b".-:[]")
}

pub(super) fn is_queue_url(url: &str) -> bool {
    let (_, path, query) = split_url(url);
    url.strip_suffix(path).is_some_and(is_endpoint)
        && query.is_empty()
        && path.len() > 1
        && is_name(path, 256, b"-_./")
}
