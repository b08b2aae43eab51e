use super::*;

const FULL: [(&str, &str); 8] = [
    ("SINKS", "r2, s3,firehose,eventbridge,sqs"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "s3cr3t/+"),
    ("S3_BUCKET", "lake"),
    ("FIREHOSE_STREAM", "events"),
    (
        "SQS_QUEUE_URL",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/events",
    ),
    ("EVENTBRIDGE_BUS", "main"),
];

fn read(changes: &[(&str, Option<&str>)]) -> Result<SinksConfig, ConfigError> {
    SinksConfig::read(&|name: &str| {
        if let Some((_, value)) = changes.iter().find(|(changed, _)| *changed == name) {
            return value.map(str::to_owned);
        }
        let found = FULL.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn s3(changes: &[(&str, Option<&str>)]) -> S3 {
    let sinks = read(changes).unwrap().sinks;
    let found = sinks.into_iter().find_map(|sink| match sink {
        Sink::S3(s3) => Some(s3),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn without_a_word_the_lake_is_r2() {
    let config = SinksConfig::read(&|_: &str| None).unwrap();
    assert_eq!(config.sinks, [Sink::R2]);
}

#[test]
fn all_sinks_are_read_each_with_its_endpoint() {
    let config = read(&[]).unwrap();
    let kinds: Vec<SinkKind> = config.sinks.iter().map(Sink::kind).collect();
    assert_eq!(kinds, SinkKind::ALL);
    let urls: Vec<&str> = config
        .sinks
        .iter()
        .filter_map(|sink| match sink {
            Sink::R2 => None,
            Sink::S3(sink) => Some(sink.service.url.as_str()),
            Sink::Firehose(sink) => Some(&sink.service.url),
            Sink::EventBridge(sink) => Some(&sink.service.url),
            Sink::Sqs(sink) => Some(&sink.service.url),
        })
        .collect();
    assert_eq!(
        urls,
        [
            "https://lake.s3.eu-central-1.amazonaws.com",
            "https://firehose.eu-central-1.amazonaws.com",
            "https://events.eu-central-1.amazonaws.com",
            "https://sqs.eu-central-1.amazonaws.com",
        ]
    );
}

#[test]
fn a_bucket_is_in_the_host_only_where_amazon_and_tls_allow() {
    let dotted = s3(&[("S3_BUCKET", Some("my.lake"))]);
    assert_eq!(
        dotted.service.url,
        "https://s3.eu-central-1.amazonaws.com/my.lake"
    );
    let own = s3(&[("S3_ENDPOINT", Some("http://127.0.0.1:9000/"))]);
    assert_eq!(own.service.url, "http://127.0.0.1:9000/lake");
    let china = s3(&[("S3_REGION", Some("cn-north-1"))]);
    assert_eq!(
        china.service.url,
        "https://lake.s3.cn-north-1.amazonaws.com.cn"
    );
}

#[test]
fn a_sinks_own_key_goes_before_the_common_one_and_is_not_mixed_with_it() {
    let own = [
        ("S3_ACCESS_KEY_ID", Some("OWN")),
        ("S3_SECRET_ACCESS_KEY", Some("own-secret")),
        ("AWS_SESSION_TOKEN", Some("token")),
    ];
    let credentials = s3(&own).service.credentials;
    assert_eq!(credentials.access_key_id, "OWN");
    assert_eq!(credentials.secret_access_key.reveal(), "own-secret");
    assert_eq!(credentials.session_token, None);
    let error = read(&own[..1]).unwrap_err();
    assert!(error.0.contains("S3_SECRET_ACCESS_KEY"), "{}", error.0);
}

#[test]
fn a_wrong_setting_is_named() {
    for (name, values) in [
        ("SINKS", &["", "r2,", "r2,r2", "s4", "R2"][..]),
        ("AWS_REGION", &["", "eu central"]),
        ("S3_REGION", &[" "]),
        ("AWS_ACCESS_KEY_ID", &["", "a b", "a\n", "a/b"]),
        ("AWS_SECRET_ACCESS_KEY", &["", "a b", "a\n", "é"]),
        ("AWS_SESSION_TOKEN", &["", "a\r\nx-evil: 1"]),
        ("S3_BUCKET", &["", "ab", "Lake", "a/b", "a?b"]),
        (
            "S3_PREFIX",
            &["/", "a", "/a/", "a//", "../", "a/../b/", "a b/", "a?/"],
        ),
        (
            "S3_ENDPOINT",
            &[
                "",
                "minio",
                "http://minio:9000",
                "ftp://localhost",
                "https://h/x",
                "https://h?x",
            ],
        ),
        ("FIREHOSE_STREAM", &["", "a b", "a\"b"]),
        ("EVENTBRIDGE_BUS", &["", "a b"]),
        ("EVENTBRIDGE_SOURCE_PREFIX", &["", "aws", "aws.shop", "a b"]),
        (
            "SQS_QUEUE_URL",
            &[
                "",
                "events",
                "https://sqs.example",
                "http://sqs.example/1/q",
            ],
        ),
    ] {
        for value in values {
            let error = read(&[(name, Some(value))]).unwrap_err();
            assert!(error.0.contains(name), "{name}={value:?}: {}", error.0);
        }
    }
    for name in [
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "S3_BUCKET",
        "FIREHOSE_STREAM",
        "SQS_QUEUE_URL",
    ] {
        let error = read(&[(name, None)]).unwrap_err();
        assert!(error.0.contains(name), "no {name}: {}", error.0);
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let config = read(&[("AWS_SESSION_TOKEN", Some("t0k3n"))]).unwrap();
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("AKIDEXAMPLE"));
    assert!(
        !shown.contains("s3cr3t") && !shown.contains("t0k3n"),
        "{shown}"
    );
}

#[test]
fn a_fingerprint_changes_with_every_setting() {
    let base = s3(&[]);
    let print = |changes: &[(&str, Option<&str>)]| Sink::S3(s3(changes)).fingerprint();
    assert_eq!(Sink::S3(base).fingerprint(), print(&[]));
    for change in [
        ("S3_BUCKET", Some("pond")),
        ("S3_PREFIX", Some("a/")),
        ("AWS_REGION", Some("eu-west-1")),
        ("AWS_ACCESS_KEY_ID", Some("OTHER")),
        ("AWS_SECRET_ACCESS_KEY", Some("other")),
        ("AWS_SESSION_TOKEN", Some("token")),
    ] {
        assert_ne!(print(&[change]), print(&[]), "{change:?}");
    }
}
