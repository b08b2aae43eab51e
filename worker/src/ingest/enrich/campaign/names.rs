//! The usual names of well-known sources.

/// Names that own a domain under many endings: `google.de`, `www.google.co.uk`.
const EVERYWHERE: &[(&str, &str)] = &[
    ("baidu", "Baidu"),
    ("ebay", "eBay"),
    ("google", "Google"),
    ("pinterest", "Pinterest"),
    ("yahoo", "Yahoo"),
    ("yandex", "Yandex"),
];

/// Second-level endings, before a country's: `google.co.uk`.
const SECOND_LEVELS: [&str; 6] = ["ac", "co", "com", "ne", "net", "org"];

/// Hosts, each for all below it unless another line names one of those. Sorted.
const HOSTS: &[(&str, &str)] = &[
    ("bing.com", "Bing"),
    ("brave.com", "Brave"),
    ("bsky.app", "Bluesky"),
    ("chat.openai.com", "ChatGPT"),
    ("chatgpt.com", "ChatGPT"),
    ("claude.ai", "Claude"),
    ("com.facebook.katana", "Facebook"),
    ("com.google.android.gm", "Gmail"),
    ("com.google.android.googlequicksearchbox", "Google"),
    ("com.linkedin.android", "LinkedIn"),
    ("com.reddit.frontpage", "Reddit"),
    ("com.slack", "Slack"),
    ("com.twitter.android", "X"),
    ("copilot.microsoft.com", "Copilot"),
    ("discord.com", "Discord"),
    ("duckduckgo.com", "DuckDuckGo"),
    ("ecosia.org", "Ecosia"),
    ("facebook.com", "Facebook"),
    ("fb.com", "Facebook"),
    ("fb.me", "Facebook"),
    ("gemini.google.com", "Gemini"),
    ("github.com", "GitHub"),
    ("instagram.com", "Instagram"),
    ("kagi.com", "Kagi"),
    ("linkedin.com", "LinkedIn"),
    ("lnkd.in", "LinkedIn"),
    ("mail.google.com", "Gmail"),
    ("mastodon.social", "Mastodon"),
    ("medium.com", "Medium"),
    ("naver.com", "Naver"),
    ("news.ycombinator.com", "Hacker News"),
    ("org.telegram.messenger", "Telegram"),
    ("outlook.live.com", "Outlook"),
    ("outlook.office.com", "Outlook"),
    ("perplexity.ai", "Perplexity"),
    ("pin.it", "Pinterest"),
    ("producthunt.com", "Product Hunt"),
    ("quora.com", "Quora"),
    ("qwant.com", "Qwant"),
    ("redd.it", "Reddit"),
    ("reddit.com", "Reddit"),
    ("seznam.cz", "Seznam"),
    ("slack.com", "Slack"),
    ("snapchat.com", "Snapchat"),
    ("sogou.com", "Sogou"),
    ("stackoverflow.com", "Stack Overflow"),
    ("startpage.com", "Startpage"),
    ("t.co", "X"),
    ("t.me", "Telegram"),
    ("telegram.org", "Telegram"),
    ("threads.com", "Threads"),
    ("threads.net", "Threads"),
    ("tiktok.com", "TikTok"),
    ("twitter.com", "X"),
    ("vk.com", "VK"),
    ("wa.me", "WhatsApp"),
    ("whatsapp.com", "WhatsApp"),
    ("wikipedia.org", "Wikipedia"),
    ("x.com", "X"),
    ("ya.ru", "Yandex"),
    ("youtu.be", "YouTube"),
    ("youtube.com", "YouTube"),
];

/// What authors of campaigns write for sources, in lowercase. Sorted.
const TAGS: &[(&str, &str)] = &[
    ("baidu", "Baidu"),
    ("bing", "Bing"),
    ("bluesky", "Bluesky"),
    ("chatgpt", "ChatGPT"),
    ("duckduckgo", "DuckDuckGo"),
    ("facebook", "Facebook"),
    ("fb", "Facebook"),
    ("github", "GitHub"),
    ("gmail", "Gmail"),
    ("google", "Google"),
    ("hackernews", "Hacker News"),
    ("hn", "Hacker News"),
    ("ig", "Instagram"),
    ("instagram", "Instagram"),
    ("linkedin", "LinkedIn"),
    ("perplexity", "Perplexity"),
    ("pinterest", "Pinterest"),
    ("producthunt", "Product Hunt"),
    ("quora", "Quora"),
    ("reddit", "Reddit"),
    ("slack", "Slack"),
    ("snapchat", "Snapchat"),
    ("telegram", "Telegram"),
    ("threads", "Threads"),
    ("tiktok", "TikTok"),
    ("twitter", "X"),
    ("whatsapp", "WhatsApp"),
    ("x", "X"),
    ("yahoo", "Yahoo"),
    ("yandex", "Yandex"),
    ("youtube", "YouTube"),
];

/// The name of a source by its host, in lowercase.
pub(super) fn name_of_host(host: &str) -> Option<&'static str> {
    let mut rest = host;
    loop {
        if let Some(name) = find(HOSTS, rest) {
            return Some(name);
        }
        let (label, above) = rest.split_once('.')?;
        if is_ending(above)
            && let Some(name) = find(EVERYWHERE, label)
        {
            return Some(name);
        }
        rest = above;
    }
}

/// The name of a source as a campaign's author wrote it: `fb`, or its host.
pub(super) fn name_of_tag(tag: &str) -> Option<&'static str> {
    let tag = tag.to_lowercase();
    find(TAGS, &tag).or_else(|| name_of_host(tag.strip_prefix("www.").unwrap_or(&tag)))
}

/// Whether names are sold under this: `de`, `co.uk`.
fn is_ending(text: &str) -> bool {
    match text.split_once('.') {
        None => !text.is_empty(),
        Some((second, country)) => SECOND_LEVELS.contains(&second) && country.len() == 2,
    }
}

fn find(table: &[(&'static str, &'static str)], key: &str) -> Option<&'static str> {
    let at = table.binary_search_by_key(&key, |(known, _)| known).ok()?;
    table.get(at).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order_and_in_lowercase() {
        for table in [EVERYWHERE, HOSTS, TAGS] {
            assert!(table.is_sorted_by(|(before, _), (after, _)| before < after));
            assert!(table.iter().all(|(key, _)| *key == key.to_lowercase()));
        }
    }

    #[test]
    fn hosts_have_names() {
        let cases = [
            ("google.com", "Google"),
            ("google.de", "Google"),
            ("news.google.co.uk", "Google"),
            ("mail.google.com", "Gmail"),
            ("gemini.google.com", "Gemini"),
            ("l.facebook.com", "Facebook"),
            ("old.reddit.com", "Reddit"),
            ("t.co", "X"),
            ("de.pinterest.com", "Pinterest"),
            ("com.google.android.gm", "Gmail"),
        ];
        for (host, name) in cases {
            assert_eq!(name_of_host(host), Some(name), "{host}");
        }
        for host in [
            "",
            "google",
            "google.evil.com",
            "notgoogle.com",
            "facebook.com.evil.example",
            "com",
            "art.co",
        ] {
            assert_eq!(name_of_host(host), None, "{host}");
        }
    }

    #[test]
    fn tags_have_names() {
        for (tag, name) in [
            ("FB", "Facebook"),
            ("chatgpt.com", "ChatGPT"),
            ("www.google.com", "Google"),
        ] {
            assert_eq!(name_of_tag(tag), Some(name), "{tag}");
        }
        assert_eq!(name_of_tag("newsletter"), None);
    }
}
