//! Names and amounts as senders find them: usual ones, and those that break what is careless.

/// Features; the last ones but a few are longer than a key may be.
pub(crate) const FEATURES: [&str; 40] = [
    "search",
    "export",
    "blog-post-generator",
    "Search",
    "ünïcödé",
    "日本語の機能",
    "🎉🎊",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@sum",
    "\"quoted\", comma",
    "semi;colon",
    "O'Brien'); DROP TABLE events;--",
    "<script>alert(1)</script>",
    "  spaced  ",
    "tab\tinside",
    "null",
    "undefined",
    "(other)",
    "(none)",
    "back\\slash",
    "%27%00",
    "ＦＵＬＬ",
    "＝1+1",
    "İstanbul",
    "שלום",
    "__proto__",
    "$[7].page",
    "a\"b.c[0]",
    "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll",
    "lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll",
    "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllm",
    "🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉",
    "mail me@example.com now",
    "100%",
    "{}",
    "[]",
    "0",
    "true",
];

/// `eventData` of page views, as JSON.
pub(crate) const PAGES: [&str; 31] = [
    "{\"url\": \"https://shop.example/land?gclid=secret&x=1\"}",
    "{\"url\": \"https://shop.example/land?fbclid=secret&ref=A%20friend\"}",
    "{\"path\": \"/\"}",
    "{\"path\": \"/pricing\"}",
    "{\"path\": \"/a b\"}",
    "{\"path\": \"/%C3%BC/é\"}",
    "{\"url\": \"https://shop.example/checkout?utm_source=Mail&utm_medium=EMail&utm_campaign=Spring&email=x%40y.example\"}",
    "{\"url\": \"https://shop.example\"}",
    "{\"url\": \"https://shop.example/app#/route/1\"}",
    "{\"url\": \"https://user:pw@shop.example:8443/deep/er/?q=1#top\"}",
    "{\"url\": \"//cdn.example/y\"}",
    "{\"page\": \"screen one\"}",
    "{\"page\": \"/from-page\"}",
    "{\"path\": \"\", \"url\": \"https://shop.example/second\"}",
    "{\"path\": \"?only=query\", \"page\": \"/third\"}",
    "{\"path\": 7, \"url\": \"/by-url\"}",
    "{\"url\": {\"a\": 1}}",
    "{}",
    "{\"path\": \"#frag\"}",
    "{\"path\": \"#!bang/route\"}",
    "{\"path\": \"/pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp/a\"}",
    "{\"path\": \"/pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp/b\"}",
    "{\"path\": \"/=1+1\"}",
    "{\"path\": \"/(other)\"}",
    "{\"path\": \"(other)\"}",
    "{\"path\": \"/'; SELECT 1 --\"}",
    "{\"path\": \"/\\\"x\\\",y\"}",
    "{\"path\": \"/日本\"}",
    "{\"path\": \"/pricing?ref=news\"}",
    "{\"path\": \"/x/../y\"}",
    "{\"path\": \"=HYPERLINK(1)\"}",
];

/// Durations, tokens and costs, as JSON; null: none.
pub(crate) const AMOUNTS: [&str; 29] = [
    "0",
    "0.1",
    "0.000001",
    "0.0000005",
    "0.0000004",
    "1e-7",
    "1.5e3",
    "12.345678",
    "-3",
    "-0.000001",
    "1000000",
    "1000000.000001",
    "90000000",
    "\"0.25\"",
    "\" 1.5 \"",
    "\"abc\"",
    "\"\"",
    "\"-1\"",
    "null",
    "true",
    "[1]",
    "2.5",
    "3.4999",
    "0.4999",
    "\"12\"",
    "86400000",
    "86400001",
    "1234.567891",
    "\"1e2\"",
];

/// Content types and models, as JSON; null: none.
pub(crate) const CONTENT: [&str; 15] = [
    "\"post\"",
    "\"Post\"",
    "\"image\"",
    "\"\"",
    "null",
    "5",
    "\"(none)\"",
    "\"(other)\"",
    "\"=SUM(A1)\"",
    "\"日本\"",
    "{\"a\":1}",
    "\"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\"",
    "\" trimmed \"",
    "true",
    "\"gpt-x\"",
];

/// Messages of errors.
pub(crate) const ERRORS: [Option<&str>; 11] = [
    Some("oops"),
    Some(""),
    Some("TypeError: x is not a function"),
    Some("Bearer abcdefghijklmnopqrstuvwxyz0123 failed"),
    Some(
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
    ),
    Some("mail a@b.example"),
    Some("=1+1"),
    Some("line\nbreak"),
    None,
    Some("(none)"),
    Some("4111 1111 1111 1111 declined"),
];

/// Statuses of domain events, as JSON; null: none.
pub(crate) const STATUSES: [&str; 12] = [
    "null",
    "\"paid\"",
    "\"open\"",
    "\"\"",
    "7",
    "\"ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss\"",
    "\"sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss\"",
    "\"üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü\"",
    "\"=x\"",
    "true",
    "\" paid \"",
    "\"(other)\"",
];

/// Ids of the first users to come.
pub(crate) const USERS: [&str; 11] = [
    "' OR 1=1 --",
    "üser",
    "anon-nothex",
    "anon-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "anon-0000000000000000000000000000000",
    "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
    "用户",
    "erased-123",
    "=user",
    "a/b c",
    "_",
];

/// Services.
pub(crate) const SOURCES: [&str; 8] = [
    "orders",
    "iam",
    "Orders",
    "日本",
    "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss",
    "=src",
    "web shop",
    "a,b",
];

/// Sources, media and campaigns.
pub(crate) const UTM: [&str; 13] = [
    "cpc",
    "paid-social",
    "google",
    "organic",
    "Newsletter",
    "newsletter",
    " mail ",
    "",
    "Größe",
    "=utm",
    "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
    "(other)",
    "x;y",
];

/// Referrers.
pub(crate) const REFERRERS: [&str; 10] = [
    "https://chatgpt.com/",
    "https://old.reddit.com/r/x",
    "https://www.google.com/search?q=x",
    "https://News.Example:8080/a",
    "https://shop.example/self",
    "android-app://com.example.app/",
    "not a url",
    "https://t.co/abc",
    "",
    "https://münchen.example/",
];

/// User agents.
pub(crate) const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "nothing known",
];

/// Platforms.
pub(crate) const PLATFORMS: [&str; 6] = ["web", "ios", "android", "Web", "=p", "プラットフォーム"];

/// Countries.
pub(crate) const COUNTRIES: [&str; 5] = ["DE", "FR", "US", "jp", "X1"];

/// Types of domain events.
pub(crate) const DOMAINS: [&str; 7] = [
    "order.placed",
    "iam.user-registered",
    "community.user-registered",
    "com.example.order.v1",
    "ProductCreated.x",
    "segment.identify",
    "A.b_c-9",
];

/// Where links and downloads go.
pub(crate) const TARGETS: [&str; 4] = [
    "https://elsewhere.example/",
    "https://elsewhere.example/a b?q=1#top",
    "https://files.example/paper.pdf",
    "/files/local.zip",
];

/// Names of custom events.
pub(crate) const CUSTOM: [&str; 6] = [
    "signup",
    "Signup",
    "=buy",
    "日本",
    "checkout step",
    "(none)",
];

/// Amounts of custom events, as JSON, some of which are none; null: none.
pub(crate) const MIXED: [&str; 14] = [
    "0",
    "1",
    "1.5",
    "-2.25",
    "\"1.5\"",
    "\"seven\"",
    "true",
    "false",
    "null",
    "0.000001",
    "12345.678901",
    "-0.1",
    "1e30",
    "[1]",
];

/// Beginnings of notes.
pub(crate) const NOTES: [&str; 5] = ["note ", "NOTE ", "日本 ", "a.*b ", "'quoted' "];

/// Money, as JSON, some of which is none; null: none.
pub(crate) const REVENUE: [&str; 9] = [
    "{\"amount\": 12.5, \"currency\": \"EUR\"}",
    "{\"amount\": 0.1, \"currency\": \"EUR\"}",
    "{\"amount\": \"19.99\", \"currency\": \"usd\"}",
    "{\"amount\": -5, \"currency\": \"USD\"}",
    "{\"amount\": 1000, \"currency\": \"JPY\"}",
    "{\"amount\": 3}",
    "{\"amount\": \"much\", \"currency\": \"EUR\"}",
    "{\"amount\": 7, \"currency\": \"euro\"}",
    "null",
];
