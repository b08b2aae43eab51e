//! IP addresses, cut down to networks that many share.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::REDACTED;
use crate::limits::MAX_LISTED_IPS;

/// An address without its end: of IPv4 the first 24 bits (`192.168.1.0`), of IPv6 the first 48
/// (`2001:db8:1::`). A port or zone goes; IPv4 in an IPv6 coat is treated as IPv4. What is no
/// address becomes `[redacted]`.
pub fn truncate_ip(text: &str) -> String {
    let text = text.trim();
    let Some(address) = parse(text) else {
        return REDACTED.to_owned();
    };
    network(address).to_string()
}

/// The same for what stands under a key that holds addresses, which may be a list of them
/// (`X-Forwarded-For`). An empty text stays empty.
pub(crate) fn truncate_ips(text: &str) -> String {
    let text: Cow<'_, str> = if text.contains(char::is_control) {
        text.chars()
            .filter(|c| !c.is_control())
            .collect::<String>()
            .into()
    } else {
        text.into()
    };
    let networks: Vec<String> = text
        .split(',')
        .filter(|item| !item.trim().is_empty())
        .take(MAX_LISTED_IPS)
        .map(truncate_ip)
        .collect();
    networks.join(", ")
}

/// Reads `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`, and any of the
/// latter three with a zone (`%eth0`).
fn parse(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let inner = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, port) = rest.split_once(']')?;
            let is_port = |port: &str| port.parse::<u16>().is_ok();
            if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
                return None;
            }
            inner
        }
        None => text,
    };
    let address = inner.split_once('%').map_or(inner, |(address, _)| address);
    address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(address) => {
            let [a, b, mut c, ..] = address.segments();
            if a == 0x2002 {
                // 6to4: the 32 bits after the prefix are an IPv4 address.
                c &= 0xff00;
            }
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests;
