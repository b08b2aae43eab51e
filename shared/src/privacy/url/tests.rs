use super::*;
use crate::privacy::KeyKind;

fn clean_url(url: &str, hash_routing: bool) -> String {
    super::clean_url(url, Style::of(KeyKind::Url, hash_routing))
}

#[track_caller]
fn check(url: &str, expected: &str) {
    let clean = clean_url(url, false);
    let clean = redact(&clean).unwrap_or(clean);
    assert_eq!(clean, expected, "{url}");
    assert_eq!(clean_url(&clean, false), clean, "again: {url}");
}

#[track_caller]
fn check_routed(url: &str, expected: &str) {
    let clean = clean_url(url, true);
    let clean = redact(&clean).unwrap_or(clean);
    assert_eq!(clean, expected, "{url}");
    assert_eq!(clean_url(&clean, true), clean, "again: {url}");
}

#[test]
fn only_allowed_parameters_stay() {
    check("https://x.com/a?b=1&c=2", "https://x.com/a");
    check(
        "https://x.com/a?utm_source=news&b=1&utm_medium=mail",
        "https://x.com/a?utm_source=news&utm_medium=mail",
    );
    check("https://x.com?ref=hn&token=abc", "https://x.com?ref=hn");
    check("/a?UTM_Source=x&Ref=y", "/a?UTM_Source=x&Ref=y");
    check(
        "https://x.com/?gclid=abc&fbclid=def&q=1&yclid",
        "https://x.com/?gclid=true&fbclid=true&yclid=true",
    );
    for id in CLICK_IDS {
        check(&format!("/?{id}=secret-1"), &format!("/?{id}=true"));
    }
    check("/a?", "/a");
    check("/a?&&", "/a");
    check(
        "/a?utm_=&utm_a.b=1&xutm_source=1&reference=1&utm%5Fsource=1",
        "/a?utm_=",
    );
    check("/a?ref", "/a?ref");
    check("/a?utm_source=n?token=abc", "/a?utm_source=n");
    check("/a?utm_source=n;token=abc", "/a?utm_source=n");
}

#[test]
fn kept_values_hide_nothing_private() {
    check("/a?ref=bob@x.com", "/a?ref=[redacted]");
    check(
        "/a?ref=bob%40x.com&utm_term=b",
        "/a?ref=[redacted]&utm_term=b",
    );
    check(
        "/a?utm_content=4111+1111%201111-1111",
        "/a?utm_content=[redacted]",
    );
    check("/a?utm_content=Bearer+abc", "/a?utm_content=[redacted]");
    check(
        "/a?ref=https%3A%2F%2Fy.com%2F%3Ftoken%3Dabc",
        "/a?ref=[redacted]",
    );
    check(
        "/a?ref=https%3A%2F%2Fy.com%2Fa",
        "/a?ref=https%3A%2F%2Fy.com%2Fa",
    );
    check("/a?ref=https://y.com/a?token=1", "/a?ref=https://y.com/a");
    check("/a?ref=https://bob:pw@y/a", "/a?ref=[redacted]");
    check("/a?utm_source=caf%C3%A9+x", "/a?utm_source=caf%C3%A9+x");
}

#[test]
fn fragments_and_user_information_go() {
    check("https://x.com/a#b", "https://x.com/a");
    check(
        "https://x.com/a?ref=1#access_token=abc",
        "https://x.com/a?ref=1",
    );
    check("https://bob:pw@x.com:8080/a", "https://x.com:8080/a");
    check("HTTPS://bob@x.com", "HTTPS://x.com");
    check("//bob:pw@x.com/a", "//x.com/a");
    check("ftp://bob:p@w@x.com/a", "ftp://x.com/a");
    check("https:///bob:pw@x.com/a", "https:///x.com/a");
    check("https://x.com/@bob/a", "https://x.com/@bob/a");
    check("#a", "");
}

#[test]
fn addresses_in_paths_are_redacted() {
    check(
        "https://x.com/u/bob@y.com/edit",
        "https://x.com/u/[redacted]/edit",
    );
    check(
        "https://x.com/u/bob%40y.com/edit",
        "https://x.com/u/[redacted]/edit",
    );
    check(
        "https://x.com/u/bob%2540y.com",
        "https://x.com/u/[redacted]",
    );
    check(
        "https://x.com/u/b%6Fb%40y%2Ecom",
        "https://x.com/u/[redacted]",
    );
    check("/pay/4111%201111%201111%201111/x", "/pay/[redacted]/x");
    check("/pay/4111-1111-1111-1111", "/pay/[redacted]");
    check("mailto:bob@y.com?subject=x", "mailto:[redacted]");
    check("/caf%C3%A9/100%", "/café/100%25");
    check(
        "https://x.com/%7Eme/a%2fb?utm_source=%61",
        "https://x.com/~me/a%2Fb?utm_source=%61",
    );
    check("/a b//c", "/a b//c");
}

#[test]
fn routes_stay_on_sites_that_have_them() {
    check_routed("https://x.com/a#/settings", "https://x.com/a#/settings");
    check_routed("https://x.com/#!/a/b", "https://x.com/#!/a/b");
    check_routed("/#/a?token=1&utm_source=n", "/#/a?utm_source=n");
    check_routed("/#access_token=abc&token_type=bearer", "/");
    check_routed("/#token=abc&utm_source=n", "/#utm_source=n");
    check_routed("/#/cb/access_token=abc/x", "/#/cb//x");
    check_routed("/#/cb&access_token=abc", "/#/cb");
    check_routed("/#access_token%3Dabc", "/");
    check_routed("/#/heroes;id=15;name=bob", "/#/heroes");
    check_routed("/#/u/bob%40y.com", "/#/u/[redacted]");
    check_routed("/#/a#token", "/#/a");
    check_routed("/#section-2", "/#section-2");
    check_routed("/#/%C3%BCber", "/#/über");
    check_routed("/#", "/");
    check_routed("/?b=1#/c", "/#/c");
}

#[test]
fn the_path_part_names_the_page() {
    for (url, part) in [
        ("https://x.com/a/b?utm_source=n", Some("/a/b")),
        ("https://x.com", Some("/")),
        ("https://x.com?ref=1", Some("/")),
        ("//x.com/a", Some("/a")),
        ("/a?b", Some("/a")),
        ("about", Some("about")),
        ("Home // News", Some("Home // News")),
        ("", None),
        ("?a", None),
        ("https://x.com//a", Some("//a")),
        ("https://x.com/app#/settings?ref=1", Some("/app#/settings")),
        ("https://x.com/app#!/a", Some("/app#!/a")),
        ("/app#section", Some("/app")),
    ] {
        assert_eq!(path_part("url", url).as_deref(), part, "{url}");
    }
}

#[test]
fn a_path_is_a_path() {
    for key in ["path", "page"] {
        for (path, part) in [
            ("//shopx/checkout", Some("//shopx/checkout")),
            ("//", Some("//")),
            ("https://x.com/a", Some("/a")),
            ("app://x/a?b", Some("/a")),
        ] {
            assert_eq!(path_part(key, path).as_deref(), part, "{path}");
        }
    }
    let clean = |path| super::clean_url(path, Style::of(KeyKind::Path, false));
    assert_eq!(clean("//me@shopx/checkout?a=b"), "//me@shopx/checkout");
    assert_eq!(clean("https://me@shop.example/a"), "https://shop.example/a");
}

#[test]
fn a_url_in_a_text_keeps_its_spelling() {
    let style = Style::of(KeyKind::Plain, false);
    assert_eq!(
        super::clean_url("https://x.com/%7Ea is 100% down", style),
        "https://x.com/%7Ea is 100% down"
    );
}

#[test]
fn urls_are_known_by_their_scheme() {
    assert!(is_absolute_url("http://") && is_absolute_url("HTTPS://x"));
    assert!(!is_absolute_url("httpx://") && !is_absolute_url("/a") && !is_absolute_url("https:/é"));
}
