use proptest::prelude::*;

use super::*;

/// A request as the platform has it.
#[derive(Debug, Clone, Default)]
struct Raw {
    url: String,
    cf: Option<(String, String, u32, bool)>,
    /// Lowercase names, each once: the platform joins what was sent twice.
    headers: Vec<(String, String)>,
}

impl Raw {
    fn get(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// What `shell/http/entry.js` writes.
    fn text(&self) -> String {
        let (country, region, score, verified) = self.cf.clone().unwrap_or_default();
        let bot = if self.cf.is_some() {
            format!("{score},{verified}")
        } else {
            ",".to_owned()
        };
        let further: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| self.get("ce-specversion").is_some() && name.starts_with("ce-"))
            .map(|(name, value)| format!("\n{name}={value}"))
            .collect();
        let headers = HEADERS.map(|name| {
            self.get(name)
                .map_or("\n".to_owned(), |value| format!("\n={value}"))
        });
        let before = format!(
            "POST\n{}\n{country}\n{region}\n{bot}\n{}",
            self.url,
            further.len()
        );
        before + &headers.concat() + &further.concat()
    }

    /// The facts by single reads.
    fn facts(&self) -> RequestFacts {
        let owned = |name| self.get(name).map(str::to_owned);
        let cf = self.cf.as_ref();
        let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
        let binary = self.get("ce-specversion").is_some();
        RequestFacts {
            query: self
                .url
                .split_once('?')
                .map(|(_, query)| query.to_owned())
                .unwrap_or_default(),
            origin: owned("origin"),
            authorization: owned("authorization"),
            link_password: None,
            content_type: owned("content-type"),
            content_encoding: owned("content-encoding"),
            content_length: owned("content-length").and_then(|length| length.parse().ok()),
            idempotency_key: owned("idempotency-key"),
            cloud_event: CloudEventHeaders::new(
                self.headers
                    .iter()
                    .filter_map(|(name, value)| binary.then_some((name.as_str(), value.as_str()))),
            ),
            user_agent: owned("user-agent"),
            ip: owned("cf-connecting-ip"),
            opted_out: self.get("sec-gpc") == Some("1") || self.get("dnt") == Some("1"),
            known_bot: cf.is_some_and(|(_, _, score, verified)| *verified || *score <= 1),
            country: cf.and_then(|(country, ..)| filled(country)),
            region: cf.and_then(|(_, region, ..)| filled(region)),
        }
    }
}

fn with(headers: &[(&str, &str)]) -> Raw {
    Raw {
        url: "https://shoreline.example/v1/events?key=k&a=b".to_owned(),
        cf: Some(("NL".to_owned(), "Utrecht".to_owned(), 30, false)),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

#[test]
fn a_head_is_read() {
    let raw = with(&[
        ("origin", "https://shop.example"),
        ("dnt", "1"),
        ("content-length", "12"),
        ("traceparent", "00-x"),
        ("user-agent", ""),
    ]);
    let text = raw.text();
    let head = Head::parse(&text).unwrap();
    assert_eq!((head.method, head.path()), ("POST", "/v1/events"));
    assert_eq!(head.header("traceparent"), Some("00-x"));
    assert_eq!(
        (head.header("cookie"), head.header("sec-gpc")),
        (None, None)
    );
    let facts = head.facts();
    assert_eq!(facts, raw.facts());
    assert_eq!(facts.query, "key=k&a=b");
    assert_eq!((facts.content_length, facts.opted_out), (Some(12), true));
    // There and empty is not the same as not there.
    assert_eq!(
        (facts.user_agent.as_deref(), facts.authorization),
        (Some(""), None)
    );
    assert_eq!(facts.country.as_deref(), Some("NL"));
}

#[test]
fn a_url_has_a_path_and_a_query() {
    for (url, path, query) in [
        ("https://a.example/", "/", ""),
        ("https://a.example", "/", ""),
        ("https://a.example/a/b?c=/d?e", "/a/b", "c=/d?e"),
        ("http://127.0.0.1:8787/v1/events?", "/v1/events", ""),
        ("https://a.example/a#b?c", "/a", "c"),
    ] {
        let mut raw = with(&[]);
        raw.url = url.to_owned();
        let text = raw.text();
        let head = Head::parse(&text).unwrap();
        assert_eq!((head.path(), head.query()), (path, query), "{url}");
    }
}

#[test]
fn the_platforms_word_on_bots_is_heeded() {
    for (bot, known) in [
        (Some((1, false)), true),
        (Some((2, false)), false),
        (Some((99, true)), true),
        (None, false),
    ] {
        let mut raw = with(&[]);
        raw.cf = bot.map(|(score, verified)| (String::new(), String::new(), score, verified));
        let text = raw.text();
        assert_eq!(Head::parse(&text).unwrap().facts().known_bot, known);
    }
}

#[test]
fn a_line_break_in_a_value_makes_no_other_header() {
    let good = with(&[("origin", "https://shop.example"), ("user-agent", "x")]);
    for name in [
        "origin",
        "user-agent",
        "cf-connecting-ip",
        "traceparent",
        "ce-id",
    ] {
        for value in ["\n", "a\n=b", "a\n", "\n=1\n=1"] {
            let mut raw = good.clone();
            raw.headers.retain(|(own, _)| own != name);
            raw.headers.push((name.to_owned(), value.to_owned()));
            raw.headers
                .push(("ce-specversion".to_owned(), "1.0".to_owned()));
            assert_eq!(Head::parse(&raw.text()), None, "{name} {value:?}");
        }
    }
    let mut raw = good.clone();
    raw.url.push_str("\nNL");
    assert_eq!(Head::parse(&raw.text()), None);
    for wrong in [
        "",
        "POST",
        &good.text().replacen("\n=", "\n", 1),
        &format!("{}\n", good.text()),
    ] {
        assert_eq!(Head::parse(wrong), None, "{wrong:?}");
    }
}

/// The script and this module name the same headers in the same order.
#[test]
fn the_script_writes_what_is_read_here() {
    let script = include_str!("../../shell/http/entry.js");
    let names = script.split_once("const HEADERS = [").unwrap().1;
    let names = names.split_once(']').unwrap().0;
    let names: Vec<&str> = names
        .split(',')
        .map(|name| name.trim().trim_matches('\''))
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(names, HEADERS);
}

proptest! {
    /// Any header values, each byte of Latin-1 but what HTTP allows in none, give the same facts as
    /// single reads.
    #[test]
    fn the_text_tells_what_single_reads_tell(
        values in prop::collection::vec(prop::option::of("[\u{1}-\u{8}\u{b}\u{c}\u{e}-\u{ff}]{0,30}|1|gzip|[0-9]{1,9}"), HEADERS.len()),
        ce in prop::collection::btree_map("ce-(id|type|specversion|x-[a-z]{1,5}|)", "[ -\u{ff}]{0,20}", 0..6),
        query in "[!-~&&[^#?]]{0,40}",
        cf in prop::option::of(("[A-Z]{0,2}", "[a-zé ]{0,10}", 0_u32..100, any::<bool>())),
    ) {
        let named = HEADERS.iter().zip(values);
        let headers = named.filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        let raw = Raw {
            url: format!("https://shoreline.example/v1/ingest?{query}"),
            cf,
            headers: headers.chain(ce).collect(),
        };
        let text = raw.text();
        let head = Head::parse(&text).unwrap();
        prop_assert_eq!(head.path(), "/v1/ingest");
        prop_assert_eq!(head.facts(), raw.facts());
    }

    #[test]
    fn nothing_panics(text in "(POST|\n|=|1|https://a/|[^\n]{0,3}){0,30}") {
        if let Some(head) = Head::parse(&text) {
            let _ = (head.facts(), head.path().len(), head.query().len());
        }
    }
}
