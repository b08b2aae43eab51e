use proptest::prelude::*;

use super::*;

/// Agents, and what is read of them: browser, system, device.
const CASES: &[(&str, [Option<&str>; 3])] = &[
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        [Some("Chrome"), Some("Windows"), Some("desktop")],
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
        [Some("Edge"), Some("Windows"), Some("desktop")],
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
        [Some("Safari"), Some("macOS"), Some("desktop")],
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
        [Some("Mobile Safari"), Some("iOS"), Some("mobile")],
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 15_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/125.0.6422.80 Mobile/15E148 Safari/604.1",
        [Some("Chrome"), Some("iOS"), Some("tablet")],
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 13_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBDV/iPhone9,1]",
        [Some("Facebook"), Some("iOS"), Some("mobile")],
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
        [Some("Samsung Internet"), Some("Android"), Some("mobile")],
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36",
        [Some("Chrome"), Some("Android"), Some("tablet")],
    ),
    (
        "Mozilla/5.0 (Linux; Android 8.0.0; Mi A1 Build/OPR1.170623.026; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/63.0 Mobile Safari/537.36",
        [Some("Chrome WebView"), Some("Android"), Some("mobile")],
    ),
    (
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        [Some("Chrome"), Some("Chrome OS"), Some("desktop")],
    ),
    (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        [Some("Firefox"), Some("Linux"), Some("desktop")],
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36 OPR/118.0.0.0",
        [Some("Opera"), Some("Linux"), Some("desktop")],
    ),
    (
        "Mozilla/5.0 (Windows Phone 10.0; Android 4.2.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/46.0 Mobile Safari/537.36 Edge/13.10586",
        [Some("Edge"), Some("Windows Phone"), Some("mobile")],
    ),
    (
        "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36",
        [Some("Chrome"), Some("webOS"), Some("tv")],
    ),
    (
        "Mozilla/5.0 (PlayStation; PlayStation 5/6.50) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15",
        [Some("Safari"), Some("PlayStation"), Some("console")],
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; Quest 2) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/15.0 SamsungBrowser/4.0 Chrome/89.0 VR Safari/537.36",
        [Some("Oculus Browser"), Some("Android"), Some("wearable")],
    ),
    (
        "BlackBerry9300/5.0.0.912 Profile/MIDP-2.1 Configuration/CLDC-1.1 VendorID/378",
        [None, Some("BlackBerry"), Some("mobile")],
    ),
    (
        "Mozilla/5.0 (Windows NT 6.3; WOW64; Trident/7.0; Tablet PC 2.0; rv:11.0) like Gecko",
        [Some("IE"), Some("Windows"), Some("desktop")],
    ),
    ("", [None; 3]),
    ("something else", [None; 3]),
];

#[test]
fn the_least_imitated_word_is_believed() {
    for (text, [browser, os, device]) in CASES {
        let expected = Agent {
            browser: *browser,
            os: *os,
            device: *device,
        };
        assert_eq!(read_agent(text), expected, "{text}");
    }
}

#[test]
fn models_tell_their_class() {
    let device = |model: &str, mobile: &str| {
        let text = format!(
            "Mozilla/5.0 (Linux; Android 9; {model}) AppleWebKit/537.36 Chrome/90.0 {mobile} Safari/537.36"
        );
        read_agent(&text).device
    };
    let models = [
        ("SM-T510", "tablet"),
        ("SM-G920I", "mobile"),
        ("KFTT", "tablet"),
        ("AFTB", "tv"),
        ("Nexus 7", "tablet"),
        ("Pixel 2 XL", "mobile"),
        ("BRAVIA 4K", "tv"),
        ("MiTV-MOOQ0", "tv"),
        ("ASUS ZenWatch", "wearable"),
        ("Lenovo TB-8504F", "tablet"),
        ("TB310FU", "tablet"),
        ("Lenovo YT3-850F", "tablet"),
        ("SHT-W09", "tablet"),
        ("BTV-DL09", "tablet"),
        ("HuaweiMediaPad", "tablet"),
    ];
    for (model, expected) in models {
        for mobile in ["Mobile", ""] {
            assert_eq!(device(model, mobile), Some(expected), "{model} {mobile}");
        }
    }
    // A model that no rule knows is what it says it is.
    for model in ["V11", "TBX", "KF", "YT3"] {
        assert_eq!(device(model, ""), Some("tablet"), "{model}");
        assert_eq!(device(model, "Mobile"), Some("mobile"), "{model}");
    }
}

#[test]
fn words_far_behind_are_not_looked_at() {
    let text = format!("{}Firefox/140.0", "x ".repeat(MAX_WORDS));
    assert_eq!(read_agent(&text), Agent::default());
}

proptest! {
    #[test]
    fn anything_is_read(text in any::<String>()) {
        read_agent(&text);
    }
}

/// It names Safari, as Chrome does, and has a name of its own.
#[test]
fn headless_chromium_is_not_safari() {
    let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36";
    let told = read_agent(agent);
    assert_eq!(
        (told.browser, told.os, told.device),
        (Some("Chrome Headless"), Some("Linux"), Some("desktop"))
    );
}
