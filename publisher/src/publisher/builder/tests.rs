use super::*;

fn builder() -> Builder {
    Builder::new("https://c.example", "sls_demo_x")
}

#[tokio::test]
async fn numbers_have_their_ranges() {
    for (name, bad) in [
        ("batch_events", builder().batch_events(0)),
        ("batch_events", builder().batch_events(1_001)),
        ("batch_bytes", builder().batch_bytes(MAX_EVENT_BYTES + 1)),
        ("batch_bytes", builder().batch_bytes(MAX_BODY_BYTES + 1)),
        ("queue_events", builder().queue_events(0)),
        ("queue_events", builder().queue_events(usize::MAX)),
        ("queue_bytes", builder().queue_bytes(MAX_EVENT_BYTES - 1)),
        ("queue_bytes", builder().queue_bytes(usize::MAX)),
    ] {
        assert_eq!(bad.build().err(), Some(ConfigError::OutOfRange(name)));
    }
    let widest = builder()
        .batch_events(MAX_BATCH_EVENTS)
        .batch_bytes(MAX_BODY_BYTES)
        .queue_events(MAX_QUEUE)
        .queue_bytes(MAX_QUEUE)
        .batch_wait(Duration::MAX)
        .retry(Duration::MAX, Duration::MAX)
        .call_timeout(Duration::MAX);
    assert!(widest.build().is_ok());
}

#[test]
fn without_a_runtime_there_is_no_publisher() {
    assert_eq!(builder().build().err(), Some(ConfigError::NoRuntime));
}

#[tokio::test]
async fn the_key_is_not_shown() {
    let shown = format!("{:?} {:?}", builder(), builder().build());
    assert!(
        shown.contains("c.example") && !shown.contains("sls_demo_x"),
        "{shown}"
    );
}
