//! The words of user agents that say something.

/// What a word says. Ranks say whom to believe where words disagree: the lower wins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clue {
    /// The browser's name.
    Browser(u8, &'static str),
    /// The operating system's name.
    Os(u8, &'static str),
    /// The class of device.
    Device(u8, &'static str),
    /// `Mobile`: a telephone, mostly.
    Mobile,
    /// `Version`: Safari or Android's old browser tells its own version.
    Version,
    /// `wv`: a view within an application.
    WebView,
    /// `Safari`, which nearly everybody claims.
    Safari,
    /// `AppleWebKit`, likewise.
    WebKit,
    /// `Mini`, after `Opera`.
    Mini,
    /// `Mobi`, after `Opera`.
    Mobi,
    /// `Phone`, after `Windows`.
    Phone,
    /// `CE`, after `Windows`.
    PocketPc,
}

use Clue::{
    Browser, Device, Mini, Mobi, Mobile, Os, Phone, PocketPc, Safari, Version, WebKit, WebView,
};

/// An application that shows pages within itself, on top of whatever browser.
const APP: u8 = 0;
/// A browser that is built on another and names both.
const BRAND: u8 = 1;
/// An engine's own browser, named by those that are built on it.
const ENGINE: u8 = 2;
/// A name that others took long ago to be let in.
const MASK: u8 = 3;

/// A system that runs on top of, or is named beside, another.
const OWN: u8 = 0;
/// A system that others name.
const BASE: u8 = 1;
/// What nearly every system with a Linux kernel names.
const KERNEL: u8 = 2;

/// A device that also says it is a telephone or a tablet.
const SPECIAL: u8 = 0;
/// A tablet that also says it is mobile.
const SLATE: u8 = 1;
/// A telephone that may leave out that it is mobile.
const HAND: u8 = 2;

/// Words and what they say, sorted by word, as they are written by those who send them.
const WORDS: &[(&str, &[Clue])] = &[
    ("AVG", &[Browser(BRAND, "AVG Secure Browser")]),
    ("Android", &[Os(BASE, "Android")]),
    ("AppleWebKit", &[WebKit]),
    ("Avast", &[Browser(BRAND, "Avast Secure Browser")]),
    ("BB10", &[Os(OWN, "BlackBerry"), Mobile]),
    ("BIDUBrowser", &[Browser(APP, "Baidu")]),
    ("BRAVIA", &[Device(SPECIAL, "tv")]),
    ("Bada", &[Os(OWN, "Bada"), Mobile]),
    ("BlackBerry", &[Os(OWN, "BlackBerry"), Mobile]),
    ("Brave", &[Browser(BRAND, "Brave")]),
    ("CE", &[PocketPc, Mobile]),
    ("Chrome", &[Browser(ENGINE, "Chrome")]),
    ("Chromecast", &[Device(SPECIAL, "tv")]),
    ("Chromium", &[Browser(BRAND, "Chromium")]),
    ("CrKey", &[Device(SPECIAL, "tv")]),
    ("CrOS", &[Os(OWN, "Chrome OS")]),
    ("CriOS", &[Browser(ENGINE, "Chrome")]),
    ("Ddg", &[Browser(BRAND, "DuckDuckGo")]),
    ("DuckDuckGo", &[Browser(BRAND, "DuckDuckGo")]),
    ("Edg", &[Browser(BRAND, "Edge")]),
    ("EdgA", &[Browser(BRAND, "Edge")]),
    ("EdgW", &[Browser(BRAND, "Edge")]),
    ("Edge", &[Browser(BRAND, "Edge")]),
    ("EdgiOS", &[Browser(BRAND, "Edge")]),
    ("Electron", &[Browser(BRAND, "Electron")]),
    ("Epiphany", &[Browser(BRAND, "Epiphany")]),
    ("FBAN", &[Browser(APP, "Facebook")]),
    ("FBAV", &[Browser(APP, "Facebook")]),
    ("FB_IAB", &[Browser(APP, "Facebook")]),
    ("Falkon", &[Browser(BRAND, "Falkon")]),
    ("Fedora", &[Os(BASE, "Linux")]),
    ("Firefox", &[Browser(ENGINE, "Firefox")]),
    ("Focus", &[Browser(BRAND, "Firefox Focus")]),
    ("FreeBSD", &[Os(BASE, "FreeBSD")]),
    ("Fuchsia", &[Os(OWN, "Fuchsia")]),
    ("FxiOS", &[Browser(ENGINE, "Firefox")]),
    ("GSA", &[Browser(BRAND, "GSA")]),
    ("HarmonyOS", &[Os(OWN, "HarmonyOS")]),
    ("HeadlessChrome", &[Browser(BRAND, "Chrome Headless")]),
    ("HeyTapBrowser", &[Browser(BRAND, "HeyTap")]),
    ("HuaweiBrowser", &[Browser(BRAND, "Huawei Browser")]),
    ("IEMobile", &[Browser(BRAND, "IEMobile")]),
    ("Instagram", &[Browser(APP, "Instagram")]),
    ("Iron", &[Browser(BRAND, "Iron")]),
    ("J2ME", &[Mobile]),
    ("KAIOS", &[Os(OWN, "KaiOS"), Mobile]),
    ("KAKAOTALK", &[Browser(APP, "KAKAOTALK")]),
    ("KaiOS", &[Os(OWN, "KaiOS"), Mobile]),
    ("Kindle", &[Device(SLATE, "tablet")]),
    ("Klar", &[Browser(BRAND, "Firefox Focus")]),
    ("Konqueror", &[Browser(BRAND, "Konqueror")]),
    ("LBBROWSER", &[Browser(BRAND, "LBBROWSER")]),
    ("LibreWolf", &[Browser(BRAND, "LibreWolf")]),
    ("Line", &[Browser(APP, "Line")]),
    ("LinkedInApp", &[Browser(APP, "LinkedIn")]),
    ("Linux", &[Os(KERNEL, "Linux")]),
    ("MIDP", &[Mobile]),
    ("MIUI", &[Browser(BRAND, "MIUI Browser")]),
    ("MQQBrowser", &[Browser(BRAND, "QQBrowser")]),
    ("MSIE", &[Browser(MASK, "IE")]),
    ("MXiOS", &[Browser(BRAND, "Maxthon")]),
    ("Mac_PowerPC", &[Os(BASE, "macOS")]),
    ("Macintosh", &[Os(BASE, "macOS")]),
    ("Maxthon", &[Browser(BRAND, "Maxthon")]),
    ("MeeGo", &[Os(OWN, "MeeGo"), Mobile]),
    ("MetaSr", &[Browser(BRAND, "Sogou Explorer")]),
    ("MicroMessenger", &[Browser(APP, "WeChat")]),
    ("Mini", &[Mini]),
    ("MiuiBrowser", &[Browser(BRAND, "MIUI Browser")]),
    ("Mobi", &[Mobi, Mobile]),
    ("Mobile", &[Mobile]),
    ("MxBrowser", &[Browser(BRAND, "Maxthon")]),
    ("NetBSD", &[Os(BASE, "NetBSD")]),
    (
        "Nintendo",
        &[Os(OWN, "Nintendo"), Device(SPECIAL, "console")],
    ),
    ("NokiaBrowser", &[Browser(BRAND, "NokiaBrowser")]),
    ("Nook", &[Device(SLATE, "tablet")]),
    ("OPR", &[Browser(BRAND, "Opera")]),
    ("OPT", &[Browser(BRAND, "Opera Touch")]),
    ("OPX", &[Browser(BRAND, "Opera GX")]),
    ("OPiOS", &[Browser(BRAND, "Opera Mini")]),
    ("OUYA", &[Device(SPECIAL, "console")]),
    (
        "OculusBrowser",
        &[Browser(APP, "Oculus Browser"), Device(SPECIAL, "wearable")],
    ),
    ("OpenBSD", &[Os(BASE, "OpenBSD")]),
    ("OpenHarmony", &[Os(OWN, "HarmonyOS")]),
    ("Opera", &[Browser(BRAND, "Opera")]),
    (
        "PLAYSTATION",
        &[Os(OWN, "PlayStation"), Device(SPECIAL, "console")],
    ),
    ("PaleMoon", &[Browser(BRAND, "PaleMoon")]),
    ("Phone", &[Phone, Mobile]),
    ("Pixel", &[Device(HAND, "mobile")]),
    (
        "PlayStation",
        &[Os(OWN, "PlayStation"), Device(SPECIAL, "console")],
    ),
    ("Puffin", &[Browser(BRAND, "Puffin")]),
    ("QHBrowser", &[Browser(BRAND, "360")]),
    ("QQBrowser", &[Browser(BRAND, "QQBrowser")]),
    ("QQBrowserLite", &[Browser(BRAND, "QQBrowserLite")]),
    ("QihooBrowser", &[Browser(BRAND, "360")]),
    (
        "QtCarBrowser",
        &[Browser(APP, "Tesla"), Device(SPECIAL, "embedded")],
    ),
    ("Quark", &[Browser(BRAND, "Quark")]),
    ("Quest", &[Device(SPECIAL, "wearable")]),
    ("Roku", &[Device(SPECIAL, "tv")]),
    ("SMART", &[Device(SPECIAL, "tv")]),
    ("Safari", &[Safari]),
    ("Sailfish", &[Os(OWN, "Sailfish")]),
    ("SamsungBrowser", &[Browser(BRAND, "Samsung Internet")]),
    ("SeaMonkey", &[Browser(BRAND, "SeaMonkey")]),
    ("Series40", &[Os(OWN, "Series40"), Mobile]),
    ("Series60", &[Os(OWN, "Symbian"), Mobile]),
    ("Silk", &[Browser(BRAND, "Silk")]),
    ("Snapchat", &[Browser(APP, "Snapchat")]),
    ("Symbian", &[Os(OWN, "Symbian"), Mobile]),
    ("SymbianOS", &[Os(OWN, "Symbian"), Mobile]),
    ("Tablet", &[Device(SLATE, "tablet")]),
    (
        "Tesla",
        &[Browser(APP, "Tesla"), Device(SPECIAL, "embedded")],
    ),
    ("TikTok", &[Browser(APP, "TikTok")]),
    ("Tizen", &[Os(OWN, "Tizen")]),
    ("Trident", &[Browser(MASK, "IE")]),
    ("Twitter", &[Browser(APP, "Twitter")]),
    ("UBrowser", &[Browser(BRAND, "UCBrowser")]),
    ("UCBrowser", &[Browser(BRAND, "UCBrowser")]),
    (
        "UCWEB",
        &[Browser(BRAND, "UCBrowser"), Device(HAND, "mobile")],
    ),
    ("Ubuntu", &[Os(BASE, "Linux")]),
    ("Version", &[Version]),
    ("Vivaldi", &[Browser(BRAND, "Vivaldi")]),
    ("VivoBrowser", &[Browser(BRAND, "Vivo Browser")]),
    ("Waterfox", &[Browser(BRAND, "Waterfox")]),
    ("Web0S", &[Os(OWN, "webOS"), Device(SPECIAL, "tv")]),
    ("Weibo", &[Browser(APP, "weibo")]),
    ("Whale", &[Browser(BRAND, "Whale")]),
    ("Windows", &[Os(BASE, "Windows")]),
    ("X11", &[Os(KERNEL, "Linux")]),
    ("Xbox", &[Os(OWN, "Xbox"), Device(SPECIAL, "console")]),
    ("YaApp_Android", &[Browser(BRAND, "Yandex")]),
    ("YaBrowser", &[Browser(BRAND, "Yandex")]),
    ("YaSearchBrowser", &[Browser(BRAND, "Yandex")]),
    ("baiduboxapp", &[Browser(APP, "Baidu")]),
    ("baidubrowser", &[Browser(APP, "Baidu")]),
    ("coc_coc_browser", &[Browser(BRAND, "Coc Coc")]),
    ("hpwOS", &[Os(OWN, "webOS")]),
    ("iPad", &[Os(OWN, "iOS"), Device(SLATE, "tablet")]),
    ("iPhone", &[Os(OWN, "iOS"), Mobile]),
    ("iPod", &[Os(OWN, "iOS"), Mobile]),
    ("musical_ly", &[Browser(APP, "TikTok")]),
    ("trill", &[Browser(APP, "TikTok")]),
    ("webOS", &[Os(OWN, "webOS")]),
    ("wv", &[WebView]),
];

/// The fewest letters of a word that is known with a model's number behind it too.
const MIN_NUMBERED: usize = 5;

/// What a word says; nothing, mostly. A number behind it does not count: `BlackBerry9300`. One
/// behind fewer letters makes another word: `OPR1` is no Opera, but the name of a system's build.
pub(super) fn clues_of(word: &str) -> &'static [Clue] {
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    if letters.is_empty() {
        return &[];
    }
    let numbered = letters.len() < word.len() && letters.len() >= MIN_NUMBERED;
    find(if numbered { letters } else { word }).unwrap_or_default()
}

/// What the models of makers say who number or name them by a rule: Amazon's (`KFTT`, `AFTB`),
/// Lenovo's (`TB-8504F`, `TB310FU`, `YT-X705X`), Huawei's without a telephone (`SHT-W09`), what ends
/// in what it is (`MediaPad`, `MiTV`, `ZenWatch`), and told by the word before Samsung's (`SM-T510`)
/// and Google's (`Nexus 7`).
pub(super) fn model_of(before: &str, word: &str) -> Option<Clue> {
    let named = |start: &str| {
        word.strip_prefix(start).is_some_and(|rest| {
            !rest.is_empty()
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        })
    };
    let numbered = |start: &str| {
        word.strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    match before {
        "SM" if word.starts_with(['T', 'X', 'P']) => Some(Device(SLATE, "tablet")),
        "SM" if word.starts_with(['A', 'F', 'G', 'J', 'M', 'N', 'S']) => {
            Some(Device(HAND, "mobile"))
        }
        "Nexus" if matches!(word, "7" | "9" | "10") => Some(Device(SLATE, "tablet")),
        "Lenovo" if numbered("YT") || numbered("PB") => Some(Device(SLATE, "tablet")),
        // Huawei's `BTV-W09` is none.
        _ if word == "BTV" => Some(Device(SLATE, "tablet")),
        _ if named("AFT") || word.ends_with("TV") => Some(Device(SPECIAL, "tv")),
        _ if word.ends_with("Watch") => Some(Device(SPECIAL, "wearable")),
        _ if named("KF") || numbered("TB") || word.ends_with("Pad") => {
            Some(Device(SLATE, "tablet"))
        }
        _ if matches!(word, "W09" | "W19" | "W29") => Some(Device(SLATE, "tablet")),
        _ => None,
    }
}

fn find(word: &str) -> Option<&'static [Clue]> {
    let found = WORDS.binary_search_by_key(&word, |(known, _)| known).ok()?;
    WORDS.get(found).map(|(_, clues)| *clues)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_in_order() {
        assert!(WORDS.is_sorted_by(|(before, _), (after, _)| before < after));
    }
}
