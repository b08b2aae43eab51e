//! By which way a view came: from its source, its referrer, its campaign and the marks of advertisements in its URL.
//! "Channels" in `docs/API.md` has the rules in words.

/// A way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Channel {
    Direct,
    Search,
    Social,
    Ai,
    Email,
    Paid,
    Referral,
    Campaign,
}

impl Channel {
    /// All of them, by their number.
    pub(super) const ALL: [(Self, &'static str); 8] = [
        (Self::Direct, "Direct"),
        (Self::Search, "Search"),
        (Self::Social, "Social"),
        (Self::Ai, "AI"),
        (Self::Email, "Email"),
        (Self::Paid, "Paid"),
        (Self::Referral, "Referral"),
        (Self::Campaign, "Campaign"),
    ];
}

/// Sources by their usual names, which [`crate::ingest::enrich::campaign`] gives them.
const SOURCES: [(&str, Channel); 50] = [
    ("Baidu", Channel::Search),
    ("Bing", Channel::Search),
    ("Brave", Channel::Search),
    ("DuckDuckGo", Channel::Search),
    ("Ecosia", Channel::Search),
    ("Google", Channel::Search),
    ("Kagi", Channel::Search),
    ("Naver", Channel::Search),
    ("Qwant", Channel::Search),
    ("Seznam", Channel::Search),
    ("Sogou", Channel::Search),
    ("Startpage", Channel::Search),
    ("Yahoo", Channel::Search),
    ("Yandex", Channel::Search),
    ("ChatGPT", Channel::Ai),
    ("Claude", Channel::Ai),
    ("Copilot", Channel::Ai),
    ("Gemini", Channel::Ai),
    ("Perplexity", Channel::Ai),
    ("Gmail", Channel::Email),
    ("Outlook", Channel::Email),
    ("email", Channel::Email),
    ("e-mail", Channel::Email),
    ("newsletter", Channel::Email),
    ("Bluesky", Channel::Social),
    ("Discord", Channel::Social),
    ("Facebook", Channel::Social),
    ("Hacker News", Channel::Social),
    ("Instagram", Channel::Social),
    ("LinkedIn", Channel::Social),
    ("Mastodon", Channel::Social),
    ("Medium", Channel::Social),
    ("Pinterest", Channel::Social),
    ("Product Hunt", Channel::Social),
    ("Quora", Channel::Social),
    ("Reddit", Channel::Social),
    ("Slack", Channel::Social),
    ("Snapchat", Channel::Social),
    ("Stack Overflow", Channel::Social),
    ("Telegram", Channel::Social),
    ("Threads", Channel::Social),
    ("TikTok", Channel::Social),
    ("VK", Channel::Social),
    ("WhatsApp", Channel::Social),
    ("X", Channel::Social),
    ("YouTube", Channel::Social),
    ("social", Channel::Social),
    ("paid", Channel::Paid),
    ("ads", Channel::Paid),
    ("adwords", Channel::Paid),
];

/// Media of campaigns.
const MEDIA: [(&str, Channel); 22] = [
    ("cpc", Channel::Paid),
    ("ppc", Channel::Paid),
    ("cpm", Channel::Paid),
    ("cpv", Channel::Paid),
    ("cpa", Channel::Paid),
    ("ad", Channel::Paid),
    ("ads", Channel::Paid),
    ("banner", Channel::Paid),
    ("display", Channel::Paid),
    ("retargeting", Channel::Paid),
    ("sponsored", Channel::Paid),
    ("email", Channel::Email),
    ("e-mail", Channel::Email),
    ("mail", Channel::Email),
    ("newsletter", Channel::Email),
    ("organic", Channel::Search),
    ("search", Channel::Search),
    ("social", Channel::Social),
    ("social-media", Channel::Social),
    ("social_media", Channel::Social),
    ("sm", Channel::Social),
    ("ai", Channel::Ai),
];

/// Marks that advertisements leave in a URL. `fbclid` is none: every link on Facebook gets it.
const CLICKS: [&str; 9] = [
    "gclid=",
    "gbraid=",
    "wbraid=",
    "dclid=",
    "msclkid=",
    "ttclid=",
    "twclid=",
    "li_fat_id=",
    "yclid=",
];

fn known(table: &[(&str, Channel)], name: &str) -> Option<Channel> {
    let found = table.iter().find(|(known, _)| *known == name);
    found.map(|(_, channel)| *channel)
}

/// The way that a source by its usual name stands for.
pub(super) fn of_source(name: &str) -> Option<Channel> {
    known(&SOURCES, name)
}

/// The way that a campaign's medium stands for.
pub(super) fn of_medium(medium: &str) -> Option<Channel> {
    if medium.starts_with("paid") {
        return Some(Channel::Paid);
    }
    known(&MEDIA, medium)
}

/// Whether a URL shows that an advertisement was clicked.
pub(super) fn is_paid(url: &str) -> bool {
    let parts = url.split(['?', '&', '#']).skip(1);
    let mut parts = parts.filter(|part| CLICKS.iter().any(|click| part.starts_with(click)));
    parts.next().is_some()
}

/// What a view has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Came {
    /// Its URL shows that an advertisement was clicked.
    pub(super) is_paid: bool,
    /// What its medium stands for.
    pub(super) medium: Option<Channel>,
    /// What its source stands for.
    pub(super) source: Option<Channel>,
    /// There is a campaign parameter.
    pub(super) has_campaign: bool,
    /// There is a host that led to it.
    pub(super) has_referrer: bool,
    /// There is a source at all.
    pub(super) has_source: bool,
}

impl Came {
    /// The way; the first rule that holds.
    pub(super) fn channel(self) -> Channel {
        if self.is_paid || self.medium == Some(Channel::Paid) {
            return Channel::Paid;
        }
        if let Some(known) = self.medium.or(self.source) {
            return known;
        }
        if self.has_campaign {
            Channel::Campaign
        } else if self.has_referrer {
            Channel::Referral
        } else if self.has_source {
            Channel::Campaign
        } else {
            Channel::Direct
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_has_its_number() {
        for (at, (channel, _)) in Channel::ALL.iter().enumerate() {
            assert_eq!(*channel as usize, at);
        }
    }

    #[test]
    fn the_first_rule_that_holds_names_the_way() {
        let came = |medium: &str, source: &str, url: &str, has_campaign, has_referrer| {
            let came = Came {
                is_paid: is_paid(url),
                medium: of_medium(medium),
                source: of_source(source),
                has_campaign,
                has_referrer,
                has_source: !source.is_empty(),
            };
            came.channel()
        };
        for (medium, source, url, has_campaign, has_referrer, want) in [
            ("", "", "https://a.example/", false, false, Channel::Direct),
            ("", "Google", "", false, true, Channel::Search),
            (
                "",
                "Google",
                "https://a.example/?gclid=true",
                false,
                true,
                Channel::Paid,
            ),
            (
                "",
                "Google",
                "https://a.example/?notgclid=true",
                false,
                true,
                Channel::Search,
            ),
            (
                "",
                "Facebook",
                "https://a.example/?fbclid=true",
                false,
                true,
                Channel::Social,
            ),
            ("cpc", "Google", "", true, true, Channel::Paid),
            ("paid-social", "Facebook", "", true, false, Channel::Paid),
            ("email", "Google", "", true, false, Channel::Email),
            ("", "ChatGPT", "", false, true, Channel::Ai),
            ("banana", "news.example", "", true, true, Channel::Campaign),
            ("", "news.example", "", false, true, Channel::Referral),
            (
                "",
                "friend",
                "https://a.example/?ref=friend",
                false,
                false,
                Channel::Campaign,
            ),
        ] {
            let found = came(medium, source, url, has_campaign, has_referrer);
            assert_eq!(found, want, "{medium} {source} {url}");
        }
    }
}
