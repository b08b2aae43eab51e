use proptest::prelude::*;

use super::*;

#[test]
fn addresses_are_cut_to_their_network() {
    for (address, network) in [
        ("192.168.1.1", "192.168.1.0"),
        ("203.0.113.255", "203.0.113.0"),
        ("0.0.0.0", "0.0.0.0"),
        (" 10.1.2.3 ", "10.1.2.0"),
        ("10.1.2.3:8080", "10.1.2.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("2001:DB8:1::5", "2001:db8:1::"),
        ("[2001:db8:1::5]:443", "2001:db8:1::"),
        ("[2001:db8:1::5]", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("[fe80::1%eth0]:80", "fe80::"),
        ("::1", "::"),
        ("::ffff:192.168.1.77", "192.168.1.0"),
        ("[::ffff:192.168.1.77]:1", "192.168.1.0"),
        // 6to4 carries an IPv4 address in front.
        ("2002:c0a8:0177::1", "2002:c0a8:100::"),
    ] {
        assert_eq!(truncate_ip(address), network, "{address}");
    }
    for junk in [
        "",
        "unknown",
        "1.2.3",
        "1.2.3.256",
        "1.2.3.4.5",
        "1.2.3.4:99999",
        "[::1",
        "[::1]x",
        "[::1]:",
        "1.2.3.4%eth0",
        "[1.2.3.4]",
        ":::",
        "localhost",
        "[redacted]",
    ] {
        assert_eq!(truncate_ip(junk), REDACTED, "{junk}");
    }
}

#[test]
fn lists_of_addresses_are_cut_one_by_one() {
    assert_eq!(
        truncate_ips("1.2.3.4, 2001:db8::1,junk"),
        "1.2.3.0, 2001:db8::, [redacted]"
    );
    assert_eq!(truncate_ips("1.2.3.4\u{0},,"), "1.2.3.0");
    assert_eq!(truncate_ips(""), "");
    assert_eq!(
        truncate_ips(&"1.2.3.4,".repeat(100))
            .matches("1.2.3.0")
            .count(),
        MAX_LISTED_IPS
    );
}

proptest! {
    #[test]
    fn a_network_is_its_own_network(v4: [u8; 4], v6: [u16; 8], port: u16) {
        for address in [IpAddr::from(v4), IpAddr::from(v6)] {
            let network = truncate_ip(&address.to_string());
            prop_assert_eq!(truncate_ip(&network), network.clone());
            prop_assert_eq!(truncate_ip(&SocketAddr::new(address, port).to_string()), network.clone());
            prop_assert!(network.parse::<IpAddr>().is_ok());
        }
    }

    #[test]
    fn neighbours_cannot_be_told_apart(v4: [u8; 4], last: u8, v6: [u16; 8], rest: [u16; 5]) {
        let [a, b, c, _] = v4;
        let neighbour = IpAddr::from([a, b, c, last]);
        prop_assert_eq!(truncate_ip(&IpAddr::from(v4).to_string()), truncate_ip(&neighbour.to_string()));
        let ([a, b, c, ..], [d, e, f, g, h]) = (v6, rest);
        prop_assume!((a, b, c) != (0, 0, 0)); // Where IPv4 hides.
        let neighbour = IpAddr::from([a, b, c, d, e, f, g, h]);
        prop_assert_eq!(truncate_ip(&IpAddr::from(v6).to_string()), truncate_ip(&neighbour.to_string()));
    }

    #[test]
    fn no_text_breaks_it(text: String) {
        let once = truncate_ips(&text);
        prop_assert_eq!(truncate_ips(&once), once);
    }
}
