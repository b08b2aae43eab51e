use proptest::prelude::*;

use super::*;

/// Agents of browsers that have something of a bot's about them.
const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 20; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SM-G998B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.29 Chrome/108.0.0.0 Electron/22.0.0 Safari/537.36",
];

/// Agents of programs.
const PROGRAMS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36 Puppeteer",
    "Playwright/1.50.0 (x64; ubuntu 24.04) node/22.12",
    "selenium/4.21.0 (python linux)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; NeverSeenBefore/1.0; +https://crawler.example/)",
    "somethingnew-bot",
    "NEWSPIDER 3",
    "curl/8.5.0",
    "Wget/1.21.4",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "node",
    "undici",
    "axios/1.7.2",
    "python-requests/2.32.3",
    "Python-urllib/3.12",
    "aiohttp/3.9.5",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "Java/17.0.9",
    "Apache-HttpClient/4.5.14 (Java/17.0.9)",
    "Mozilla/5.0 (Windows; U) jsdom/24.0.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
];

#[test]
fn browsers_are_no_bots() {
    for agent in BROWSERS {
        assert!(!is_bot(agent), "{agent}");
    }
}

/// Agents of people, as `npm run lists` holds the lists to them: views within applications, of all makers, devices with
/// names like a program's, applications on a desk.
const PEOPLE: &str = include_str!("people.txt");

#[test]
fn people_are_no_bots() {
    let taken: Vec<_> = PEOPLE.lines().filter(|agent| is_bot(agent)).collect();
    assert_eq!(taken, Vec::<&str>::new());
    assert!(PEOPLE.lines().count() >= 300);
}

#[test]
fn a_crawler_that_poses_as_a_device_is_a_bot() {
    for agent in [
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Linux; Android 8.0; Pixel 2 Build/OPD3.170816.012; Storebot-Google/1.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/81.0.4044.138 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.0 Mobile/15E148 Safari/604.1 (Applebot/0.1)",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (compatible; NewBot; Android 9)",
    ] {
        assert!(is_bot(agent), "{agent}");
    }
}

#[test]
fn programs_are_bots() {
    for agent in PROGRAMS {
        assert!(is_bot(agent), "{agent}");
    }
}

#[test]
fn nobody_is_a_bot() {
    assert!(is_bot(""));
    assert!(is_bot(" \t"));
}

#[test]
fn a_very_long_agent_is_read_as_far_as_it_would_be_stored() {
    let long = format!("Mozilla/5.0 {}", "x".repeat(100_000));
    assert!(!is_bot(&format!("{long} HeadlessChrome")));
    assert!(is_bot(&format!("HeadlessChrome {long}")));
}

proptest! {
    #[test]
    fn anything_is_read(agent in any::<String>()) {
        is_bot(&agent);
    }

    #[test]
    fn a_bot_stays_one_whatever_stands_around_its_name(
        before in "[ -~é]{0,40}",
        after in "[ -~é]{0,40}",
    ) {
        let agent = format!("{before} HeadlessChrome/{after}");
        prop_assert!(is_bot(&agent));
    }
}
