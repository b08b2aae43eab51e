//! Holds the worker's tables of crawlers, browsers and systems to what others know: kept lists of
//! npm, which `npm ci` puts into `node_modules`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test, all of it, helpers too"
)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde::Deserialize;
use shoreline_worker::ingest::enrich::agent::read_agent;
use shoreline_worker::ingest::enrich::bots::is_bot;

/// The least share of the crawlers' own agents that must be recognized.
const MIN_CRAWLERS: f64 = 0.98;

/// Below this share of browsers' agents may be taken for bots.
const MAX_BROWSERS: f64 = 0.001;

/// The least share of agents that must be read as ua-parser-js reads them.
const MIN_AGREEMENT: f64 = 0.95;

/// What is common: browsers that StatCounter lists for the world, by the names of ua-parser-js,
/// with the views of applications that it counts to them, …
const COMMON_BROWSERS: &[&str] = &[
    "360",
    "Android Browser",
    "Chrome",
    "Chrome WebView",
    "Chromium",
    "Coc Coc",
    "DuckDuckGo",
    "Edge",
    "Facebook",
    "Firefox",
    "GSA",
    "IE",
    "IEMobile",
    "Instagram",
    "MIUI Browser",
    "Maxthon",
    "Mobile Safari",
    "Opera",
    "Opera Mini",
    "Opera Touch",
    "Puffin",
    "QQBrowser",
    "Safari",
    "Samsung Internet",
    "Silk",
    "Sogou Explorer",
    "UCBrowser",
    "Vivaldi",
    "Whale",
    "Yandex",
];

/// … on systems that it lists.
const COMMON_SYSTEMS: &[&str] = &[
    "Android",
    "BlackBerry",
    "Chrome OS",
    "KaiOS",
    "Linux",
    "Nintendo",
    "PlayStation",
    "Tizen",
    "Windows",
    "Windows Phone",
    "Xbox",
    "iOS",
    "macOS",
    "webOS",
];

/// What `deploy/dev/lists/agents.mjs` tells.
#[derive(Deserialize)]
struct Agents {
    crawlers: Vec<String>,
    browsers: Vec<Read>,
    fixtures: Vec<Read>,
}

/// An agent as ua-parser-js reads it.
#[derive(Deserialize)]
struct Read {
    agent: String,
    browser: Option<String>,
    os: Option<String>,
    device: Option<String>,
}

static AGENTS: LazyLock<Agents> = LazyLock::new(|| {
    let output = node(&["deploy/dev/lists/agents.mjs"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    })
});

fn node(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Command::new("node")
        .args(args)
        .current_dir(root)
        .output()
        .unwrap()
}

/// A part of all, from 0 to 1.
fn share(part: usize, all: usize) -> f64 {
    part as f64 / all as f64
}

impl Read {
    /// Their names, where ours differ: newer ones, and one for all that is Linux.
    fn os(&self) -> Option<&str> {
        self.os.as_deref().map(|os| match os {
            "Mac OS" => "macOS",
            "Chromium OS" => "Chrome OS",
            "KAIOS" => "KaiOS",
            "Arch" | "CentOS" | "Debian" | "Deepin" | "Fedora" | "Gentoo" | "Joli" | "Kubuntu"
            | "Linpus" | "Linspire" | "Mandriva" | "Manjaro" | "Mint" | "PCLinuxOS"
            | "Raspbian" | "Red Hat" | "SUSE" | "Sabayon" | "Slackware" | "Ubuntu" | "Zenwalk"
            | "elementary OS" => "Linux",
            other => other,
        })
    }

    /// They call a desktop nothing at all, and so does this, of the systems that desktops have.
    fn device(&self) -> Option<&str> {
        match self.device.as_deref() {
            Some("smarttv") => Some("tv"),
            None if matches!(self.os(), Some("Windows" | "macOS" | "Linux" | "Chrome OS")) => {
                Some("desktop")
            }
            other => other,
        }
    }

    fn is_common(&self) -> bool {
        self.browser
            .as_deref()
            .is_some_and(|name| COMMON_BROWSERS.contains(&name))
            && self.os().is_some_and(|name| COMMON_SYSTEMS.contains(&name))
    }

    /// Whether browser, system and device are read alike.
    fn agrees(&self) -> [bool; 3] {
        let ours = read_agent(&self.agent);
        [
            ours.browser == self.browser.as_deref(),
            ours.os == self.os(),
            ours.device == self.device(),
        ]
    }
}

/// The shares that agree: browser, system, device, and all three at once.
fn agreement<'a>(name: &str, reads: impl Iterator<Item = &'a Read>) -> [f64; 4] {
    let agreed: Vec<_> = reads.map(Read::agrees).collect();
    let count = |of: &dyn Fn(&[bool; 3]) -> bool| {
        share(agreed.iter().filter(|it| of(it)).count(), agreed.len())
    };
    let shares = [
        count(&|it| it[0]),
        count(&|it| it[1]),
        count(&|it| it[2]),
        count(&|it| it.iter().all(|it| *it)),
    ];
    let [browser, os, device, all] = shares.map(|share| share * 100.0);
    println!(
        "{name}: {} agents; browser {browser:.2} %, system {os:.2} %, device {device:.2} %, all three {all:.2} %",
        agreed.len()
    );
    shares
}

#[test]
fn the_tables_are_what_their_lists_make_of_them() {
    let output = node(&["deploy/dev/lists/lists.mjs", "--check"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// What `linesOfPattern` makes of a regular expression; `None` if it refuses.
fn lines_of(pattern: &str) -> Option<Vec<String>> {
    let program = "import('./deploy/dev/lists/crawler-lines.mjs')
        .then(({ linesOfPattern }) => console.log(JSON.stringify(linesOfPattern(process.argv[1]))))";
    let output = node(&["-e", program, pattern]);
    serde_json::from_slice(&output.stdout).ok()
}

#[test]
fn patterns_are_translated_or_refused() {
    let cases: &[(&str, &[&str])] = &[
        (r"Buck\/", &["Buck/"]),
        ("[wW]get", &["wget", "Wget"]),
        ("(^| )sentry", &["^sentry", " sentry"]),
        ("Chirp|gotosocial$", &["Chirp", "gotosocial$"]),
        (r"Blog\/\d\.\d+ Feed", &["Blog/* Feed"]),
        (r"Current[\s\S]*RSS", &["Current*RSS"]),
        ("^LCC ", &["^LCC *"]),
    ];
    for (pattern, lines) in cases {
        assert_eq!(lines_of(pattern).unwrap(), *lines, "{pattern}");
    }
    for pattern in [
        "ab",
        "a+bcd",
        "abc{2}",
        r"abc\w",
        "[^a]bcd",
        "[a-z]bcd",
        "(abc",
        "abc)",
        "a$bcd",
        "(?:abc)",
        "abc\u{e9}",
    ] {
        assert_eq!(lines_of(pattern), None, "{pattern}");
    }
}

#[test]
fn crawlers_are_recognized_by_what_they_send() {
    let agents = &AGENTS.crawlers;
    let missed: Vec<_> = agents.iter().filter(|agent| !is_bot(agent)).collect();
    println!(
        "{} of {} crawlers' agents missed",
        missed.len(),
        agents.len()
    );
    assert!(agents.len() > 1_000, "{} agents are no list", agents.len());
    assert!(
        share(agents.len() - missed.len(), agents.len()) >= MIN_CRAWLERS,
        "{missed:#?}"
    );
}

#[test]
fn browsers_are_not_taken_for_bots() {
    let agents = &AGENTS.browsers;
    let taken: Vec<_> = agents
        .iter()
        .map(|read| &read.agent)
        .filter(|agent| is_bot(agent))
        .collect();
    println!(
        "{} of {} browsers' agents taken for bots",
        taken.len(),
        agents.len()
    );
    assert!(
        agents.len() > 5_000,
        "{} agents are no large sample",
        agents.len()
    );
    assert!(
        share(taken.len(), agents.len()) < MAX_BROWSERS,
        "{taken:#?}"
    );
}

/// Of the agents of ua-parser-js's own tests, only programs are bots.
#[test]
fn odd_browsers_are_not_taken_for_bots() {
    let taken: Vec<_> = AGENTS
        .fixtures
        .iter()
        .filter(|read| is_bot(&read.agent))
        .collect();
    for read in &taken {
        let program = ["HeadlessChrome", "PhantomJS", "curl/"]
            .iter()
            .any(|name| read.agent.contains(name));
        assert!(program, "{}", read.agent);
    }
    assert!(!taken.is_empty());
}

#[test]
fn common_agents_are_read_as_ua_parser_js_reads_them() {
    let shares = agreement(
        "common fixtures",
        AGENTS.fixtures.iter().filter(|read| read.is_common()),
    );
    assert!(
        shares.iter().all(|share| *share >= MIN_AGREEMENT),
        "{shares:?}"
    );
    let shares = agreement("browsers in use", AGENTS.browsers.iter());
    assert!(
        shares.iter().all(|share| *share >= MIN_AGREEMENT),
        "{shares:?}"
    );
}

/// With what nobody has used for ten years and what is no browser: it may not get worse.
#[test]
fn rare_agents_are_read_as_far_as_they_are_known() {
    let [browser, os, device, all] = agreement("all fixtures", AGENTS.fixtures.iter());
    assert!(browser >= 0.85 && os >= 0.91 && device >= 0.90 && all >= 0.76);
}
