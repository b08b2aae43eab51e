//! Browser, operating system and class of device, read from a user agent by names alone.
//!
//! A user agent is a row of words in which everybody also claims to be somebody else. Each word
//! that says something is in a table (`words`) with a rank: the word that fewest others imitate
//! is believed. No versions are read, which nobody can tell apart by and no report asks for.

mod words;

use words::{Clue, clues_of, model_of};

/// Words of a user agent that are looked at. Browsers' have under 40 and forged ones any number.
const MAX_WORDS: usize = 120;

/// What a user agent tells. `None` is what it does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agent {
    /// The browser's usual name: `Chrome`, `Mobile Safari`, `Samsung Internet`, …; of a page
    /// within an application the application's: `Facebook`, `Instagram`, ….
    pub browser: Option<&'static str>,
    /// `Windows`, `macOS`, `iOS`, `Android`, `Linux`, `Chrome OS`, …
    pub os: Option<&'static str>,
    /// `desktop`, `mobile`, `tablet`, `tv`, `console`, `wearable` or `embedded`.
    pub device: Option<&'static str>,
}

/// Reads a user agent. Anything may be given; what is not known stays `None`.
///
/// ```
/// # use shoreline_worker::ingest::enrich::agent::read_agent;
/// let agent = read_agent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
/// assert_eq!((agent.browser, agent.os, agent.device), (Some("Firefox"), Some("Linux"), Some("desktop")));
/// ```
pub fn read_agent(user_agent: &str) -> Agent {
    let mut facts = Facts::default();
    let mut before = "";
    user_agent
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .for_each(|word| {
            facts.read(before, word);
            before = word;
        });
    Agent {
        browser: facts.browser(),
        os: facts.os(),
        device: facts.device(),
    }
}

/// The most believable of the names that were read.
#[derive(Default)]
struct Best(Option<(u8, &'static str)>);

impl Best {
    fn add(&mut self, rank: u8, name: &'static str) {
        if self.0.is_none_or(|(best, _)| rank < best) {
            self.0 = Some((rank, name));
        }
    }

    fn name(&self) -> Option<&'static str> {
        self.0.map(|(_, name)| name)
    }
}

/// What the words of one user agent say.
#[derive(Default)]
struct Facts {
    browser: Best,
    os: Best,
    device: Best,
    mobile: bool,
    version: bool,
    web_view: bool,
    safari: bool,
    web_kit: bool,
    mini: bool,
    mobi: bool,
    phone: bool,
    pocket_pc: bool,
}

impl Facts {
    fn read(&mut self, before: &str, word: &str) {
        for clue in clues_of(word).iter().chain(&model_of(before, word)) {
            match *clue {
                Clue::Browser(rank, name) => self.browser.add(rank, name),
                Clue::Os(rank, name) => self.os.add(rank, name),
                Clue::Device(rank, name) => self.device.add(rank, name),
                Clue::Mobile => self.mobile = true,
                Clue::Version => self.version = true,
                Clue::WebView => self.web_view = true,
                Clue::Safari => self.safari = true,
                Clue::WebKit => self.web_kit = true,
                Clue::Mini => self.mini = true,
                Clue::Mobi => self.mobi = true,
                Clue::Phone => self.phone = true,
                Clue::PocketPc => self.pocket_pc = true,
            }
        }
    }

    fn os(&self) -> Option<&'static str> {
        // `Windows Phone` also names Android, to be sent what Android is sent.
        match self.os.name() {
            Some("Windows" | "Android" | "Xbox") if self.phone => Some("Windows Phone"),
            Some("Windows") if self.pocket_pc || self.mobi => Some("Windows Mobile"),
            name => name,
        }
    }

    fn browser(&self) -> Option<&'static str> {
        match self.browser.name() {
            // Google's search application shows pages in its system's view.
            Some("Chrome" | "GSA") if self.web_view => Some("Chrome WebView"),
            // Before Chrome had its own word for it, a view within an application was told by
            // this: Android's old browser and Chrome at once.
            Some("Chrome") if self.version && self.os() == Some("Android") => {
                Some("Android Browser")
            }
            Some("Opera") if self.mini => Some("Opera Mini"),
            Some("Opera") if self.mobi => Some("Opera Mobi"),
            Some(name) => Some(name),
            None => self.nameless(),
        }
    }

    /// The browser that came with the system and gives no name of its own.
    fn nameless(&self) -> Option<&'static str> {
        match self.os() {
            Some("Android") if self.web_kit => Some("Android Browser"),
            Some("iOS") if self.safari && self.version => Some("Mobile Safari"),
            _ if self.safari => Some("Safari"),
            _ if self.web_kit => Some("WebKit"),
            _ => None,
        }
    }

    fn device(&self) -> Option<&'static str> {
        match self.os() {
            // A computer with Windows calls itself `Tablet PC` where it knows of pens.
            Some("Windows") => return Some("desktop"),
            Some("Windows Phone") => return Some("mobile"),
            _ => {}
        }
        if let Some(device) = self.device.name() {
            return Some(device);
        }
        match self.os() {
            Some(
                "Windows" | "macOS" | "Linux" | "Chrome OS" | "FreeBSD" | "OpenBSD" | "NetBSD",
            ) => Some("desktop"),
            _ if self.mobile => Some("mobile"),
            // The system's own rule: a tablet leaves the word out. An application that is no
            // browser knows no such rule.
            Some("Android") if self.web_kit || self.browser().is_some() => Some("tablet"),
            Some("Android" | "HarmonyOS") => Some("mobile"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
